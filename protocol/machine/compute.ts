// Long computations that a replica asks its shell for: scrypt, key generation and RSA private
// operations never run where frames are handled (a slow one must delay no heartbeat).

import type { AccountSecrets } from '../envelope/secrets.js'
import type { HeldKey } from '../envelope/held-keys.js'
import type { MessagePlace } from '../envelope/header.js'

export type Job =
  | {
      readonly kind: 'create-account'
      readonly user: string
      readonly password: string
      readonly bits: number
      /** Keys made by the client; null: the worker makes them. */
      readonly keys: HeldKey | null
    }
  | {
      /** The password hashing of `create-account` alone, for a name that is taken. */
      readonly kind: 'hash-password'
      readonly user: string
      readonly password: string
    }
  | {
      readonly kind: 'unlock'
      readonly user: string
      readonly password: string
      /** null: no such user; the worker does the same work and answers the same. */
      readonly secrets: AccountSecrets | null
    }
  | {
      readonly kind: 'change-password'
      readonly user: string
      readonly password: string
      readonly newPassword: string
      readonly secrets: AccountSecrets
    }
  | {
      readonly kind: 'rotate-key'
      readonly user: string
      readonly password: string
      readonly bits: number
      readonly keys: HeldKey | null
      readonly secrets: AccountSecrets
    }
  | {
      readonly kind: 'add-key'
      readonly user: string
      readonly password: string
      /** As in AccountKey, wrapped under this password. */
      readonly wrappedKey: Uint8Array
      readonly secrets: AccountSecrets
    }
  | {
      readonly kind: 'open'
      /** PKCS#8 DER of the recipient's private keys: each envelope names the one that opens it. */
      readonly privateKeys: readonly Uint8Array[]
      /** Stored bodies of messages. */
      readonly envelopes: readonly Uint8Array[]
      /** Place of each envelope in the log: an envelope that was moved does not open. */
      readonly places: readonly MessagePlace[]
    }

/** An account with a new key in front of the others. */
interface Rotated {
  readonly secrets: AccountSecrets
  /** The new private key; none: the client holds it. */
  readonly privateKeys: readonly Uint8Array[]
}

export type JobResult =
  | {
      readonly kind: 'create-account'
      readonly secrets: AccountSecrets
      /** The private keys; empty: the client holds them. */
      readonly privateKeys: readonly Uint8Array[]
    }
  /** The work is done; nothing of it is kept. */
  | { readonly kind: 'hash-password' }
  /** All keys that the service holds, newest first. null: wrong password, or no such user. */
  | { readonly kind: 'unlock'; readonly privateKeys: readonly Uint8Array[] | null }
  /** All keys under the new password. null: wrong password. */
  | { readonly kind: 'change-password'; readonly secrets: AccountSecrets | null }
  /** null: wrong password. */
  | { readonly kind: 'rotate-key'; readonly rotated: Rotated | null }
  /** null: wrong password; with `badKey`, the fault of the key instead. */
  | { readonly kind: 'add-key'; readonly rotated: Rotated | null; readonly badKey: string | null }
  /** The client's keys are unsound, or the earlier keys do not sign them. */
  | { readonly kind: 'bad-keys' }
  /**
   * Texts in the order of the envelopes; null: does not open (wrong key, tag or padding: one
   * error).
   */
  | { readonly kind: 'open'; readonly texts: readonly (string | null)[] }
  /** The computation itself could not be done (no memory, worker died, queue full). */
  | { readonly kind: 'failed'; readonly reason: string }
