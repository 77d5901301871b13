// The keys of others as this client has seen them: trust on first use, as ssh's known_hosts. Keys
// that the known ones vouch for take their place; any others are refused until a person has compared
// fingerprints. A service that swaps a published key, or says that it holds the keys of who held them
// alone, is noticed here.

import { checkKeys } from '../../protocol/envelope/held-keys.js'
import type { CheckedKey } from '../../protocol/envelope/held-keys.js'
import type { SigningKey } from '../../protocol/envelope/held-keys.js'
import { clientError } from '../errors.js'
import type { KeyStore } from './key-store.js'

/**
 * Who holds the private keys of an account: the service, sealed under its password, or its client.
 */
export type Held = 'service' | 'client'

/** As the service names it. */
export interface PublishedKey {
  /** RFC 7638 thumbprint of the key that is sealed for. */
  readonly fingerprint: string
  readonly bits: number
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly signing: SigningKey | null
}

interface Known {
  readonly held: Held
  /** Client-held: of the signing key, which vouches for the other. */
  readonly fingerprint: string
  /** ISO 8601: when it was first seen, or trusted. */
  readonly since: string
}

/** Somebody whose keys may be believed. */
export interface Contact {
  /** The user. */
  /** The user. */
  readonly name: string
  /** Who holds the private keys. */
  readonly held: Held
  /** What people compare. */
  readonly fingerprint: string
  /** Newest first; empty: the service holds the keys. */
  readonly keys: readonly CheckedKey[]
}

/** What a look at somebody's keys has shown. */
export interface KeyNotice {
  /** The user. */
  readonly name: string
  /**
   * `first`: seen for the first time. `rotated`: new, and the known key vouches for it. `changed`:
   * of an account whose keys the service holds anyway. `untrusted`: refused.
   */
  readonly what: 'first' | 'rotated' | 'changed' | 'untrusted'
  /** Who holds the private keys. */
  readonly held: Held
  /** What people compare. */
  readonly fingerprint: string
  /** Known until now; '': none. */
  readonly before: string
}

type Verdict = KeyNotice['what'] | 'same'
type Clusters = Record<string, Record<string, Known>>

export class KnownKeys {
  readonly #store: KeyStore
  readonly #cluster: string
  readonly #onNotice: (notice: KeyNotice) => void
  /** What reads the store and writes it again goes one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: KeyStore, cluster: string, onNotice: (notice: KeyNotice) => void) {
    this.#store = store
    this.#cluster = cluster
    this.#onNotice = onNotice
  }

  /** Who this is, by keys that may be believed; rejects with UNTRUSTED_KEY otherwise. */
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
   * Believes these keys from now on, whatever was known before. `fingerprint`: as people compared
   * it; rejects with UNTRUSTED_KEY when it is not theirs, or when they do not vouch for each other.
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
    const why = 'the known keys of others cannot be read: known-keys.json is no JSON'
    throw clientError('NO_KEYS', `${why}; without it they are believed at first sight again`, true)
  }
}

/** null: the keys do not vouch for each other, or not all of them are held by the same. */
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
    `THE KEYS OF ${name} ARE NOT THOSE KNOWN, and the known ones do not vouch for them: ` +
    'the service may be lying, or somebody else has the name'
  return clientError('UNTRUSTED_KEY', text, true)
}
