// Requests about an account: registration, log-in, changes of password and key, deletion.
// Invariant: a repeated change has the same token, so the service carries it out once though an
// answer is lost.

import { randomBytes } from 'node:crypto'
import type { Message, The } from '../protocol/messages/catalogue.js'
import type { HeldKey } from '../protocol/envelope/held-keys.js'
import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import type { Held, PublishedKey } from './e2e/known-keys.js'
import { TrocaError, refusedHere } from './errors.js'
import type { Reconnector } from './reconnector.js'
import type { Operations } from './operations.js'
import type { OperationOptions } from './options.js'
import { unwrapKeys, wrapKey } from './own-keys.js'
import { parseInvitation } from './directory.js'

/** Longer than the default, because making an RSA key takes seconds. */
const NEW_KEY_TIMEOUT_MS = 120_000
const TOKEN_BYTES = 16

/** An account as the service knows it. */
export interface Account {
  /** The user. */
  readonly name: string
  /** The side that holds the private keys. */
  readonly held: Held
  /**
   * RFC 7638 thumbprint of the public key that messages are sealed for. Client-held: thumbprint of
   * the signing key, which vouches for the sealing key.
   */
  readonly fingerprint: string
  /** Length of the key that messages are sealed for, in bits. */
  readonly bits: number
  /** Log index up to which the account has acknowledged its mailbox. */
  readonly cursor: number
}

/** How a new key is made. */
export interface NewKeyOptions extends OperationOptions {
  /** Gets the progress of the search for primes, which takes seconds. */
  readonly onProgress?: (text: string) => void
  /** Bits of each key that this client makes, for client-held accounts; 3072 by default. */
  readonly bits?: number
}

/** How an account is made. */
export interface InvitedOptions extends NewKeyOptions {
  /** The code of an invitation, if registration needs one. */
  readonly invitation?: string
}

type Asking = (request: number) => Message

export class Accounts {
  readonly #operations: Operations
  readonly #reconnector: Reconnector
  #registration: { readonly name: string; readonly token: Uint8Array } | null = null

  constructor(operations: Operations, link: Reconnector) {
    this.#operations = operations
    this.#reconnector = link
  }

  /** `keys`: the client-held keys to publish; null: the service makes a key. */
  async register(
    name: string,
    password: string,
    keys: HeldKey | null,
    options: InvitedOptions,
  ): Promise<Account> {
    if (this.#registration?.name !== name) {
      this.#registration = { name, token: randomBytes(TOKEN_BYTES) }
    }
    const { token } = this.#registration
    const invitation = options.invitation === undefined ? null : parseInvitation(options.invitation)
    const build: Asking = (request) => ({
      ...{ type: 'REGISTER', request, name, password, token, keys, invitation },
    })
    const answer = await this.#operations.ask(`registering ${name}`, build, {
      timeoutMs: NEW_KEY_TIMEOUT_MS,
      ...options,
    })
    return this.#session(answer, password)
  }

  async login(name: string, password: string, options: OperationOptions): Promise<Account> {
    const build: Asking = (request) => ({ type: 'LOGIN', request, name, password })
    return this.#session(
      await this.#operations.ask(`logging in as ${name}`, build, options),
      password,
    )
  }

  async changePassword(
    password: string,
    newPassword: string,
    options: OperationOptions,
  ): Promise<Account> {
    const { credentials } = this.#reconnector
    if (!credentials) throw refusedHere('NOT_LOGGED_IN')
    const token = randomBytes(TOKEN_BYTES)
    const build: Asking = (request) => {
      return { type: 'CHANGE_PASSWORD', request, password, newPassword, token }
    }
    // Until the answer comes, either password may be the valid one; a reconnect tries both.
    const { user, passwords } = credentials
    this.#reconnector.credentials = { user, passwords: [...passwords, newPassword] }
    try {
      return this.#session(
        await this.#operations.ask('changing the password', build, options),
        newPassword,
      )
    } catch (error) {
      if (error instanceof TrocaError && error.definite) this.#reconnector.credentials = credentials
      throw error
    }
  }

  async rotateKey(
    password: string,
    keys: HeldKey | null,
    options: NewKeyOptions,
  ): Promise<Account> {
    const token = randomBytes(TOKEN_BYTES)
    const build: Asking = (request) => ({
      type: 'ROTATE_KEY',
      request,
      password,
      token,
      keys,
    })
    const answer = await this.#operations.ask('making a new key', build, {
      timeoutMs: NEW_KEY_TIMEOUT_MS,
      ...options,
    })
    return this.#session(answer, password)
  }

  async exportKeys(password: string, options: OperationOptions): Promise<RsaPrivateKey[]> {
    const { user, wrapped } = await this.#wrappedKeys(password, options)
    return unwrapKeys(user, password, wrapped)
  }

  async importKey(key: RsaPrivateKey, password: string, options: NewKeyOptions): Promise<Account> {
    const { user, wrapped } = await this.#wrappedKeys(password, options)
    const wrappedKey = wrapKey(user, password, wrapped, key)
    const token = randomBytes(TOKEN_BYTES)
    const build: Asking = (request) => ({ type: 'ADD_KEY', request, password, token, wrappedKey })
    const answer = await this.#operations.ask('adding the key', build, {
      timeoutMs: NEW_KEY_TIMEOUT_MS,
      ...options,
    })
    return this.#session(answer, password)
  }

  async #wrappedKeys(
    password: string,
    options: OperationOptions,
  ): Promise<{ user: string; wrapped: The<'WRAPPED_KEYS'> }> {
    const { credentials } = this.#reconnector
    if (!credentials) throw refusedHere('NOT_LOGGED_IN')
    const build: Asking = (request) => ({ type: 'EXPORT_KEYS', request, password })
    const answer = await this.#operations.ask('asking for the private keys', build, options)
    return { user: credentials.user, wrapped: answer as The<'WRAPPED_KEYS'> }
  }

  /**
   * Deletes the account. `leaving`: after a lost answer the request is repeated without a log-in,
   * which a deleted account no longer has.
   */
  async delete(password: string, options: OperationOptions): Promise<void> {
    const { credentials } = this.#reconnector
    if (!credentials) throw refusedHere('NOT_LOGGED_IN')
    const { user: name } = credentials
    const token = randomBytes(TOKEN_BYTES)
    const build: Asking = (request) => {
      return { type: 'DELETE_ACCOUNT', request, name, password, token }
    }
    this.#reconnector.credentials = { ...credentials, leaving: true }
    try {
      await this.#operations.ask('deleting the account', build, options)
      this.#reconnector.credentials = null
    } catch (error) {
      if (error instanceof TrocaError && error.definite) this.#reconnector.credentials = credentials
      throw error
    }
  }

  /** The public keys of an account, newest first, unchecked. */
  async published(name: string, options: OperationOptions): Promise<readonly PublishedKey[]> {
    const build: Asking = (request) => ({ type: 'KEYS', request, name })
    const answer = await this.#operations.ask(`asking for the keys of ${name}`, build, options)
    return (answer as The<'KEYS_ARE'>).keys
  }

  #session(answer: Message, password: string): Account {
    const { name, held, fingerprint, bits, cursor } = answer as The<'SESSION'>
    this.#reconnector.credentials = { user: name, passwords: [password] }
    return { name, held, fingerprint, bits, cursor }
  }
}
