// What an application holds: one account on one cluster, over whichever replica serves it. All
// operations outlive connections; what they promise is in docs/PROTOCOL, "What a client is promised".

import { EventEmitter } from 'node:events'
import { ERRORS } from '../protocol/errors.js'
import { MAX_TEXT } from '../protocol/schema/shared.js'
import type { Message, The } from '../protocol/messages/catalogue.js'
import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import { Accounts } from './accounts.js'
import type { Account, NewKeyOptions } from './accounts.js'
import type { ClusterStatus } from './cluster-status.js'
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
import type { ConnectOptions, OperationOptions, SendOptions, Server } from './options.js'
import { Outbox } from './outbox.js'
import type { Receipt } from './outbox.js'
import { Directory } from './directory.js'
import { Receipts } from './receipts.js'
import type { ReceiptEvent } from './receipts.js'
import type { ReceivedMessage } from './subscription.js'

const GOODBYE_MS = 500
const USER_NAME = /^[a-z][a-z0-9._-]{0,31}$/

/** The events of {@link Client.events}. */
export interface ClientEvents {
  /** A processing replica serves this client from now on. */
  connected: [
    {
      /** The replica. */
      slot: number
      /** The replica that coordinates; 0: none known. */
      coordinator: number
    },
  ]
  /** The connection is lost; the client looks for another by itself. */
  disconnected: [
    {
      /** For people. */
      reason: string
    },
  ]
  /** Another replica coordinates from now on. */
  coordinator: [
    {
      /** The replica. */
      slot: number
    },
  ]
  /** Another connection serves from now on. */
  failover: [
    {
      /** The slot of the replica that served before. */
      from: number
      /** The slot of the replica that serves now. */
      to: number
      /** How long there was no connection, in milliseconds. */
      gapMs: number
    },
  ]
  /**
   * The keys of somebody are seen for the first time, or are not those known: people should hear of
   * it.
   */
  keys: [KeyNotice]
  /** A send got further; only after {@link Receipts.follow}. */
  receipt: [ReceiptEvent]
}

/**
 * Connects to a cluster, and logs in where `options` name a user.
 *
 * @param options - The servers, the trust in them, and who logs in.
 * @returns The client, once a server answers and the log-in is done.
 * @throws TrocaError `UNREACHABLE` or `TIMEOUT` where no server answers in time; `BAD_CREDENTIALS`
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
    // The least that shows that somebody serves.
    await client.status()
    if (options.user !== undefined) await client.login(options.user, options.password ?? '')
    return client
  } catch (error) {
    client.abandon('not connected')
    throw error
  }
}

/**
 * One account on one cluster, over whichever replica serves it; {@link connect} makes it.
 *
 * All operations outlive connections: the client follows the coordinator, reconnects, and asks
 * again for what was not answered. Every method that asks the service rejects with a
 * {@link TrocaError}.
 *
 * @example
 * ```ts
 * import { connect } from 'troca'
 *
 * // Closed at the end of the block, however that is left.
 * await using client = await connect({ servers: ['127.0.0.1:7401'], tls: false })
 * console.log(await client.status())
 * ```
 */
export class Client implements AsyncDisposable {
  /**
   * What happens to the connection, to contacts' keys and to sends.
   *
   * @example
   * ```ts
   * client.events.on('failover', ({ from, to, gapMs }) => {
   *   console.log(`p${from} is gone; p${to} serves after ${Math.round(gapMs)} ms`)
   * })
   * ```
   */
  readonly events = new EventEmitter<ClientEvents>()
  /** The account that this client acts as; null: nobody is logged in. */
  account: Account | null = null
  /** Invitations and the block list. */
  readonly directory: Directory
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
    this.directory = new Directory(this.#operations)
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

  /** The name of {@link Client.account}; null: nobody is logged in. */
  get user(): string | null {
    return this.account?.name ?? null
  }

  /**
   * Makes an account and logs in. A repetition after a lost answer makes no second account.
   *
   * @param name - 1 to 32 of `a-z 0-9 . _ -`, opening with a letter.
   * @param password - Protects the private key, wherever that is kept.
   * @param options - Who holds the keys, and an invitation where the cluster asks for one.
   * @returns The new account.
   * @throws TrocaError `NAME_TAKEN`, `BAD_NAME`, `REGISTRATION_CLOSED`, `INVITATION_NEEDED`,
   * `BAD_INVITATION` or `TOO_MANY_REGISTRATIONS`.
   * @example
   * ```ts
   * const account = await client.register('alice', 'correct horse')
   * console.log(`${account.name}, fingerprint ${account.fingerprint}`)
   * ```
   */
  register(name: string, password: string, options: RegisterOptions = {}): Promise<Account> {
    return this.#identity.register(name, password, options)
  }

  /**
   * Logs in; sends and the mailbox are those of this account from then on.
   *
   * @param name - The account.
   * @param password - Its password.
   * @returns The account.
   * @throws TrocaError `BAD_CREDENTIALS`; `TOO_MANY_ATTEMPTS` with `retryAfterMs`; `NO_KEYS` where
   * a client-held account has no key file in the `keyStore`.
   * @example
   * ```ts
   * const { name, cursor } = await client.login('alice', 'correct horse')
   * console.log(`${name} has dealt with everything up to ${cursor}`)
   * ```
   */
  login(name: string, password: string, options: OperationOptions = {}): Promise<Account> {
    return this.#identity.login(name, password, options)
  }

  /**
   * Changes the password and ends all other sessions of the account.
   *
   * @param password - The password of now.
   * @param newPassword - The password from then on; this client logs in anew by it.
   * @returns The account.
   * @throws TrocaError `NOT_LOGGED_IN`, `BAD_CREDENTIALS`, or `ACCOUNT_CHANGED` where another
   * change was quicker.
   * @example
   * ```ts
   * await client.changePassword('correct horse', 'battery staple')
   * ```
   */
  changePassword(
    password: string,
    newPassword: string,
    options: OperationOptions = {},
  ): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.changePassword(this.account, password, newPassword, options)
  }

  /**
   * Makes a new key: messages from then on are sealed for it, and the old keys only read. Other
   * sessions of the account log in again by themselves.
   *
   * @param password - The password of the account.
   * @param options - `onProgress` hears of the search for primes, which takes seconds.
   * @returns The account, with the fingerprint of the new key.
   * @throws TrocaError `NOT_LOGGED_IN`, `BAD_CREDENTIALS` or `TOO_MANY_KEYS`.
   * @example
   * ```ts
   * const { fingerprint } = await client.rotateKey('correct horse', { onProgress: console.log })
   * console.log(`the new key is ${fingerprint}`)
   * ```
   */
  rotateKey(password: string, options: NewKeyOptions = {}): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.rotateKey(this.account, password, options)
  }

  /**
   * Gives the own private keys that open messages. The keys come wrapped, or are in the key file,
   * and are unwrapped here; `troca/rsa` writes them as PEM.
   *
   * @param password - The password of the account.
   * @returns The private keys, the newest first.
   * @throws TrocaError `NOT_LOGGED_IN` or `BAD_CREDENTIALS`.
   * @example
   * ```ts
   * import { privateKeyToPem } from 'troca/rsa'
   *
   * const [newest] = await client.exportKeys('correct horse')
   * if (newest) console.log(privateKeyToPem(newest))
   * ```
   */
  exportKeys(password: string, options: OperationOptions = {}): Promise<RsaPrivateKey[]> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.exportKeys(this.account, password, options)
  }

  /**
   * Takes up a key made elsewhere: messages from then on are sealed for it, as after
   * {@link Client.rotateKey}. A client-held account makes its own keys and takes up none.
   *
   * @param key - The private key; `troca/rsa` reads it from PEM or a JWK.
   * @param password - The password of the account.
   * @returns The account, with the fingerprint of that key.
   * @throws TrocaError `NOT_LOGGED_IN`, `BAD_CREDENTIALS`, `BAD_KEY`, `BAD_KEYS` or
   * `TOO_MANY_KEYS`.
   * @example
   * ```ts
   * import { randomBytes } from 'node:crypto'
   * import { readFileSync } from 'node:fs'
   * import { privateKeyFromPem } from 'troca/rsa'
   *
   * const key = privateKeyFromPem(readFileSync('own.pem', 'utf8'), randomBytes)
   * await client.importKey(key, 'correct horse')
   * ```
   */
  importKey(key: RsaPrivateKey, password: string, options: NewKeyOptions = {}): Promise<Account> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.importKey(this.account, key, password, options)
  }

  /**
   * Ends the account, for ever: its sessions end, its mailbox is erased, and nobody can have its
   * name. The client stays, and can log in as somebody else.
   *
   * @param password - The password of the account.
   * @returns Nothing, once the end of the account is stored.
   * @throws TrocaError `NOT_LOGGED_IN` or `BAD_CREDENTIALS`.
   * @example
   * ```ts
   * await client.deleteAccount('correct horse')
   * console.log(client.user) // null
   * ```
   */
  deleteAccount(password: string, options: OperationOptions = {}): Promise<void> {
    if (!this.account) return Promise.reject(refusedHere('NOT_LOGGED_IN'))
    return this.#identity.delete(password, options)
  }

  /**
   * Asks for the public keys of an account, as the service names them; {@link Client.contact} holds
   * them against those known.
   *
   * @param name - The account.
   * @returns The keys, the newest first: only that one is sealed for.
   * @throws TrocaError `NO_SUCH_USER`, or `UNTRUSTED_KEY` where the keys do not vouch for each
   * other.
   * @example
   * ```ts
   * for (const { fingerprint, bits, held } of await client.keys('alice')) {
   *   console.log(`${fingerprint} (${bits} bits, held by the ${held})`)
   * }
   * ```
   */
  keys(name: string, options: OperationOptions = {}): Promise<readonly Key[]> {
    return this.#identity.keys(name, options)
  }

  /**
   * Looks at the keys of somebody and holds them against those known (trust on first use). Sends of
   * a client-held account do so by themselves.
   *
   * @param name - The account.
   * @returns The contact, whose keys may be believed.
   * @throws TrocaError `UNTRUSTED_KEY` where the keys are others; `NO_KEYS` without a `keyStore`.
   * @example
   * ```ts
   * const { fingerprint, held } = await client.contact('alice')
   * console.log(held === 'client' ? `end to end: ${fingerprint}` : 'the service can read it')
   * ```
   */
  contact(name: string): Promise<Contact> {
    return this.#identity.contact(name)
  }

  /**
   * Believes the keys of now in the place of those known, once people have compared fingerprints.
   *
   * @param name - The account.
   * @param fingerprint - As it was compared; any other is refused.
   * @returns The contact as it is known from then on.
   * @throws TrocaError `UNTRUSTED_KEY` where the fingerprint is another; `NO_KEYS` without a
   * `keyStore`.
   * @example
   * ```ts
   * await client.trust('alice', 'bMf3QeCF0GQd5j0SKTYEyPJfAWp5TM3vQBiyZU8nB1I')
   * ```
   */
  trust(name: string, fingerprint?: string): Promise<Contact> {
    return this.#identity.endToEnd.trust(name, fingerprint)
  }

  /**
   * Sends a message. Resends after a lost connection have the same identity, so it is stored once;
   * sends of one client are stored in the order of the calls. Waits while too many are unanswered.
   *
   * @param to - The recipient.
   * @param text - At most 64 KiB of UTF-8.
   * @param options - `endToEnd`: rejects where the message would not be sealed and signed here.
   * @returns The receipt, once the message is on disk on a majority of the persistence replicas.
   * @throws TrocaError `NO_SUCH_USER`, `BLOCKED`, `MAILBOX_FULL`, `TOO_LONG`, `NOT_LOGGED_IN`,
   * `NOT_END_TO_END`, `UNTRUSTED_KEY` and others; `TIMEOUT` where no receipt came in time.
   * `definite` says whether the message certainly was not stored.
   * @example
   * ```ts
   * import { TrocaError } from 'troca'
   *
   * try {
   *   const { index, endToEnd } = await client.send('alice', 'olá', { timeoutMs: 5_000 })
   *   console.log(`stored at ${index}`, endToEnd ? 'end to end' : '')
   * } catch (error) {
   *   if (!(error instanceof TrocaError)) throw error
   *   console.log(error.definite ? 'not stored' : 'it may have been stored', error.hint)
   * }
   * ```
   */
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

  /**
   * Reads a page of the own mailbox. The page sees everything that was acknowledged before it was
   * asked for, and does not mark anything as read.
   *
   * @param options - `after`: an index, 0 for the beginning; `limit`: messages, 200 by default.
   * @returns The messages, and where to read on.
   * @throws TrocaError `NOT_LOGGED_IN`, or `TIMEOUT` where too few replicas are up.
   * @example
   * ```ts
   * let page = await client.inbox()
   * for (;;) {
   *   for (const { index, from, text } of page.messages) console.log(index, from, text)
   *   if (!page.more) break
   *   page = await client.inbox({ after: page.next })
   * }
   * ```
   */
  inbox(options: PageOptions = {}): Promise<Page> {
    return this.#mailbox.inbox(options)
  }

  /**
   * Reads a page as {@link Client.inbox}, but each message as it is stored: any JOSE library, and
   * {@link openJwe}, opens it with the own private key.
   *
   * @param options - As of {@link Client.inbox}.
   * @returns The sealed messages, and where to read on.
   * @throws TrocaError As {@link Client.inbox}.
   * @example
   * ```ts
   * import { randomBytes } from 'node:crypto'
   * import { openJwe } from 'troca'
   *
   * const keys = await client.exportKeys('correct horse')
   * for (const { jwe } of (await client.envelopes()).messages) {
   *   console.log(Buffer.from(openJwe(jwe, keys, randomBytes).plaintext).toString())
   * }
   * ```
   */
  envelopes(options: PageOptions = {}): Promise<EnvelopePage> {
    return this.#mailbox.envelopes(options)
  }

  /**
   * Deletes messages of the own mailbox, for ever. An index without a message there is passed over.
   *
   * @param indices - Indices as {@link Client.inbox} gives them.
   * @returns Nothing, once no read that begins later shows the messages.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * const { messages } = await client.inbox({ limit: 10 })
   * await client.delete(messages.map(({ index }) => index))
   * ```
   */
  delete(indices: readonly number[], options: OperationOptions = {}): Promise<void> {
    return this.#mailbox.delete(indices, options)
  }

  /**
   * Gives messages as they arrive, the waiting ones first, each once. Only `window` unacknowledged
   * messages are under way, so each is to be acknowledged. A client reads one such sequence at a
   * time; it outlives connections, and ends when `signal` aborts or the client closes.
   *
   * @param options - `after`: an index, by default what was acknowledged last; `window`: messages,
   * 256 by default.
   * @returns The messages, in the order of the log.
   * @throws TrocaError `BAD_STATE` where the client already reads one; the reason, where the client
   * ended for one of its own.
   * @example
   * ```ts
   * for await (const message of client.messages()) {
   *   console.log(message.from, message.text)
   *   message.ack()
   * }
   * ```
   */
  messages(options: ListenOptions = {}): AsyncGenerator<ReceivedMessage, void, undefined> {
    return this.#mailbox.messages(options)
  }

  /**
   * Says that everything in the mailbox up to `index` is dealt with: senders see it as read, and
   * {@link Client.messages} begins after it. Not answered; said again on a new connection.
   *
   * @param index - Place in the log.
   * @example
   * ```ts
   * const { messages } = await client.inbox()
   * const last = messages.at(-1)
   * if (last) client.ack(last.index)
   * ```
   */
  ack(index: number): void {
    if (!this.#marks.acknowledge(index) || !this.account) return
    this.account = { ...this.account, cursor: index }
  }

  /**
   * Asks the replica that serves what it knows of the cluster. Needs no log-in.
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
   * @param options - `timeoutMs`: how long the farewell may take.
   * @returns Nothing, once closed.
   * @example
   * ```ts
   * void client.send('alice', 'the last one')
   * await client.close() // it is stored, or has failed
   * ```
   */
  async close(options: OperationOptions = {}): Promise<void> {
    if (this.#ended) return
    await this.#outbox.idle()
    this.#mailbox.stopListening(null)
    this.#marks.tell()
    const connection = this.#link.connection
    if (connection && this.account) await goodbye(connection, options.timeoutMs ?? GOODBYE_MS)
    this.abandon('closed')
  }

  /**
   * Closes at once. What is under way fails with `CLOSED`, and says by `definite` whether it
   * happened.
   *
   * @param reason - For the errors of what is under way.
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
