// What a client does itself for a client-held account: it seals and signs what is sent, verifies and
// opens what arrives, and believes no key that the service names without having looked. The service
// carries envelopes, and orders, stores and delivers them as any message.

import { randomBytes } from 'node:crypto'
import { RecentlyUsed } from '../../protocol/recently-used.js'
import { EnvelopeError } from '../../protocol/envelope/envelope-error.js'
import { readSignedHeader } from '../../protocol/envelope/signed.js'
import type { HeldKey } from '../../protocol/envelope/held-keys.js'
import { decodePkcs8 } from '../../protocol/rsa/formats.js'
import type { RsaPrivateKey, RsaPublicKey } from '../../protocol/rsa/keys.js'
import { TrocaError, clientError } from '../errors.js'
import {
  untrusted,
  KnownKeys,
  contactOf,
  type Contact,
  type KeyNotice,
  type PublishedKey,
} from './known-keys.js'
import { toInboxMessage, type Seal, type InboxMessage, type WireMessage } from '../inbox-message.js'
import type { KeyStore } from './key-store.js'
import { KeyThread } from './key-thread.js'
import { OwnKeys, type NewPair } from './own-keys.js'

export interface EndToEndPort {
  /** As the service names them now, the newest first. */
  published(name: string): Promise<readonly PublishedKey[]>
  notice(notice: KeyNotice): void
}

/** Somebody's keys are asked for again after this. */
const KEYS_FRESH_MS = 60_000
/** Messages remembered to notice one that is shown at two places. */
const KEPT_PLACES = 100_000

export class EndToEnd {
  readonly #store: KeyStore
  readonly #cluster: string
  readonly #port: EndToEndPort
  readonly #thread = new KeyThread()
  readonly #known: KnownKeys
  readonly #contacts = new Map<
    string,
    { readonly at: number; readonly contact: Promise<Contact> }
  >()
  readonly #places = new RecentlyUsed<string, number>(KEPT_PLACES)
  #own: OwnKeys | null = null

  constructor(store: KeyStore, cluster: string, port: EndToEndPort) {
    this.#store = store
    this.#cluster = cluster
    this.#port = port
    this.#known = new KnownKeys(store, cluster, (notice) => port.notice(notice))
  }

  close(): void {
    this.#thread.close()
  }

  // ---- the own keys ---------------------------------------------------------------------------

  /** The first pair, saved and ready to be published. `undo`: it was not. */
  async begin(
    user: string,
    password: string,
    how: NewPair,
  ): Promise<{ keys: HeldKey; undo: () => Promise<void> }> {
    const who = { cluster: this.#cluster, user, password }
    const { own, keys, isNew } = await OwnKeys.first(this.#store, this.#thread, who, how)
    const undo = (): Promise<void> => (isNew ? own.remove() : Promise.resolve())
    return { keys, undo }
  }

  async hasKeyFile(user: string): Promise<boolean> {
    return (await this.#store.readKeys(user)) !== null
  }

  /** After a log-in: the own keys, which must be those that the service names. */
  async unlock(user: string, password: string): Promise<Contact> {
    const who = { cluster: this.#cluster, user, password }
    const own = await OwnKeys.open(this.#store, this.#thread, who)
    const contact = await this.#ownContact(own)
    this.#own = own
    this.#contacts.delete(user)
    return contact
  }

  /** Also learns which pair counts now: another process may have published one from the same file. */
  async #ownContact(own: OwnKeys): Promise<Contact> {
    const contact = contactOf(own.user, await this.#port.published(own.user))
    if (contact?.held !== 'client') throw untrusted(own.user)
    await own.use(contact)
    return contact
  }

  /** Another pair to publish, made only if the password is right. */
  async next(password: string, how: NewPair): Promise<HeldKey> {
    const own = await this.#ownedWith(password)
    const published = await this.#port.published(own.user)
    return own.next(published.length, how)
  }

  /** Puts the key file under another password around the service's change of it. */
  async changePassword<T>(
    password: string,
    newPassword: string,
    change: () => Promise<T>,
  ): Promise<T> {
    const own = this.#owned()
    // Until it is known which of the two counts, both do.
    await own.onlyFor([password, newPassword])
    try {
      const changed = await change()
      await own.onlyFor([newPassword])
      return changed
    } catch (error) {
      if (error instanceof TrocaError && error.definite) await own.onlyFor([password])
      throw error
    }
  }

  /** Those that open messages, the newest first. */
  async exportKeys(password: string): Promise<RsaPrivateKey[]> {
    const own = await this.#ownedWith(password)
    return own.sealingKeys.map((key) => decodePkcs8(key, randomBytes, { rounds: 0 }))
  }

  async #ownedWith(password: string): Promise<OwnKeys> {
    const own = this.#owned()
    if (await own.opensWith(password)) return own
    throw clientError('NO_KEYS', 'the password does not open the key file', true)
  }

  #owned(): OwnKeys {
    if (this.#own) return this.#own
    throw clientError('NO_KEYS', 'the key file was not opened', true)
  }

  // ---- others ---------------------------------------------------------------------------------

  /** Rejects with UNTRUSTED_KEY when the keys are not to be believed. */
  contact(name: string): Promise<Contact> {
    const now = performance.now()
    const known = this.#contacts.get(name)
    if (known && now - known.at < KEYS_FRESH_MS) return known.contact
    const contact = this.#lookAt(name)
    this.#contacts.set(name, { at: now, contact })
    contact.catch(() => this.#contacts.delete(name))
    return contact
  }

  async #lookAt(name: string): Promise<Contact> {
    if (this.#own?.user === name) return this.#ownContact(this.#own)
    return this.#known.check(name, await this.#port.published(name))
  }

  /** Believes what is published from now on, as far as it is what people have compared. */
  async trust(name: string, fingerprint?: string): Promise<Contact> {
    const contact = await this.#known.trust(name, await this.#port.published(name), fingerprint)
    this.#contacts.delete(name)
    return contact
  }

  // ---- messages -------------------------------------------------------------------------------

  /** Seals a text, once its place is known. */
  sealFor({ name: recipient, keys }: Contact, text: string): Seal {
    const own = this.#owned()
    return (stream, seq) => {
      const place = { sender: own.user, recipient, stream, seq, time: Date.now() }
      const { sealing: recipientKey } = keys[0]!
      const { signingKey } = own
      return this.#thread.run<'seal'>({ kind: 'seal', place, text, recipientKey, signingKey })
    }
  }

  /** `text` is null where a message is not its sender's, does not open, or was shown elsewhere. */
  async open(messages: readonly WireMessage[]): Promise<InboxMessage[]> {
    const own = this.#owned()
    const found = []
    for (const message of messages) {
      const { from: sender, stream, seq, envelope } = message
      const body = envelope ?? new Uint8Array(0)
      const signers = await this.#signersOf(sender, body)
      found.push({ body, signers, place: { sender, recipient: own.user, stream, seq } })
    }
    const { sealingKeys } = own
    const opened = await this.#thread.run<'open'>({ kind: 'open', sealingKeys, found })
    return messages.map((message, i) => {
      // Only what is truly its sender's takes its place.
      const proven = opened[i] && this.#isNew(message) ? opened[i] : { text: null }
      return { ...toInboxMessage(message, true), ...proven }
    })
  }

  /** Also makes sure, as far as possible, that the keys that the header names are there. */
  async #signersOf(sender: string, body: Uint8Array): Promise<readonly RsaPublicKey[]> {
    try {
      const { kid, signer } = readSignedHeader(body)
      await this.#owned().hasKey(kid)
      let { keys } = await this.contact(sender)
      if (!keys.some(({ fingerprint }) => fingerprint === signer)) {
        this.#contacts.delete(sender)
        keys = (await this.contact(sender)).keys
      }
      return keys.map(({ signing }) => signing)
    } catch (error) {
      if (error instanceof EnvelopeError) return []
      // It was said already, loudly.
      if (error instanceof TrocaError && error.name === 'UNTRUSTED_KEY') return []
      throw error
    }
  }

  /** The same (stream, seq) at two places of the log is a replay. */
  #isNew({ stream, seq, index }: WireMessage): boolean {
    const place = `${Buffer.from(stream).toString('hex')} ${seq}`
    return this.#places.getOrMake(place, () => index) === index
  }
}
