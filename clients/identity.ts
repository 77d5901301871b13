// The account that a client acts as, with its key file if it is client-held, and the trust in
// others' keys. Invariant: a client-held account is logged in only with its key file open.

import { Accounts, type Account, type InvitedOptions, type NewKeyOptions } from './accounts.js'
import { EndToEnd } from './e2e/end-to-end.js'
import type { NewPair } from './e2e/own-keys.js'
import {
  contactOf,
  untrusted,
  type Contact,
  type KeyNotice,
  type PublishedKey,
} from './e2e/known-keys.js'
import type { KeyStore } from './e2e/key-store.js'
import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import { whyUnusable } from '../protocol/password.js'
import { TrocaError, clientError, refusedHere } from './errors.js'
import { USER_NAME, type OperationOptions } from './options.js'
import type { Seal } from './inbox-message.js'

const DEFAULT_BITS = 3072

/** How {@link Client.register} makes an account. */
export interface RegisterOptions extends InvitedOptions {
  /** This client makes the private keys and keeps them to itself; needs a `keyStore`. */
  readonly endToEnd?: boolean
}

/** The public facts of a key; {@link Account} says which key the fingerprint is of. */
export type Key = Pick<Account, 'held' | 'fingerprint' | 'bits'>

export class Identity {
  readonly #accounts: Accounts
  readonly #is: (account: Account | null) => void
  readonly #endToEnd: EndToEnd | null
  /**
   * The last check of a contact's keys: the next check waits for it, so that sends stay in order.
   */
  #lastCheck: Promise<unknown> = Promise.resolve()

  constructor(
    accounts: Accounts,
    is: (account: Account | null) => void,
    keys: { store: KeyStore | undefined; cluster: string; notice: (notice: KeyNotice) => void },
  ) {
    this.#accounts = accounts
    this.#is = is
    const published = (name: string): Promise<readonly PublishedKey[]> =>
      accounts.published(name, {})
    const { store, cluster, notice } = keys
    this.#endToEnd = store ? new EndToEnd(store, cluster, { published, notice }) : null
  }

  /** Throws NO_KEYS if the client was given no `keyStore`. */
  get endToEnd(): EndToEnd {
    if (this.#endToEnd) return this.#endToEnd
    throw clientError('NO_KEYS', 'a client-held account needs a keyStore', true)
  }

  close(): void {
    this.#endToEnd?.close()
  }

  async register(name: string, password: string, options: RegisterOptions): Promise<Account> {
    if (!USER_NAME.test(name)) throw refusedHere('BAD_NAME')
    refuseUnusable(password)
    if (!options.endToEnd) {
      return this.#begin(await this.#accounts.register(name, password, null, options), password)
    }
    const { keys, undo } = await this.endToEnd.begin(name, password, newPair(options))
    const registered = this.#accounts.register(name, password, keys, options)
    const account = await registered.catch(async (error: unknown) => {
      // Unless the refusal is definite, the keys may be published, and only this file has them.
      if (error instanceof TrocaError && error.definite) await undo()
      throw error
    })
    return this.#begin(account, password)
  }

  async login(name: string, password: string, options: OperationOptions): Promise<Account> {
    return this.#begin(await this.#accounts.login(name, password, options), password)
  }

  async changePassword(
    { held }: Account,
    password: string,
    newPassword: string,
    options: OperationOptions,
  ): Promise<Account> {
    refuseUnusable(newPassword)
    const change = (): Promise<Account> =>
      this.#accounts.changePassword(password, newPassword, options)
    if (held === 'service') return this.#begin(await change(), newPassword)
    const changed = await this.endToEnd.changePassword(password, newPassword, change)
    return this.#begin(changed, newPassword)
  }

  async rotateKey({ held }: Account, password: string, options: NewKeyOptions): Promise<Account> {
    const keys = held === 'client' ? await this.endToEnd.next(password, newPair(options)) : null
    return this.#begin(await this.#accounts.rotateKey(password, keys, options), password)
  }

  /** The private keys: from the key file of a client-held account, otherwise from the service. */
  exportKeys(
    { held }: Account,
    password: string,
    options: OperationOptions,
  ): Promise<RsaPrivateKey[]> {
    if (held === 'client') return this.endToEnd.exportKeys(password)
    return this.#accounts.exportKeys(password, options)
  }

  async importKey(
    { held }: Account,
    key: RsaPrivateKey,
    password: string,
    options: NewKeyOptions,
  ): Promise<Account> {
    if (held === 'client') throw refusedHere('BAD_KEYS', 'a client-held account makes its own keys')
    return this.#begin(await this.#accounts.importKey(key, password, options), password)
  }

  /** Deletes the account. The key file of a client-held account stays in its place. */
  async delete(password: string, options: OperationOptions): Promise<void> {
    await this.#accounts.delete(password, options)
    this.#is(null)
  }

  /**
   * The keys as the service names them; rejects with UNTRUSTED_KEY if they do not vouch for each
   * other.
   */
  async keys(name: string, options: OperationOptions): Promise<readonly Key[]> {
    const published = await this.#accounts.published(name, options)
    const contact = contactOf(name, published)
    if (!contact) throw untrusted(name)
    const { held, keys } = contact
    return published.map(({ fingerprint, bits }, i) => {
      return { held, fingerprint: keys[i]?.fingerprint ?? fingerprint, bits }
    })
  }

  /** Compares a contact's keys with the known ones; rejects with UNTRUSTED_KEY if they differ. */
  contact(name: string): Promise<Contact> {
    const contact = this.#lastCheck.then(() => this.endToEnd.contact(name))
    this.#lastCheck = contact.catch(() => {})
    return contact
  }

  /**
   * The function that seals a text for this recipient. null: the text goes as plain text, because
   * the service holds the keys of sender or recipient; with `endToEnd` this rejects with
   * NOT_END_TO_END instead.
   */
  async sealing(
    { held }: Account,
    to: string,
    text: string,
    endToEnd: boolean,
  ): Promise<Seal | null> {
    if (held === 'service') throw notEndToEnd('the service holds the keys of this account')
    const contact = await this.contact(to)
    if (contact.held === 'client') return this.endToEnd.sealFor(contact, text)
    if (endToEnd) throw notEndToEnd(`the service holds the keys of ${to} and can read what it gets`)
    return null
  }

  /** Opens the key file of a client-held account. If that fails, the client is logged out. */
  async #begin(account: Account, password: string): Promise<Account> {
    try {
      const own = await this.#withKeys(account, password)
      this.#is(own)
      return own
    } catch (error) {
      this.#is(null)
      throw error
    }
  }

  async #withKeys(account: Account, password: string): Promise<Account> {
    const { name, held } = account
    if (held === 'client') {
      const { fingerprint } = await this.endToEnd.unlock(name, password)
      return { ...account, fingerprint }
    }
    // Downgrade: a lying service would get plain text by claiming that it holds the keys.
    if (await this.#endToEnd?.hasKeyFile(name)) throw downgraded(name)
    return account
  }
}

function notEndToEnd(why: string): TrocaError {
  return clientError('NOT_END_TO_END', why, true)
}

function downgraded(name: string): TrocaError {
  const text = `THE SERVICE SAYS THAT IT HOLDS THE KEYS OF ${name}, but their key file is here`
  return clientError('UNTRUSTED_KEY', text, true)
}

/** Throws BAD_PASSWORD for what every service refuses; a service may ask for more characters. */
function refuseUnusable(password: string): void {
  const unusable = whyUnusable(password, 1)
  if (unusable) throw refusedHere('BAD_PASSWORD', `this password cannot be chosen: ${unusable}`)
}

function newPair({ bits = DEFAULT_BITS, onProgress = () => {} }: NewKeyOptions): NewPair {
  return { bits, onProgress }
}
