// End-to-end encryption for a client-held account: the client seals and signs each send, verifies
// and opens each message, and checks every key that the service names. The service orders, stores
// and delivers the envelopes as any message.

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
  /** The keys of an account as the service names them now, the newest first. */
  published(name: string): Promise<readonly PublishedKey[]>
  notice(notice: KeyNotice): void
}

/** A contact's checked keys are trusted for this long, then checked again. */
const KEYS_FRESH_MS = 60_000
/** How many places of messages are remembered to detect a replay. */
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

  // ---- keys of this account
  // ---------------------------------------------------------------------------

  /** The first pair of keys, saved but not yet published. `undo` removes a pair made here. */
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

  /** Opens the key file after a log-in. Its keys must be those that the service names. */
  async unlock(user: string, password: string): Promise<Contact> {
    const who = { cluster: this.#cluster, user, password }
    const own = await OwnKeys.open(this.#store, this.#thread, who)
    const contact = await this.#ownContact(own)
    this.#own = own
    this.#contacts.delete(user)
    return contact
  }

  /**
   * Checks the account's published keys, and uses the pair that is published as the newest: another
   * process with the same key file may have published it.
   */
  async #ownContact(own: OwnKeys): Promise<Contact> {
    const contact = contactOf(own.user, await this.#port.published(own.user))
    if (contact?.held !== 'client') throw untrusted(own.user)
    await own.use(contact)
    return contact
  }

  /** Makes another pair to publish; rejects with NO_KEYS for a wrong password. */
  async next(password: string, how: NewPair): Promise<HeldKey> {
    const own = await this.#ownedWith(password)
    const published = await this.#port.published(own.user)
    return own.next(published.length, how)
  }

  /** Changes the password of the key file together with the service's (`change`). */
  async changePassword<T>(
    password: string,
    newPassword: string,
    change: () => Promise<T>,
  ): Promise<T> {
    const own = this.#owned()
    // Until the service's answer, either password may be the valid one, so both open the file.
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

  /** The private keys that open messages, the newest first. */
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

  // ---- keys of contacts
  // ---------------------------------------------------------------------------------

  /** A contact with checked keys; rejects with UNTRUSTED_KEY if the check fails. */
  contact(name: string): Promise<Contact> {
    const now = performance.now()
    const known = this.#contacts.get(name)
    if (known && now - known.at < KEYS_FRESH_MS) return known.contact
    const contact = this.#check(name)
    this.#contacts.set(name, { at: now, contact })
    contact.catch(() => this.#contacts.delete(name))
    return contact
  }

  async #check(name: string): Promise<Contact> {
    if (this.#own?.user === name) return this.#ownContact(this.#own)
    return this.#known.check(name, await this.#port.published(name))
  }

  /** Trusts the published keys from now on, if `fingerprint`, when given, is theirs. */
  async trust(name: string, fingerprint?: string): Promise<Contact> {
    const contact = await this.#known.trust(name, await this.#port.published(name), fingerprint)
    this.#contacts.delete(name)
    return contact
  }

  // ---- messages -------------------------------------------------------------------------------

  /** Gives the function that seals a text once its place in a stream is known. */
  sealFor({ name: recipient, keys }: Contact, text: string): Seal {
    const own = this.#owned()
    return (stream, seq) => {
      const place = { sender: own.user, recipient, stream, seq, time: Date.now() }
      const { sealing: recipientKey } = keys[0]!
      const { signingKey } = own
      return this.#thread.run<'seal'>({ kind: 'seal', place, text, recipientKey, signingKey })
    }
  }

  /**
   * Opens messages. `text` is null if the sender did not sign the message for its place, if it does
   * not open, or if it is a replay.
   */
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
      // #isNew is asked only for opened messages, so that a forged one does not occupy the place.
      const proven = opened[i] && this.#isNew(message) ? opened[i] : { text: null }
      return { ...toInboxMessage(message, true), ...proven }
    })
  }

  /**
   * The keys that the sender may have signed with. Rereads the key file, and asks again for the
   * sender's keys, if the header names keys that are not known here.
   */
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
      // A notice was emitted already; without trusted keys the message does not open.
      if (error instanceof TrocaError && error.name === 'UNTRUSTED_KEY') return []
      throw error
    }
  }

  /** False for a replay: the same (stream, seq) at a second log index. */
  #isNew({ stream, seq, index }: WireMessage): boolean {
    const place = `${Buffer.from(stream).toString('hex')} ${seq}`
    return this.#places.getOrMake(place, () => index) === index
  }
}
