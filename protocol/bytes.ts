// Byte strings: hashing, comparing, and their use as keys of maps.

import { createHash, hash } from 'node:crypto'

/**
 * SHA-256 of the parts, end to end; of a text, its UTF-8. A digest of one part comes as a string,
 * because an ArrayBuffer of its own would cost more than the hash of a short message.
 */
export function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const [only] = parts
  if (parts.length === 1 && only !== undefined)
    return Buffer.from(hash('sha256', only, 'binary'), 'latin1')
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** A string, one character a byte, that serves as the key of a map. */
export function idOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
