// The body of an EXPIRED entry: which messages of a mailbox have outlasted its retention.

import { isCount, readJson, writeJson } from './json-body.js'

/** Retention always erases the oldest messages of a mailbox. */
export interface Expiry {
  /** All messages of the mailbox at or below this log index are erased. */
  readonly through: number
  /** The mark of its owner when that was decided: those above it expire unread. */
  readonly read: number
}

export function encodeExpiry({ through, read }: Expiry): Uint8Array {
  return writeJson([through, read])
}

/** Throws if the bytes are no expiry. */
export function decodeExpiry(body: Uint8Array): Expiry {
  const written = readJson(body)
  if (!Array.isArray(written) || written.length !== 2 || !written.every(isCount)) {
    throw new RangeError('expiry body: two log indices expected')
  }
  const [through, read] = written as [number, number]
  return { through, read }
}
