// The envelope of a message in the log.

import { wholeEnvelope } from '../envelope/stored.js'
import type { Entry } from './entry.js'

/** The whole envelope. Only for an entry whose body is there. */
export function envelopeOf({ k, place, time, meta, body, shared }: Entry): Uint8Array {
  const { stream, seq } = meta
  return wholeEnvelope({ shared, own: body }, { k, command: place, stream, seq, time })
}
