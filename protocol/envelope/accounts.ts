// Password protection of accounts. scrypt (RFC 7914) derives 64 bytes from a password: the first
// half wraps the private key, and the second is the verifier, of which only the hash is kept.
// Neither half reveals the other.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto'
import { invariant } from '../assert.js'
import { normalForm } from '../password.js'
import type { ScryptCost } from './secrets.js'
import type { Entropy } from '../entropy.js'
import { concat, draw } from '../rsa/octets.js'
import { NONCE_LENGTH, TAG_LENGTH } from './parts.js'

const PASSWORD_KEY_LENGTH = 64

// Costs come from the log or over the wire. The bounds keep an invalid cost from exhausting memory.
const MAX_LOG_N = 20
const MAX_R = 32
const MAX_P = 16

export interface PasswordKeys {
  /** 32 bytes. */
  readonly wrappingKey: Uint8Array
  /** 32 bytes. */
  readonly verifier: Uint8Array
}

/** Derives both keys, in about 0.1 s at the accounts' cost. RangeError for a cost out of bounds. */
export function derivePasswordKeys(
  password: string,
  salt: Uint8Array,
  { logN, r, p }: ScryptCost,
): PasswordKeys {
  if (!(logN >= 1 && logN <= MAX_LOG_N && r >= 1 && r <= MAX_R && p >= 1 && p <= MAX_P)) {
    throw new RangeError(`scrypt cost out of bounds: logN ${logN}, r ${r}, p ${p}`)
  }
  const N = 2 ** logN
  // scrypt needs 128 N r bytes and a little (RFC 7914 section 2); Node's default limit is 32 MiB.
  const maxmem = 128 * r * (N + p + 2)
  return splitPasswordKey(
    scryptSync(normalForm(password), salt, PASSWORD_KEY_LENGTH, { N, r, p, maxmem }),
  )
}

/** Splits scrypt's 64 bytes into their halves. */
export function splitPasswordKey(derived: Uint8Array): PasswordKeys {
  invariant(derived.length === PASSWORD_KEY_LENGTH, 'a password key is 64 bytes')
  return { wrappingKey: derived.subarray(0, 32), verifier: derived.subarray(32) }
}

/** SHA-256 of a verifier, which the log keeps in its place. */
export function hashVerifier(verifier: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(verifier).digest())
}

/** Whether `verifier` has this hash. The time does not depend on where the hashes differ. */
export function verifies(verifier: Uint8Array, verifierHash: Uint8Array): boolean {
  const hash = hashVerifier(verifier)
  return hash.length === verifierHash.length && timingSafeEqual(hash, verifierHash)
}

/**
 * Encrypts `pkcs8` with AES-256-GCM, bound to the user's name: nonce ‖ ciphertext ‖ tag. Invariant:
 * each wrapping draws a nonce of its own, 96 random bits, because two wrappings with one key and
 * one nonce give both contents away. A wrapping key serves a few wrappings, so no two draws meet.
 */
export function wrapPrivateKey(
  wrappingKey: Uint8Array,
  user: string,
  pkcs8: Uint8Array,
  entropy: Entropy,
): Uint8Array {
  const nonce = draw(entropy, NONCE_LENGTH)
  const cipher = createCipheriv('aes-256-gcm', wrappingKey, nonce)
  cipher.setAAD(additionalData(user))
  const ciphertext = concat(cipher.update(pkcs8), cipher.final())
  return concat(nonce, ciphertext, cipher.getAuthTag())
}

/** The PKCS#8 DER, or null if key, user or content are not those of the wrapping. */
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
