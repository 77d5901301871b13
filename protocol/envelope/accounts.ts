// What a password protects. scrypt (RFC 7914) makes 64 bytes of it: the first half wraps the private
// key, the second is the verifier, of which only the hash is kept. Neither half tells the other.

import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { invariant } from '../assert.js'
import { concat } from '../rsa/octets.js'
import { NONCE_LENGTH, TAG_LENGTH } from './parts.js'

/** Bytes to ask of scrypt. */
export const PASSWORD_KEY_LENGTH = 64

export interface PasswordKeys {
  /** 32 bytes. */
  readonly wrappingKey: Uint8Array
  /** 32 bytes. */
  readonly verifier: Uint8Array
}

/** The halves of scrypt's 64 bytes. */
export function splitPasswordKey(derived: Uint8Array): PasswordKeys {
  invariant(derived.length === PASSWORD_KEY_LENGTH, 'a password key is 64 bytes')
  return { wrappingKey: derived.subarray(0, 32), verifier: derived.subarray(32) }
}

/** SHA-256 of a verifier: what the log keeps. */
export function hashVerifier(verifier: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(verifier).digest())
}

/** Whether `verifier` is the one that was hashed, in time independent of where they differ. */
export function verifies(verifier: Uint8Array, verifierHash: Uint8Array): boolean {
  const hash = hashVerifier(verifier)
  return hash.length === verifierHash.length && timingSafeEqual(hash, verifierHash)
}

/**
 * `pkcs8` under AES-256-GCM: nonce ‖ ciphertext ‖ tag, bound to the user's name. `nonce` is 12
 * bytes, fresh for each wrapping.
 */
export function wrapPrivateKey(
  wrappingKey: Uint8Array,
  user: string,
  nonce: Uint8Array,
  pkcs8: Uint8Array,
): Uint8Array {
  invariant(nonce.length === NONCE_LENGTH, 'a nonce is 12 bytes')
  const cipher = createCipheriv('aes-256-gcm', wrappingKey, nonce)
  cipher.setAAD(additionalData(user))
  const ciphertext = concat(cipher.update(pkcs8), cipher.final())
  return concat(nonce, ciphertext, cipher.getAuthTag())
}

/** The PKCS#8 DER, or null when key, user or content are not those of the wrapping. */
export function unwrapPrivateKey(
  wrappingKey: Uint8Array,
  user: string,
  wrapped: Uint8Array,
): Uint8Array | null {
  if (wrapped.length < NONCE_LENGTH + TAG_LENGTH) return null
  const nonce = wrapped.subarray(0, NONCE_LENGTH)
  const options = { authTagLength: TAG_LENGTH }
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey, nonce, options)
  decipher.setAAD(additionalData(user))
  decipher.setAuthTag(wrapped.subarray(-TAG_LENGTH))
  const pkcs8 = decipher.update(wrapped.subarray(NONCE_LENGTH, -TAG_LENGTH))
  try {
    decipher.final()
    return new Uint8Array(pkcs8)
  } catch {
    return null
  }
}

function additionalData(user: string): Uint8Array {
  return Buffer.from(`troca private key of ${user}`)
}
