// Byte strings: hashing, comparing, and their use as keys of maps.

import { createHash, hash } from 'node:crypto'

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const [only] = parts
  if (parts.length === 1 && only) return hash('sha256', only, 'buffer')
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
