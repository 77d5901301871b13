// The stored form of a sealed message. The start of the header and the wrapped content key are the
// same for all messages of a pair in a key epoch; the rest of the header and the nonce follow from
// the message's place in the log. So a message of its own is ciphertext and tag.

import { invariant } from '../assert.js'
import { finishHeader, isCount } from './header.js'
import { NONCE_LENGTH, TAG_LENGTH, joinParts } from './parts.js'
import type { Sealed } from './seal.js'

export interface StoredPlace {
  /** Number of the order within its term. */
  readonly k: number
  /** Place of the command in its order, a uint32. */
  readonly command: number
  readonly stream: Uint8Array
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly time: number
}

const LENGTH_BYTES = 2

/** Length of the header's start (u16), the header's start, the wrapped content key. */
export function encodeShared(headerStart: string, encryptedKey: Uint8Array): Uint8Array {
  const start = Buffer.from(headerStart)
  const out = Buffer.allocUnsafe(LENGTH_BYTES + start.length + encryptedKey.length)
  out.writeUInt16BE(start.length, 0)
  out.set(start, LENGTH_BYTES)
  out.set(encryptedKey, LENGTH_BYTES + start.length)
  return out
}

/** uint64 k ‖ uint32 command. */
export function nonceOf(k: number, command: number): Uint8Array {
  invariant(isCount(k), 'k is a count')
  invariant(command >>> 0 === command, 'a command number is a uint32')
  const nonce = Buffer.allocUnsafe(NONCE_LENGTH)
  nonce.writeUInt32BE(Math.floor(k / 2 ** 32), 0)
  nonce.writeUInt32BE(k >>> 0, 4)
  nonce.writeUInt32BE(command, 8)
  return nonce
}

/** The five parts of the envelope (parts.ts). */
export function wholeEnvelope({ shared, own }: Sealed, place: StoredPlace): Uint8Array {
  if (shared.length === 0) return own
  const view = Buffer.from(shared.buffer, shared.byteOffset, shared.length)
  const end = LENGTH_BYTES + view.readUInt16BE(0)
  const start = view.toString('utf8', LENGTH_BYTES, end)
  const { k, command, stream, seq, time } = place
  const cut = own.length - TAG_LENGTH
  return joinParts({
    header: Buffer.from(finishHeader(start, stream, seq, time)),
    encryptedKey: view.subarray(end),
    nonce: nonceOf(k, command),
    ciphertext: own.subarray(0, cut),
    tag: own.subarray(cut),
  })
}
