// The long computations that a replica asks its shell for: scrypt, key generation and RSA private
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
      /** Made by the client; null: make one. */
      readonly keys: HeldKey | null
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
      /** As in AccountKey, under this password. */
      readonly wrappedKey: Uint8Array
      readonly secrets: AccountSecrets
    }
  | {
      readonly kind: 'open'
      /** PKCS#8 DER of the recipient's private keys: each envelope names the one that opens it. */
      readonly privateKeys: readonly Uint8Array[]
      /** Stored bodies of messages. */
      readonly envelopes: readonly Uint8Array[]
      /** Where each was found in the log: one that was moved does not open. */
      readonly places: readonly MessagePlace[]
    }

/** A new key in front of the others. */
interface Rotated {
  readonly secrets: AccountSecrets
  /** The new one; none, where the client holds it. */
  readonly privateKeys: readonly Uint8Array[]
}

export type JobResult =
  | {
      readonly kind: 'create-account'
      readonly secrets: AccountSecrets
      /** None, where the client holds it. */
      readonly privateKeys: readonly Uint8Array[]
    }
  /** All keys that the service holds, newest first. null: wrong password, or no such user. */
  | { readonly kind: 'unlock'; readonly privateKeys: readonly Uint8Array[] | null }
  /** All keys under the new password. null: wrong password. */
  | { readonly kind: 'change-password'; readonly secrets: AccountSecrets | null }
  /** null: wrong password. */
  | { readonly kind: 'rotate-key'; readonly rotated: Rotated | null }
  /** null: wrong password, or what is wrong with the key. */
  | { readonly kind: 'add-key'; readonly rotated: Rotated | null; readonly badKey: string | null }
  /** What the client made is unsound, or the keys before do not vouch for it. */
  | { readonly kind: 'bad-keys' }
  /** In the order asked; null: does not open (wrong key, tag or padding: one error). */
  | { readonly kind: 'open'; readonly texts: readonly (string | null)[] }
  /** The computation itself could not be done (no memory, worker died, queue full). */
  | { readonly kind: 'failed'; readonly reason: string }
