// The secrets of an account as the log keeps them: enough to check a password, useless without it.

import type { SigningKey } from './held-keys.js'

/** scrypt cost (RFC 7914): N = 2^logN, block size r, parallelism p. */
export interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

export interface AccountKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /**
   * PKCS#8 DER under AES-256-GCM with half of scrypt's 64 bytes: nonce ‖ ciphertext ‖ tag. Empty
   * where its owner's client alone holds it.
   */
  readonly wrappedKey: Uint8Array
  /** Of a client-held account; null: the service holds the key. */
  readonly signing: SigningKey | null
}

/**
 * What the log keeps of an account's secrets: enough to check a password, useless without it. Its
 * own key is the one that is sealed for.
 */
export interface AccountSecrets extends AccountKey {
  /** 16 random bytes. */
  readonly salt: Uint8Array
  readonly cost: ScryptCost
  /** SHA-256 of the verifier, the other half. */
  readonly verifierHash: Uint8Array
  /** For reading only, newest first; under the same password. */
  readonly older: readonly AccountKey[]
}
