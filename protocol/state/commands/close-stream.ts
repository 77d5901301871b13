// CLOSE_STREAM: the end of a stream. Its kept answers are forgotten.

import { idOf } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import { stream } from '../../schema/shared.js'
import { NONE, noop } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'
import { user } from './shapes.js'
import { ownStream } from './streams.js'

export const closeStream = defineCommand({
  fields: { user, stream },
  decide(ledger, { user: by, stream: id }, context, place) {
    const { code } = ownStream(ledger, by, id, context, place)
    if (code === ERRORS.STREAM_CLOSED.code) return noop(0)
    if (code !== 0) return noop(code)
    const kind = KIND.streamClosed
    return { meta: { kind, answer: 0, mailbox: by, stream: id, seq: 0, digest: NONE }, body: NONE }
  },
})

export const STREAM_CLOSED_ENTRY = defineEntry({
  kind: KIND.streamClosed,
  apply: (ledger, { stream: id }) => ledger.endStream(idOf(id)),
})
