// CLOSE_STREAM: the end of a stream. Its kept answers are forgotten; its existence, owner and next
// seq stay, so that the refusal of a late send is true (C5).

import { idOf } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import { stream } from '../../schema/shared.js'
import { NONE, noop } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'
import { user } from './shapes.js'

export const closeStream = defineCommand({
  fields: { user, stream },
  decide(ledger, { user: by, stream: id }) {
    const existing = ledger.stream(idOf(id))
    if (!existing || existing.owner !== by) return noop(ERRORS.NO_SUCH_STREAM.code)
    if (existing.closed) return noop(0, existing.next)
    const kind = KIND.streamClosed
    return { meta: { kind, answer: 0, mailbox: by, stream: id, seq: 0, digest: NONE }, body: NONE }
  },
})

export const STREAM_CLOSED_ENTRY = defineEntry({
  kind: KIND.streamClosed,
  apply: (ledger, { stream: id }) => ledger.closeStream(idOf(id)),
})
