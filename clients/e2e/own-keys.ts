// The keys of the account that this client acts for. Invariant: a private key is in the key file
// before its public half is published, so none that counts is ever lost with a process.

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
  /** Of the pair that is published as the newest. */
  #current = ''
  /** The file as it was read last. */
  #read = ''

  private constructor(store: KeyStore, thread: KeyThread, file: KeyFile) {
    this.#store = store
    this.#thread = thread
    this.#file = file
    this.#name()
  }

  /** For a registration: the first pair, made now unless one was made before and not published. */
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

  /** Rejects with NO_KEYS when there is no key file of this user, or it does not open. */
  static async open(
    store: KeyStore,
    thread: KeyThread,
    who: { cluster: string; user: string; password: string },
  ): Promise<OwnKeys> {
    const { cluster, user, password } = who
    const text = await store.readKeys(user)
    if (text === null) {
      const why = `${user} holds its keys itself, and its key file is not here`
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

  /** Of the pair in use. */
  get signingKey(): Uint8Array {
    return this.#pairs.find(({ fingerprint }) => fingerprint === this.#current)!.signing
  }

  /** Rejects with UNTRUSTED_KEY when what is published in this user's name is not from this file. */
  async use({ name, fingerprint, keys }: Contact): Promise<void> {
    await this.hasKey(keys[0]!.kid)
    const own = this.#pairs.find((pair) => pair.fingerprint === fingerprint)
    if (!own || own.kid !== keys[0]?.kid) {
      const text = `THE SERVICE NAMES KEYS FOR ${name} THAT ARE NOT IN THE KEY FILE HERE`
      throw clientError('UNTRUSTED_KEY', text, true)
    }
    this.#current = fingerprint
  }

  /** Another pair, in the file but not in use: the present signing key vouches for it. */
  async next(published: number, { bits, onProgress }: NewPair): Promise<HeldKey> {
    const previous = this.signingKey
    const pair = await this.#thread.run<'make'>({ kind: 'make', bits }, onProgress)
    await this.#add(pair)
    const { user } = this
    const job = { kind: 'publish', user, number: published + 1, pair, previous } as const
    return this.#thread.run<'publish'>(job)
  }

  /** Just these passwords open the file from now on. */
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

  /** False: there is none of this name, not even in what another process has written meanwhile. */
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

  /** To the file as it is now. */
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

/** Its primes were tested when it was made. */
function nameOf(pkcs8: Uint8Array): string {
  return thumbprint(decodePkcs8(pkcs8, randomBytes, { rounds: 0 }))
}
