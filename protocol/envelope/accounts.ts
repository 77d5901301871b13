// What a password protects. scrypt (RFC 7914) makes 64 bytes of it: the first half wraps the private
// key, the second is the verifier, of which only the hash is kept. Neither half tells the other.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto'
import { invariant } from '../assert.js'
import type { ScryptCost } from './secrets.js'
import { concat } from '../rsa/octets.js'
import { NONCE_LENGTH, TAG_LENGTH } from './parts.js'

const PASSWORD_KEY_LENGTH = 64

// Costs come from the log or over the wire; these bounds keep a wrong one from taking the machine's
// memory.
const MAX_LOG_N = 20
const MAX_R = 32
const MAX_P = 16

export interface PasswordKeys {
  /** 32 bytes. */
  readonly wrappingKey: Uint8Array
  /** 32 bytes. */
  readonly verifier: Uint8Array
}

/** A tenth of a second or so, with the costs that accounts have. RangeError for costs out of bounds. */
export function derivePasswordKeys(
  password: string,
  salt: Uint8Array,
  { logN, r, p }: ScryptCost,
): PasswordKeys {
  if (!(logN >= 1 && logN <= MAX_LOG_N && r >= 1 && r <= MAX_R && p >= 1 && p <= MAX_P)) {
    throw new RangeError(`scrypt cost out of bounds: logN ${logN}, r ${r}, p ${p}`)
  }
  const N = 2 ** logN
  // 128 N r bytes and some (RFC 7914 section 2); Node refuses more than 32 MiB unless told.
  const maxmem = 128 * r * (N + p + 2)
  // RFC 8265 section 4.2.2: however it was typed, the same password.
  const text = password.normalize('NFC')
  return splitPasswordKey(scryptSync(text, salt, PASSWORD_KEY_LENGTH, { N, r, p, maxmem }))
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
