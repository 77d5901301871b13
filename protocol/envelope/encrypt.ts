// The symmetric half of a JWE (RFC 7516 section 5.1): A256GCM over the text, with the header's
// base64url as additional data.

import { createCipheriv } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/**
 * `aad`: the header's base64url. `nonce` is 12 bytes, never used before with this content key.
 */
export function encryptText(
  contentKey: KeyObject | Uint8Array,
  aad: string,
  nonce: Uint8Array,
  text: string,
): { ciphertext: Uint8Array; tag: Uint8Array } {
  const cipher = createCipheriv('aes-256-gcm', contentKey, nonce)
  cipher.setAAD(Buffer.from(aad, 'latin1'))
  const ciphertext = cipher.update(text, 'utf8')
  // GCM is a stream mode, so `final` returns no more bytes; it completes the tag.
  cipher.final()
  return { ciphertext, tag: cipher.getAuthTag() }
}
