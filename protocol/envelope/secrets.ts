// The secrets of an account as the log keeps them: they suffice to check a password, and are
// useless without it.

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
   * PKCS#8 DER under AES-256-GCM with half of scrypt's 64 bytes: nonce ‖ ciphertext ‖ tag. Empty if
   * the owner's client alone holds the private key.
   */
  readonly wrappedKey: Uint8Array
  /** Signing key of a client-held account; null: the service holds the private key. */
  readonly signing: SigningKey | null
}

/** The secrets of an account. Its own key is the newest one, which messages are sealed for. */
export interface AccountSecrets extends AccountKey {
  /** 16 random bytes. */
  readonly salt: Uint8Array
  readonly cost: ScryptCost
  /** SHA-256 of the verifier, the other half of scrypt's 64 bytes. */
  readonly verifierHash: Uint8Array
  /** Older keys, for reading only, newest first; wrapped under the same password. */
  readonly older: readonly AccountKey[]
}
