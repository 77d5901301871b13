// The known keys of contacts: trust on first use, as ssh's known_hosts. New keys replace known ones
// that vouch for them; other keys are refused until a person has compared fingerprints. This
// detects a service that swaps a published key, or claims to hold the keys of a client-held
// account.

import { checkKeys } from '../../protocol/envelope/held-keys.js'
import type { CheckedKey } from '../../protocol/envelope/held-keys.js'
import type { SigningKey } from '../../protocol/envelope/held-keys.js'
import { clientError } from '../errors.js'
import type { KeyStore } from './key-store.js'

/**
 * The holder of an account's private keys: the service, which wraps them with the password, or the
 * client.
 */
export type Held = 'service' | 'client'

/** A public key of an account as the service names it. */
export interface PublishedKey {
  /** RFC 7638 thumbprint of the key that messages are sealed for. */
  readonly fingerprint: string
  readonly bits: number
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly signing: SigningKey | null
}

interface Known {
  readonly held: Held
  /** Client-held: fingerprint of the signing key, which vouches for the sealing key. */
  readonly fingerprint: string
  /** When the key was first seen, or trusted: ISO 8601. */
  readonly since: string
}

/** Another account, with keys that were checked. */
export interface Contact {
  /** The user. */
  readonly name: string
  /** The holder of the private keys. */
  readonly held: Held
  /** The fingerprint that people compare. */
  readonly fingerprint: string
  /** The checked keys, the newest first; empty: the service holds the keys. */
  readonly keys: readonly CheckedKey[]
}

/** The result of a check of an account's keys. */
export interface KeyNotice {
  /** The user. */
  readonly name: string
  /**
   * `first`: seen for the first time. `rotated`: new, and the known key vouches for it. `changed`:
   * another key of an account whose keys the service holds. `untrusted`: refused.
   */
  readonly what: 'first' | 'rotated' | 'changed' | 'untrusted'
  /** The holder of the private keys. */
  readonly held: Held
  /** The fingerprint that people compare. */
  readonly fingerprint: string
  /** The fingerprint that was known before; '': none. */
  readonly before: string
}

type Verdict = KeyNotice['what'] | 'same'
type Clusters = Record<string, Record<string, Known>>

export class KnownKeys {
  readonly #store: KeyStore
  readonly #cluster: string
  readonly #onNotice: (notice: KeyNotice) => void
  /** The last task: each read and write of the store waits for the one before. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: KeyStore, cluster: string, onNotice: (notice: KeyNotice) => void) {
    this.#store = store
    this.#cluster = cluster
    this.#onNotice = onNotice
  }

  /** Compares published keys with the known ones; rejects with UNTRUSTED_KEY if they fail. */
  check(name: string, published: readonly PublishedKey[]): Promise<Contact> {
    return this.#inTurn(() => this.#check(name, published))
  }

  async #check(name: string, published: readonly PublishedKey[]): Promise<Contact> {
    const contact = contactOf(name, published)
    const clusters = await this.#read()
    const known = clusters[this.#cluster]?.[name]
    const { held, fingerprint } = contact ?? { held: 'client', fingerprint: '' }
    const verdict = contact ? judge(known, contact) : 'untrusted'
    if (verdict === 'same') return contact!
    this.#onNotice({ name, what: verdict, held, fingerprint, before: known?.fingerprint ?? '' })
    if (verdict === 'untrusted') throw untrusted(name)
    await this.#remember(contact!)
    return contact!
  }

  /**
   * Trusts these keys from now on, whatever was known before. Rejects with UNTRUSTED_KEY if
   * `fingerprint`, the one that people compared, is another, or if the keys do not vouch for each
   * other.
   */
  trust(name: string, published: readonly PublishedKey[], fingerprint?: string): Promise<Contact> {
    return this.#inTurn(async () => {
      const contact = contactOf(name, published)
      if (!contact || contact.fingerprint !== (fingerprint ?? contact.fingerprint)) {
        throw untrusted(name)
      }
      await this.#remember(contact)
      return contact
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  async #read(): Promise<Clusters> {
    return parse(await this.#store.readKnown())
  }

  async #remember({ name, held, fingerprint }: Contact): Promise<void> {
    const known = { held, fingerprint, since: new Date().toISOString() }
    await this.#store.changeKnown((text) => {
      const clusters = parse(text)
      const here = { ...clusters[this.#cluster], [name]: known }
      return `${JSON.stringify({ ...clusters, [this.#cluster]: here }, null, 2)}\n`
    })
  }
}

function parse(text: string | null): Clusters {
  try {
    return text === null ? {} : (JSON.parse(text) as Clusters)
  } catch {
    const why = 'the known keys of contacts cannot be read: known-keys.json is no JSON'
    throw clientError(
      'NO_KEYS',
      `${why}; without the file every key is trusted at first sight again`,
      true,
    )
  }
}

/** null: the keys do not vouch for each other, or the service holds some and the client others. */
export function contactOf(name: string, published: readonly PublishedKey[]): Contact | null {
  const [newest] = published
  if (!newest) return null
  if (published.every(({ signing }) => signing === null)) {
    return { name, held: 'service', fingerprint: newest.fingerprint, keys: [] }
  }
  const held = published.flatMap(({ publicKey, signing }) => {
    return signing ? [{ publicKey, signing }] : []
  })
  const keys = held.length === published.length ? checkKeys(name, held) : null
  return keys && { name, held: 'client', fingerprint: keys[0]!.fingerprint, keys }
}

function judge(known: Known | undefined, { held, fingerprint, keys }: Contact): Verdict {
  if (!known) return 'first'
  if (known.held !== held) return 'untrusted'
  if (known.fingerprint === fingerprint) return 'same'
  if (held === 'service') return 'changed'
  return keys.some((key) => key.fingerprint === known.fingerprint) ? 'rotated' : 'untrusted'
}

export function untrusted(name: string): Error {
  const text =
    `THE KEYS OF ${name} ARE NOT THE KNOWN ONES, and the known ones do not vouch for them: ` +
    'the service may be lying, or another person may have the name'
  return clientError('UNTRUSTED_KEY', text, true)
}
