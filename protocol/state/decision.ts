// What deciding a command takes, and what comes of it.

import { encodeMeta, KIND, type Draft, type Meta } from '../entries/entry.js'
import type { The } from '../messages/catalogue.js'
import type { AccountSecrets } from '../envelope/secrets.js'
import { encodeNote, type Account } from '../entries/bodies.js'
import type { RecipientKey, Seal } from '../envelope/seal.js'

export type Command = The<'ORDER'>['commands'][number]

export interface Context {
  readonly term: number
  readonly k: number
  readonly time: number
  readonly keySeed: Uint8Array
  /** The replicas found no majority for this order: refuse all of it. */
  readonly diverged: boolean
  readonly seal: Seal
  readonly keyOf: (account: Account) => RecipientKey
  readonly namesOf: (account: Account) => KeyNames
  /** All its public keys can be read: what is in the log must never make execution fail. */
  readonly readable: (secrets: AccountSecrets) => boolean
}

/** RFC 7638 thumbprints of all the keys of an account. */
export interface KeyNames {
  readonly sealing: ReadonlySet<string>
  /** Empty: the service holds its keys. */
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

/** Nothing is done and no seq consumed; `value` is the expected seq, or the one answered before. */
export function noop(code: number, value = 0): Decision {
  const meta: Meta = {
    kind: KIND.noop,
    answer: code,
    mailbox: '',
    stream: NONE,
    seq: 0,
    digest: NONE,
  }
  return decision(meta, encodeNote({ code, value }))
}
