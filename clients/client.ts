// The client that an application uses: it acts as one account, through the replica that serves it.
// All operations outlive connections; docs/PROTOCOL.md, "What a client is promised", says what they
// guarantee. Operations, Outbox, Mailbox and Identity do the work; Client connects them.

import { EventEmitter } from 'node:events'
import { ERRORS } from '../protocol/errors.js'
import { MAX_TEXT } from '../protocol/schema/shared.js'
import type { Message, The } from '../protocol/messages/catalogue.js'
import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import type { AccountApi } from './account-api.js'
import { Accounts, type Account, type NewKeyOptions } from './accounts.js'
import type { ClientEvents } from './client-events.js'
import type { ClusterStatus } from './cluster-status.js'
import type { Link } from './link.js'
import { Deadlines } from './deadlines.js'
import { logOut } from './dial.js'
import { Directory } from './directory.js'
import type { Contact } from './e2e/known-keys.js'
import { clientError, refusedHere, type TrocaError } from './errors.js'
import { Identity, type Key, type RegisterOptions } from './identity.js'
import { Reconnector } from './reconnector.js'
import {
  Mailbox,
  type EnvelopePage,
  type ListenOptions,
  type Page,
  type PageOptions,
  type Retention,
  type RetentionRule,
  type Usage,
} from './mailbox.js'
import { Marks } from './marks.js'
import type { MessageApi } from './message-api.js'
import { Operations, onAbort } from './operations.js'
import {
  DEFAULT_STREAM_IDLE_MS,
  DEFAULT_TIMEOUT_MS,
  USER_NAME,
  parseServers,
  type ConnectOptions,
  type OperationOptions,
  type SendOptions,
  type Server,
} from './options.js'
import { Outbox, type Receipt } from './outbox.js'
import { Receipts } from './receipts.js'
import type { ReceivedMessage } from './subscription.js'

const LOG_OUT_MS = 500

/**
 * Connects to a cluster, and logs in if `options` name a user.
 *
 * @param options - The servers, the CA that vouches for them, and the user to log in.
 * @returns The client, once a server has answered and the log-in is done.
 * @throws TrocaError `UNREACHABLE` or `TIMEOUT` if no server answers in time; `BAD_CREDENTIALS`
 * for a wrong user or password.
 * @throws TypeError for a server that is not written host:port.
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { connect } from 'troca'
 *
 * const client = await connect({
 *   servers: ['127.0.0.1:7401', '127.0.0.1:7402', '127.0.0.1:7403'],
 *   ca: readFileSync('.troca/ca.pem'),
 *   user: 'bob',
 *   password: process.env['TROCA_PASSWORD'] ?? '',
 * })
 * const { index } = await client.send('alice', 'olá')
 * console.log(`stored at ${index}`)
 * await client.close()
 * ```
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const client = new Client(options)
  try {
    // STATUS needs no log-in: its answer shows that a server serves.
    await client.status()
    if (options.user !== undefined) await client.login(options.user, options.password ?? '')
    return client
  } catch (error) {
    client.abandon('not connected')
    throw error
  }
}

/**
 * A client of one account on one cluster; {@link connect} makes it.
 *
 * All operations outlive connections: the client follows the coordinator, reconnects, and repeats
 * each unanswered request. Every method that asks the service rejects with a {@link TrocaError}.
 *
 * @example
 * ```ts
 * import { connect } from 'troca'
 *
 * // The client closes at the end of the block, also after an error.
 * await using client = await connect({ servers: ['127.0.0.1:7401'], tls: false })
 * console.log(await client.status())
 * ```
 */
export class Client implements AccountApi, MessageApi, AsyncDisposable {
  /**
   * Events of the connection, of contacts' keys and of sends.
   *
   * @example
   * ```ts
   * client.events.on('failover', ({ from, to, gapMs }) => {
   *   console.log(`p${from} is gone; p${to} serves after ${Math.round(gapMs)} ms`)
   * })
   * ```
   */
  readonly events = new EventEmitter<ClientEvents>()
  /** The account that this client acts as; null: not logged in. */
  account: Account | null = null
  /** Invitations and the block list. */
  readonly directory: Directory
  /** The states of this account's sends. */
  readonly receipts: Receipts
  readonly #timeoutMs: number
  readonly #deadlines = new Deadlines()
  readonly #reconnector: Reconnector
  readonly #operations: Operations
  readonly #identity: Identity
  readonly #outbox: Outbox
  readonly #marks: Marks
  readonly #mailbox: Mailbox
  #lostAt: number | null = null
  #historyId: string | null = null
  #ended: TrocaError | null = null

  /** @internal `connect` makes clients. */
  constructor(options: ConnectOptions) {
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const { ca, clusterId = '', tls = true } = options
    this.#reconnector = new Reconnector(
      parseServers(options.servers),
      { ca, clusterId, tls, patienceMs: this.#timeoutMs },
      this.#deadlines,
      {
        ready: (connection, previous) => this.#ready(connection, previous),
        lost: (reason) => this.#lost(reason),
        hopeless: (reason) => this.#end(reason),
        retrying: ({ message: reason }) => this.events.emit('retrying', { reason }),
        message: (message) => this.#message(message),
        drained: () => this.#outbox.drained(),
        coordinator: (slot) => this.events.emit('coordinator', { slot }),
        busy: () => this.#operations.unanswered + this.#outbox.unanswered > 0,
      },
    )
    const why = (): TrocaError | null => this.#reconnector.lastFailure
    const doubt = (): void => this.#reconnector.doubt()
    this.#operations = new Operations(this.#deadlines, this.#timeoutMs, why, doubt)
    this.directory = new Directory(this.#operations)
    const accounts = new Accounts(this.#operations, this.#reconnector)
    const is = (account: Account | null): void => this.#is(account)
    this.#identity = new Identity(accounts, is, {
      store: options.keyStore,
      cluster: clusterId,
      notice: (notice) => this.events.emit('keys', notice),
    })
    const { streamIdleMs = DEFAULT_STREAM_IDLE_MS } = options
    this.#outbox = new Outbox(this.#operations, this.#deadlines, why, doubt, streamIdleMs)
    this.receipts = new Receipts(this.#operations, (event) => this.events.emit('receipt', event))
    this.#marks = new Marks(this.#deadlines, () => this.#reconnector.connection)
    this.#mailbox = new Mailbox(this.#operations, this.#marks, {
      holdsKeys: () => this.account?.held === 'client',
      open: (messages) => this.#identity.endToEnd.open(messages),
      acknowledge: (index) => this.ack(index),
    })
    onAbort(options.signal, () => this.abandon('the signal aborted'))
    this.#reconnector.start()
  }

  /** The name of {@link Client.account}; null: not logged in. */
  get user(): string | null {
    return this.account?.name ?? null
  }

  /**
   * History of the log that is served; null: no server has answered yet. A position that outlives the program,
   * such as an index to listen after, is good only for the history that it was kept with.
   *
   * @example
   * ```ts
   * const kept = { history: client.historyId, index: 4711 }
   * // later, in another run
   * const after = kept.history === client.historyId ? kept.index : 0
   * for await (const message of client.messages({ after })) console.log(message.text)
   * ```
   */
  get historyId(): string | null {
    return this.#historyId
  }

  register(name: string, password: string, options: RegisterOptions = {}): Promise<Account> {
    return this.#identity.register(name, password, options)
  }

  login(name: string, password: string, options: OperationOptions = {}): Promise<Account> {
    return this.#identity.login(name, password, options)
  }

  changePassword(
    password: string,
    newPassword: string,
    options: OperationOptions = {},
  ): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.changePassword(this.account, password, newPassword, options)
  }

  rotateKey(password: string, options: NewKeyOptions = {}): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.rotateKey(this.account, password, options)
  }

  exportKeys(password: string, options: OperationOptions = {}): Promise<RsaPrivateKey[]> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.exportKeys(this.account, password, options)
  }

  importKey(key: RsaPrivateKey, password: string, options: NewKeyOptions = {}): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.importKey(this.account, key, password, options)
  }

  deleteAccount(password: string, options: OperationOptions = {}): Promise<void> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.delete(password, options)
  }

  keys(name: string, options: OperationOptions = {}): Promise<readonly Key[]> {
    return this.#identity.keys(name, options)
  }

  contact(name: string): Promise<Contact> {
    return this.#identity.contact(name)
  }

  trust(name: string, fingerprint?: string): Promise<Contact> {
    return this.#identity.endToEnd.trust(name, fingerprint)
  }

  send(to: string, text: string, options: SendOptions = {}): Promise<Receipt> {
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

  inbox(options: PageOptions = {}): Promise<Page> {
    return this.#mailbox.inbox(options)
  }

  envelopes(options: PageOptions = {}): Promise<EnvelopePage> {
    return this.#mailbox.envelopes(options)
  }

  usage(options: OperationOptions = {}): Promise<Usage> {
    return this.#mailbox.usage(options)
  }

  retention(options: OperationOptions = {}): Promise<Retention> {
    return this.#mailbox.retention(options)
  }

  retain(rule: RetentionRule, options: OperationOptions = {}): Promise<Retention> {
    return this.#mailbox.retain(rule, options)
  }

  delete(indices: readonly number[], options: OperationOptions = {}): Promise<void> {
    return this.#mailbox.delete(indices, options)
  }

  messages(options: ListenOptions = {}): AsyncGenerator<ReceivedMessage, void, undefined> {
    return this.#mailbox.messages(options)
  }

  ack(index: number): void {
    if (!this.#marks.acknowledge(index) || !this.account) return
    this.account = { ...this.account, cursor: index }
  }

  /**
   * Asks the connected replica for the state of the cluster. Needs no log-in.
   *
   * @returns The state of the cluster.
   * @throws TrocaError `UNREACHABLE` or `TIMEOUT`.
   * @example
   * ```ts
   * const { ready, replicas, needed } = await client.status()
   * const up = replicas.filter(({ tier, reachable }) => tier === 'persistence' && reachable)
   * console.log(ready ? 'serves' : `${up.length} of ${needed} persistence replicas needed are up`)
   * ```
   */
  async status(options: OperationOptions = {}): Promise<ClusterStatus> {
    const build = (request: number): Message => ({ type: 'STATUS', request })
    const answer = await this.#operations.ask('asking for the status', build, options)
    const { type: _type, request: _request, ...status } = answer as The<'STATUS_IS'>
    return status
  }

  /**
   * Waits for the receipts of all sends, logs out, and closes.
   *
   * @param options - `timeoutMs`: how long the log-out may take; 500 by default.
   * @returns Nothing, once closed.
   * @example
   * ```ts
   * void client.send('alice', 'the last one')
   * await client.close() // by now the send is stored, or has failed
   * ```
   */
  async close(options: OperationOptions = {}): Promise<void> {
    if (this.#ended) return
    await this.#outbox.idle()
    this.#mailbox.stopListening(null)
    this.#marks.tell()
    const timeoutMs = options.timeoutMs ?? LOG_OUT_MS
    // A stream that stays open costs the replicas some memory, and loses nothing.
    if (this.account) await this.#outbox.closeStream(timeoutMs).catch(() => {})
    const connection = this.#reconnector.connection
    if (connection && this.account) await logOut(connection, timeoutMs)
    this.abandon('closed')
  }

  /**
   * Closes at once. Each unanswered operation rejects with `CLOSED`; its `definite` is true if the
   * operation certainly did not happen.
   *
   * @param reason - The message of these errors.
   * @example
   * ```ts
   * process.once('SIGINT', () => client.abandon('interrupted'))
   * ```
   */
  abandon(reason: string): void {
    this.#end(clientError('CLOSED', reason, false))
  }

  /** As {@link Client.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #is(account: Account | null): void {
    if (account?.name !== this.user) {
      this.receipts.forget()
      this.#outbox.leaveStream()
    }
    if (!account) return void (this.account = null)
    this.#marks.loggedIn(account.name === this.user, account.cursor)
    this.account = { ...account, cursor: this.#marks.read }
  }

  #ready(connection: Link, previous: Server | null): void {
    const { coordinator, historyId } = connection.welcome!
    const to = connection.server.slot
    this.events.emit('connected', { slot: to, coordinator })
    if (previous) {
      const gapMs = this.#lostAt === null ? 0 : performance.now() - this.#lostAt
      this.events.emit('failover', { from: previous.slot, to, gapMs })
    }
    this.#lostAt = null
    this.#serves(historyId, connection)
    this.#marks.connected()
    this.#operations.connected(connection)
    this.#outbox.connected(connection)
    this.#mailbox.connected()
    this.receipts.connected()
  }

  /** Nothing of another history is sent again: its positions may name other entries there (C3). */
  #serves(historyId: string, { session }: Link): void {
    const from = this.#historyId
    this.#historyId = historyId
    if (from === null || from === historyId) return
    const cursor = session?.cursor ?? 0
    this.#marks.historyChanged(cursor)
    if (this.account) this.account = { ...this.account, cursor }
    this.#operations.historyChanged()
    this.#outbox.historyChanged()
    this.#mailbox.historyChanged()
    this.receipts.historyChanged()
    this.events.emit('history', { from, to: historyId })
  }

  #lost(reason: TrocaError): void {
    this.#lostAt ??= performance.now()
    // The replica could not read a frame: to write it again on the next connection would not help.
    if (reason.name === 'BAD_FRAME') this.#operations.refused(reason)
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
    this.#reconnector.close(reason.name === 'CLOSED' ? reason.message : ERRORS.SHUTTING_DOWN.text)
    this.#operations.end(reason)
    this.#outbox.end(reason)
    this.#mailbox.end(reason)
    this.#identity.close()
    this.#deadlines.stop()
  }
}
