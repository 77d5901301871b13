// The keys of the account that is logged in. Invariant: a private key is in the key file before its
// public half is published, so that a crash loses no published key.

import { randomBytes } from 'node:crypto'
import type { HeldKey } from '../../protocol/envelope/held-keys.js'
import { decodePkcs8 } from '../../protocol/rsa/formats.js'
import { thumbprint } from '../../protocol/rsa/jwk.js'
import { clientError } from '../errors.js'
import { KeyFile } from './key-file.js'
import type { PrivatePair } from './key-file.js'
import type { KeyStore } from './key-store.js'
import type { KeyThread } from './key-thread.js'
import type { Contact } from './known-keys.js'

export interface NewPair {
  readonly bits: number
  readonly onProgress: (text: string) => void
}

interface NamedPair extends PrivatePair {
  /** RFC 7638 thumbprints. */
  readonly kid: string
  readonly fingerprint: string
}

export class OwnKeys {
  readonly #store: KeyStore
  readonly #thread: KeyThread
  readonly #file: KeyFile
  #pairs: readonly NamedPair[] = []
  /** Fingerprint of the pair that is published as the newest. */
  #current = ''
  /** The last text that was read from the store. */
  #read = ''

  private constructor(store: KeyStore, thread: KeyThread, file: KeyFile) {
    this.#store = store
    this.#thread = thread
    this.#file = file
    this.#name()
  }

  /** The first pair, for a registration; a pair that an earlier try made is used again. */
  static async first(
    store: KeyStore,
    thread: KeyThread,
    who: { cluster: string; user: string; password: string },
    { bits, onProgress }: NewPair,
  ): Promise<{ own: OwnKeys; keys: HeldKey; isNew: boolean }> {
    const { cluster, user, password } = who
    const text = await store.readKeys(user)
    const file =
      text === null
        ? await KeyFile.make(cluster, user, password)
        : await KeyFile.open(text, cluster, user, password)
    const own = new OwnKeys(store, thread, file)
    if (text === null) await own.#add(await thread.run<'make'>({ kind: 'make', bits }, onProgress))
    const pair = own.#pairs.at(-1)!
    own.#current = pair.fingerprint
    const job = { kind: 'publish', user, number: 1, pair, previous: null } as const
    return { own, keys: await thread.run<'publish'>(job), isNew: text === null }
  }

  /** Rejects with NO_KEYS if the user has no key file here, or it does not open. */
  static async open(
    store: KeyStore,
    thread: KeyThread,
    who: { cluster: string; user: string; password: string },
  ): Promise<OwnKeys> {
    const { cluster, user, password } = who
    const text = await store.readKeys(user)
    if (text === null) {
      const why = `${user} is a client-held account, and its key file is not here`
      throw clientError('NO_KEYS', why, true)
    }
    return new OwnKeys(store, thread, await KeyFile.open(text, cluster, user, password))
  }

  get user(): string {
    return this.#file.user
  }

  get sealingKeys(): readonly Uint8Array[] {
    return this.#pairs.map(({ sealing }) => sealing)
  }

  /** The signing key of the pair in use. */
  get signingKey(): Uint8Array {
    return this.#pairs.find(({ fingerprint }) => fingerprint === this.#current)!.signing
  }

  /** Uses the newest published pair; rejects with UNTRUSTED_KEY if it is not in the key file. */
  async use({ name, fingerprint, keys }: Contact): Promise<void> {
    await this.hasKey(keys[0]!.kid)
    const own = this.#pairs.find((pair) => pair.fingerprint === fingerprint)
    if (!own || own.kid !== keys[0]?.kid) {
      const text = `THE SERVICE NAMES KEYS FOR ${name} THAT ARE NOT IN THE KEY FILE HERE`
      throw clientError('UNTRUSTED_KEY', text, true)
    }
    this.#current = fingerprint
  }

  /** Adds a pair to the file, not yet in use. The present signing key vouches for it. */
  async next(published: number, { bits, onProgress }: NewPair): Promise<HeldKey> {
    const previous = this.signingKey
    const pair = await this.#thread.run<'make'>({ kind: 'make', bits }, onProgress)
    await this.#add(pair)
    const { user } = this
    const job = { kind: 'publish', user, number: published + 1, pair, previous } as const
    return this.#thread.run<'publish'>(job)
  }

  /** Makes these passwords, and no others, open the file. */
  async onlyFor(passwords: readonly string[]): Promise<void> {
    const slots = await this.#file.slotsFor(passwords)
    await this.#change(() => {
      this.#file.slots = slots
    })
  }

  opensWith(password: string): Promise<boolean> {
    return this.#file.opensWith(password)
  }

  async remove(): Promise<void> {
    await this.#store.changeKeys(this.user, () => null)
  }

  /** Whether the file has this key; rereads it, because another process may have added the key. */
  async hasKey(kid: string): Promise<boolean> {
    if (this.#has(kid)) return true
    const text = await this.#store.readKeys(this.user)
    if (text === null || text === this.#read) return false
    this.#read = text
    this.#file.reread(text)
    this.#name()
    return this.#has(kid)
  }

  #has(kid: string): boolean {
    return this.#pairs.some((pair) => pair.kid === kid)
  }

  #add(pair: PrivatePair): Promise<void> {
    return this.#change(() => {
      this.#file.pairs = [pair, ...this.#file.pairs]
    })
  }

  /** Applies a change to the latest text of the file. */
  async #change(change: () => void): Promise<void> {
    await this.#store.changeKeys(this.user, (text) => {
      if (text !== null) this.#file.reread(text)
      change()
      return String(this.#file)
    })
    this.#name()
  }

  #name(): void {
    this.#pairs = this.#file.pairs.map((pair) => {
      const [kid, fingerprint] = [pair.sealing, pair.signing].map(nameOf) as [string, string]
      return { ...pair, kid, fingerprint }
    })
  }
}

/** Thumbprint of a key, whose primes were tested when it was made. */
function nameOf(pkcs8: Uint8Array): string {
  return thumbprint(decodePkcs8(pkcs8, randomBytes, { rounds: 0 }))
}
