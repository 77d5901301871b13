// Deciding a command: the context that a decision depends on, and its result.

import { encodeMeta, KIND, type Draft, type Kind, type Meta } from '../entries/entry.js'
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

export interface Decision {
  readonly draft: Draft
  readonly meta: Meta
}

export const NONE = new Uint8Array(0)

export function decision(meta: Meta, body: Uint8Array = NONE): Decision {
  return { draft: { meta: encodeMeta(meta), body }, meta }
}

/** An entry with a sealed message. */
export function messageDecision(meta: Meta, { shared, own: body }: Sealed): Decision {
  const encoded = encodeMeta(meta)
  return { draft: { meta: encoded, body, ...(shared.length > 0 && { shared }) }, meta }
}

/** An entry of no stream. */
export function plainEntry(kind: Kind, mailbox: string, body: Uint8Array): Decision {
  return decision({ kind, answer: 0, mailbox, stream: NONE, seq: 0, digest: NONE }, body)
}

/**
 * An entry without effect, which consumes no seq. `value` is the expected seq, or the one answered
 * before.
 */
export function noop(code: number, value = 0): Decision {
  const meta = { kind: KIND.noop, answer: code, mailbox: '', stream: NONE, seq: 0, digest: NONE }
  return decision(meta, encodeNote({ code, value }))
}
