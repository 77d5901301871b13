// The end of streams that have been idle for long, which the coordinator orders of its own accord.
// The order decides, not a clock of each replica: all end the same streams at the same place.

import { idOf } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { fromBase64url, readJson, toBase64url, writeJson } from '../../entries/json-body.js'
import { list } from '../../schema/schema.js'
import { stream, wallTime } from '../../schema/shared.js'
import { noop, plainDraft } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'

/** Streams that one command ends, at the most. */
export const MOST_IDLE = 128

/** A stream with a send since then is in use, whatever the command says. */
const LEAST_IDLE_MS = 1_000

/** Throws if the bytes are no ids. */
export function decodeEnds(body: Uint8Array): Uint8Array[] {
  const written = readJson(body)
  if (!Array.isArray(written) || !written.every((one) => typeof one === 'string')) {
    throw new RangeError('ends body: ids expected')
  }
  return written.map(fromBase64url)
}

export const endIdleStreams = defineCommand({
  fields: {
    streams: list(stream, MOST_IDLE, 1).means('Streams that seemed idle.'),
    idleSince: wallTime.means('A stream ends if its last send was executed by then.'),
  },
  weigh: ({ streams }) => 25 * streams.length,
  decide(ledger, { streams, idleSince }, { time }) {
    const since = Math.min(idleSince, time - LEAST_IDLE_MS)
    const idle = streams.filter((id) => (ledger.stream(idOf(id))?.used ?? Infinity) <= since)
    if (idle.length === 0) return noop(0)
    return plainDraft(KIND.streamsEnded, '', writeJson(idle.map(toBase64url)))
  },
})

export const STREAMS_ENDED_ENTRY = defineEntry({
  kind: KIND.streamsEnded,
  check: (_meta, body) => void decodeEnds(body),
  apply(ledger, _meta, { body }) {
    for (const id of decodeEnds(body)) ledger.endStream(idOf(id))
  },
})
