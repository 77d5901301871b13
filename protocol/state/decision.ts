// Deciding a command: the context that a decision depends on, and its result.

import { KIND, plainMeta, type Draft, type Kind, type Meta } from '../entries/entry.js'
import { encodeNote } from '../entries/note.js'
import type { RecipientKey, Seal, Sealed } from '../envelope/seal.js'
import type { AccountSecrets } from '../envelope/secrets.js'
import type { Account } from './account.js'

/** An order as its commands see it: the only clock and randomness that execution has. */
export interface ExecutionContext {
  readonly term: number
  readonly k: number
  /** Milliseconds since 1970. */
  readonly time: number
  /** 32 bytes, secret; the same for all orders of a key epoch. */
  readonly keySeed: Uint8Array
  /** The replicas found no majority for this order: every command of it is refused. */
  readonly diverged: boolean
  readonly seal: Seal
  readonly keyOf: (account: Account) => RecipientKey
  readonly namesOf: (account: Account) => KeyNames
  /** All public keys of the account can be read: an entry must never make execution fail. */
  readonly readable: (secrets: AccountSecrets) => boolean
}

/** RFC 7638 thumbprints of all the keys of an account. */
export interface KeyNames {
  readonly sealing: ReadonlySet<string>
  /** Empty: the service holds the keys. */
  readonly signing: ReadonlySet<string>
}

export const NONE = new Uint8Array(0)

/** An entry with a sealed message. */
export function sealedDraft(meta: Meta, { shared, own: body }: Sealed): Draft {
  return shared.length > 0 ? { meta, body, shared } : { meta, body }
}

/** An entry of no stream. */
export function plainDraft(kind: Kind, mailbox: string, body: Uint8Array): Draft {
  return { meta: plainMeta(kind, 0, mailbox), body }
}

/**
 * An entry without effect, which consumes no seq. `value` is the expected seq, or the one answered
 * before.
 */
export function noop(code: number, value = 0): Draft {
  return { meta: plainMeta(KIND.noop, code), body: encodeNote({ code, value }) }
}
