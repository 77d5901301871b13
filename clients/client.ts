// What an application holds: one account on one cluster, over whichever replica serves it. All
// operations outlive connections; what they promise is in docs/PROTOCOL, "What a client is promised".

import { EventEmitter } from 'node:events'
import { ERRORS } from '../protocol/errors.js'
import { MAX_TEXT } from '../protocol/schema/shared.js'
import type { Message, The } from '../protocol/messages/catalogue.js'
import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import { Accounts } from './accounts.js'
import type { Account, NewKeyOptions } from './accounts.js'
import type { Connection } from './connection.js'
import { Deadlines } from './deadlines.js'
import type { Contact, KeyNotice } from './e2e/known-keys.js'
import { clientError, refusedHere } from './errors.js'
import type { TrocaError } from './errors.js'
import { Identity } from './identity.js'
import type { Key, RegisterOptions } from './identity.js'
import { Link } from './link.js'
import { Mailbox } from './mailbox.js'
import type { EnvelopePage, ListenOptions, Page, PageOptions } from './mailbox.js'
import { Marks } from './marks.js'
import { Operations, onAbort } from './operations.js'
import { DEFAULT_TIMEOUT_MS, parseServers } from './options.js'
import type { ConnectOptions, OperationOptions, Server } from './options.js'
import { Outbox } from './outbox.js'
import type { Receipt } from './outbox.js'
import { People } from './people.js'
import { Receipts } from './receipts.js'
import type { ReceiptEvent } from './receipts.js'
import type { ReceivedMessage } from './subscription.js'

const GOODBYE_MS = 500
const USER_NAME = /^[a-z][a-z0-9._-]{0,31}$/

export type ClusterStatus = Omit<The<'STATUS_IS'>, 'type' | 'request'>

export interface ClientEvents {
  connected: [{ slot: number; coordinator: number }]
  disconnected: [{ reason: string }]
  coordinator: [{ slot: number }]
  /** Another connection serves now; `gapMs`: how long there was none. */
  failover: [{ from: number; to: number; gapMs: number }]
  /** Somebody's keys are seen for the first time, or are not those known: people should hear of it. */
  keys: [KeyNotice]
  /** A send got further; only after `receipts.follow()`. */
  receipt: [ReceiptEvent]
}

type WithTimeout<T> = OperationOptions & T

/** Resolves when a server answers and, with `user`, the log-in is done; rejects with TrocaError. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const client = new Client(options)
  try {
    // The least that shows that somebody serves.
    await client.status()
    if (options.user !== undefined) await client.login(options.user, options.password ?? '')
    return client
  } catch (error) {
    client.abandon('not connected')
    throw error
  }
}

export class Client implements AsyncDisposable {
  readonly events = new EventEmitter<ClientEvents>()
  account: Account | null = null
  /** Invitations and the block list. */
  readonly people: People
  /** What becomes of the own sends. */
  readonly receipts: Receipts
  readonly #timeoutMs: number
  readonly #deadlines = new Deadlines()
  readonly #link: Link
  readonly #operations: Operations
  readonly #identity: Identity
  readonly #outbox: Outbox
  readonly #marks: Marks
  readonly #mailbox: Mailbox
  #lostAt: number | null = null
  #ended: TrocaError | null = null

  /** @internal `connect` makes clients. */
  constructor(options: ConnectOptions) {
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const { ca, clusterId = '', tls = true } = options
    this.#link = new Link(parseServers(options.servers), { ca, clusterId, tls }, this.#deadlines, {
      ready: (connection, previous) => this.#ready(connection, previous),
      lost: (reason) => this.#lost(reason),
      hopeless: (reason) => this.#end(reason),
      message: (message) => this.#message(message),
      drained: () => this.#outbox.drained(),
      coordinator: (slot) => this.events.emit('coordinator', { slot }),
      busy: () => this.#operations.unanswered + this.#outbox.unanswered > 0,
    })
    const why = (): TrocaError | null => this.#link.lastFailure
    const doubt = (): void => this.#link.doubt()
    this.#operations = new Operations(this.#deadlines, this.#timeoutMs, why, doubt)
    this.people = new People(this.#operations)
    const accounts = new Accounts(this.#operations, this.#link)
    const is = (account: Account | null): void => this.#is(account)
    this.#identity = new Identity(accounts, is, {
      store: options.keyStore,
      cluster: clusterId,
      notice: (notice) => this.events.emit('keys', notice),
    })
    this.#outbox = new Outbox(this.#operations, this.#deadlines, why, doubt)
    this.receipts = new Receipts(this.#operations, (event) => this.events.emit('receipt', event))
    this.#marks = new Marks(this.#deadlines, () => this.#link.connection)
    this.#mailbox = new Mailbox(this.#operations, this.#marks, {
      holdsKeys: () => this.account?.held === 'client',
      open: (messages) => this.#identity.endToEnd.open(messages),
      acknowledge: (index) => this.ack(index),
    })
    onAbort(options.signal, () => this.abandon('the caller gave up'))
    this.#link.start()
  }

  get user(): string | null {
    return this.account?.name ?? null
  }

  /** Makes an account and logs in. A repetition, even after a lost answer, does no harm. */
  register(name: string, password: string, options: RegisterOptions = {}): Promise<Account> {
    return this.#identity.register(name, password, options)
  }

  login(name: string, password: string, options: OperationOptions = {}): Promise<Account> {
    return this.#identity.login(name, password, options)
  }

  /** Ends all other sessions of this account; they can log in with the new password. */
  changePassword(
    password: string,
    newPassword: string,
    options: OperationOptions = {},
  ): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.changePassword(this.account, password, newPassword, options)
  }

  /**
   * A new key: what is sent from now on is sealed for it, the old ones only read. Other sessions of
   * this account log in again by themselves.
   */
  rotateKey(password: string, options: NewKeyOptions = {}): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.rotateKey(this.account, password, options)
  }

  /**
   * The own private keys that open messages, the newest first; `troca/rsa` writes them as PEM. They
   * come wrapped, or are in the key file, and are unwrapped here.
   */
  exportKeys(password: string, options: OperationOptions = {}): Promise<RsaPrivateKey[]> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.exportKeys(this.account, password, options)
  }

  /** Takes up a key made elsewhere, as `rotateKey` one of the service's making. */
  importKey(key: RsaPrivateKey, password: string, options: NewKeyOptions = {}): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.importKey(this.account, key, password, options)
  }

  /**
   * Ends the account, for ever: its sessions end, its mailbox is erased, nobody can have its name. The
   * client can log in as somebody else.
   */
  deleteAccount(password: string, options: OperationOptions = {}): Promise<void> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.delete(password, options)
  }

  /** The public keys of an account, the newest first: only that one is sealed for. */
  keys(name: string, options: OperationOptions = {}): Promise<readonly Key[]> {
    return this.#identity.keys(name, options)
  }

  /**
   * Somebody's keys, held against those known: rejects with UNTRUSTED_KEY when they are others. Needs
   * a `keyStore`. Sends of a client-held account do this by themselves.
   */
  contact(name: string): Promise<Contact> {
    return this.#identity.contact(name)
  }

  /** Believes the keys of now, once people have compared fingerprints; see `contact`. */
  trust(name: string, fingerprint?: string): Promise<Contact> {
    return this.#identity.endToEnd.trust(name, fingerprint)
  }

  /**
   * Resolves when the message is stored on a majority. Waits while too many are unanswered. Between
   * client-held accounts it is sealed and signed here; `endToEnd`: rejects where it would not be.
   */
  send(
    to: string,
    text: string,
    options: WithTimeout<{ endToEnd?: boolean }> = {},
  ): Promise<Receipt> {
    if (!USER_NAME.test(to)) return Promise.reject(refusedHere('BAD_NAME'))
    if (Buffer.byteLength(text) > MAX_TEXT) return Promise.reject(refusedHere('TOO_LONG'))
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    const { timeoutMs = this.#timeoutMs, signal, endToEnd = false } = options
    if (this.account.held === 'service' && !endToEnd) {
      return this.#outbox.send(to, text, null, timeoutMs, signal)
    }
    const sealing = this.#identity.sealing(this.account, to, text, endToEnd)
    return sealing.then((seal) => this.#outbox.send(to, text, seal, timeoutMs, signal))
  }

  /** A page of the own mailbox; sees everything acknowledged before it was asked for. */
  inbox(options: PageOptions = {}): Promise<Page> {
    return this.#mailbox.inbox(options)
  }

  /** As `inbox`, but each message as it is stored: any JOSE library opens it with the own key. */
  envelopes(options: PageOptions = {}): Promise<EnvelopePage> {
    return this.#mailbox.envelopes(options)
  }

  /**
   * Deletes messages of the own mailbox, for ever; an index without one there is passed over.
   * Resolves when nothing that begins later shows them.
   */
  delete(indices: readonly number[], options: OperationOptions = {}): Promise<void> {
    return this.#mailbox.delete(indices, options)
  }

  /**
   * Messages as they arrive, the waiting ones first. `ack()` each when it is dealt with: only
   * `window` unacknowledged ones are under way. One at a time per client.
   */
  messages(options: ListenOptions = {}): AsyncGenerator<ReceivedMessage, void, undefined> {
    return this.#mailbox.messages(options)
  }

  /** Everything in the mailbox up to this log index is dealt with: its senders see it as read. */
  ack(index: number): void {
    if (!this.#marks.acknowledge(index) || !this.account) return
    this.account = { ...this.account, cursor: index }
  }

  async status(options: OperationOptions = {}): Promise<ClusterStatus> {
    const build = (request: number): Message => ({ type: 'STATUS', request })
    const answer = await this.#operations.ask('asking for the status', build, options)
    const { type: _type, request: _request, ...status } = answer as The<'STATUS_IS'>
    return status
  }

  /** Waits for the receipts of all sends, logs out, closes. */
  async close(options: OperationOptions = {}): Promise<void> {
    if (this.#ended) return
    await this.#outbox.idle()
    this.#mailbox.stopListening(null)
    this.#marks.tell()
    const connection = this.#link.connection
    if (connection && this.account) await goodbye(connection, options.timeoutMs ?? GOODBYE_MS)
    this.abandon('closed')
  }

  /** Closes at once; whatever is under way fails with CLOSED. */
  abandon(reason: string): void {
    this.#end(clientError('CLOSED', reason, false))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #is(account: Account | null): void {
    if (account?.name !== this.user) this.receipts.forget()
    if (!account) return void (this.account = null)
    this.#marks.loggedIn(account.name === this.user, account.cursor)
    this.account = { ...account, cursor: this.#marks.read }
  }

  #ready(connection: Connection, previous: Server | null): void {
    const { coordinator } = connection.welcome!
    const to = connection.server.slot
    this.events.emit('connected', { slot: to, coordinator })
    if (previous) {
      const gapMs = this.#lostAt === null ? 0 : performance.now() - this.#lostAt
      this.events.emit('failover', { from: previous.slot, to, gapMs })
    }
    this.#lostAt = null
    this.#marks.connected()
    this.#operations.connected(connection)
    this.#outbox.connected(connection)
    this.#mailbox.connected()
    this.receipts.connected()
  }

  #lost(reason: TrocaError): void {
    this.#lostAt ??= performance.now()
    this.#operations.disconnected()
    this.#outbox.disconnected()
    this.events.emit('disconnected', { reason: reason.message })
  }

  #message(message: Message): void {
    switch (message.type) {
      case 'ACCEPTED': {
        const place = this.#outbox.accepted(message)
        return place ? this.receipts.accepted(place) : undefined
      }
      case 'RECEIPT': {
        const place = this.#outbox.receipt(message)
        return place ? this.receipts.stored(place, message.index) : undefined
      }
      case 'RECEIPT_STATE':
        return this.receipts.moved(message)
      case 'PUSH':
        return this.#mailbox.push(message.messages)
      case 'ERROR':
        return this.#outbox.error(message)
      default:
        return undefined
    }
  }

  #end(reason: TrocaError): void {
    if (this.#ended) return
    this.#ended = reason
    this.#link.close(reason.name === 'CLOSED' ? reason.message : ERRORS.SHUTTING_DOWN.text)
    this.#operations.end(reason)
    this.#outbox.end(reason)
    this.#mailbox.end(reason)
    this.#identity.close()
    this.#deadlines.stop()
  }
}

/** Logs out; the answer shows that all that was said before has been heard. */
function goodbye(connection: Connection, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs)
    const listener = connection.listener
    connection.listener = {
      ...listener,
      closed() {
        clearTimeout(timer)
        resolve()
      },
    }
    connection.send({ type: 'LOGOUT', request: connection.nextRequest() })
  })
}
