// A stream numbers the sends of one client 1, 2, ...: (stream, seq) is the identity of a send.

import { idOf } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import { stream } from '../../schema/shared.js'
import { NONE, noop } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'
import { user } from './shapes.js'

export const openStream = defineCommand({
  fields: { user, stream },
  decide(ledger, { user: by, stream: id }) {
    const existing = ledger.stream(idOf(id))
    if (existing) {
      const own = existing.closed ? ERRORS.STREAM_CLOSED.code : 0
      return noop(existing.owner === by ? own : ERRORS.CONFLICT.code, existing.next)
    }
    const meta = { kind: KIND.stream, answer: 0, mailbox: by, stream: id, seq: 0, digest: NONE }
    return { meta, body: NONE }
  },
})

export const STREAM_ENTRY = defineEntry({
  kind: KIND.stream,
  apply: (ledger, { mailbox, stream: id }) => ledger.openStream(idOf(id), mailbox),
})
