// Keeps one usable connection: finds a server, logs in again, notices silence, follows the
// coordinator (the new connection is ready before the old one is left), and tries again with
// back-off for as long as the client lives. A second connection stands by at another replica,
// logged in, so that a failover waits for no handshake and no scrypt.

import type { Message } from '../protocol/messages/catalogue.js'
import type { Connection, ConnectionListener, DialOptions } from './connection.js'
import type { Deadlines } from './deadlines.js'
import { dial, findServer, firstToWelcome, logIn } from './dial.js'
import type { Credentials } from './dial.js'
import type { TrocaError } from './errors.js'
import type { Server } from './options.js'

const BACK_OFF_MIN_MS = 20
const BACK_OFF_MAX_MS = 500
const BEAT_MS = 200
/** While something is unanswered, silence is looked into after this; else at the server's pace. */
const BUSY_PING_MS = 300
/** A PING without any sign of life for so long: the connection is dead. */
const SILENCE_MS = 1_000
/** How often the coordinator is asked for while something is unanswered, when another replica or
 * none is known to be it, and when this one is. */
const SEEK_MS = 200
const CHECK_MS = 2_000
/** Who only listens, at the coordinator, asks it this often whether it still is. */
const IDLE_CHECK_MS = 5_000
/** A replica that has known of no coordinator for so long is left for another: it may be cut off alone. */
const VAIN_MS = 2_000
/** Clients that live shorter need no connection in reserve. */
const STANDBY_AFTER_MS = 1_000
const DEAF: ConnectionListener = { message() {}, closed() {}, drained() {} }

export interface LinkListener {
  /** Usable, and logged in if there are credentials. `previous`: the server used before. */
  ready(connection: Connection, previous: Server | null): void
  lost(reason: TrocaError): void
  /** No server will ever serve this client as it is. */
  hopeless(reason: TrocaError): void
  message(message: Message): void
  drained(): void
  coordinator(slot: number): void
  /** Something is unanswered. */
  busy(): boolean
}

export class Link {
  #credentials: Credentials | null = null
  connection: Connection | null = null
  /** Why there is no connection. */
  lastFailure: TrocaError | null = null
  readonly #servers: Server[]
  readonly #options: DialOptions
  readonly #listener: LinkListener
  readonly #deadlines: Deadlines
  #previous: Server | null = null
  #coordinator = 0
  #closed = false
  #moving = false
  #standby: Connection | null = null
  #preparing = false
  #standbyDueAt = 0
  #beatAt = 0
  #askedAt = -Infinity
  /** Since when this replica has known of no coordinator; null: it does. */
  #vainSince: number | null = null

  constructor(
    servers: readonly Server[],
    options: DialOptions,
    deadlines: Deadlines,
    listener: LinkListener,
  ) {
    this.#servers = [...servers]
    this.#options = options
    this.#deadlines = deadlines
    this.#listener = listener
  }

  start(): void {
    void this.#reconnect(0)
  }

  close(reason: string): void {
    this.#closed = true
    const connection = this.connection
    this.connection = null
    connection?.close(reason)
    this.#standby?.close(reason)
    this.#standby = null
  }

  /** Something suggests that this replica cannot serve: looks for the coordinator soon. */
  doubt(): void {
    this.#askedAt = -Infinity
  }

  async #reconnect(attempt: number): Promise<void> {
    if (this.#closed || this.connection) return
    try {
      const connection = await findServer(this.#servers, this.#options)
      await this.#adopt(connection)
      if (!this.connection) void this.#reconnect(0)
    } catch (error) {
      const failure = error as TrocaError
      this.lastFailure = failure
      if (this.#closed) return
      if (!failure.retriable) return this.#listener.hopeless(failure)
      // Whoever could not be used goes to the back.
      this.#servers.push(this.#servers.shift()!)
      const backOffMs = Math.min(BACK_OFF_MIN_MS * 2 ** attempt, BACK_OFF_MAX_MS)
      const waitMs = failure.retryAfterMs ?? backOffMs * (0.5 + Math.random() / 2)
      this.#deadlines.set(waitMs, () => void this.#reconnect(attempt + 1))
    }
  }

  get credentials(): Credentials | null {
    return this.#credentials
  }

  /** Another user: a connection that is logged in for the one before is of no use any more. */
  set credentials(credentials: Credentials | null) {
    if (credentials?.user !== this.#credentials?.user) this.#takeStandby()?.close('another user')
    this.#credentials = credentials
  }

  /** Logs in and makes this the connection. */
  async #adopt(connection: Connection): Promise<void> {
    if (!(await this.#logIn(connection))) return connection.close('not needed any more')
    this.#learn(connection.welcome!.coordinator)
    this.#use(connection)
  }

  /** False: closed meanwhile, or logged in for who is not the user any more. */
  async #logIn(connection: Connection): Promise<boolean> {
    const credentials = this.#credentials
    try {
      if (credentials) await logIn(connection, credentials)
    } catch (error) {
      connection.close('could not log in')
      throw error
    }
    return !this.#closed && credentials?.user === this.#credentials?.user
  }

  /** What was the connection until now is left. */
  #use(connection: Connection): void {
    const old = this.connection
    if (old) old.listener = DEAF
    old?.close('following the coordinator')
    this.connection = connection
    connection.listener = this.#connectionListener
    const previous = this.#previous
    this.#previous = connection.server
    this.lastFailure = null
    this.#vainSince = null
    this.#listener.ready(connection, previous)
    this.#beatAt = performance.now()
    this.#standbyDueAt = this.#beatAt + STANDBY_AFTER_MS
    this.#beat(connection)
    // It may have ended while it was not listened to.
    if (connection.closed) this.#lost(connection.unreachable('closed the connection'), connection)
  }

  readonly #connectionListener: ConnectionListener = {
    message: (message) => this.#listener.message(message),
    drained: () => this.#listener.drained(),
    closed: (reason, connection) => this.#lost(reason, connection),
  }

  #lost(reason: TrocaError, connection: Connection): void {
    if (this.connection !== connection) return
    this.connection = null
    this.lastFailure = reason
    this.#listener.lost(reason)
    const standby = this.#takeStandby()
    if (!standby) return void this.#reconnect(0)
    // What its WELCOME said of the coordinator is old by now.
    this.doubt()
    this.#use(standby)
  }

  #takeStandby(): Connection | null {
    const standby = this.#standby
    this.#standby = null
    return standby?.closed ? null : standby
  }

  /** One heartbeat: signs of life, silence, and whether this is still the right replica. */
  #beat(connection: Connection): void {
    if (this.connection !== connection) return
    const now = performance.now()
    // This process itself was stopped: nobody else can be blamed for the silence.
    const stalled = now - this.#beatAt > SILENCE_MS / 2
    this.#beatAt = now
    const busy = this.#listener.busy()
    const pingMs = busy ? BUSY_PING_MS : connection.welcome!.heartbeat
    if (!stalled && connection.silentMs(now, pingMs) > SILENCE_MS) {
      return connection.destroy(connection.unreachable('fell silent'))
    }
    const home = this.#coordinator === connection.server.slot
    const well = home && this.#vainSince === null
    const seekMs = busy && !home ? SEEK_MS : busy || !well ? CHECK_MS : IDLE_CHECK_MS
    if (now - this.#askedAt > seekMs) this.#seek(connection, now)
    this.#tendStandby(connection, now)
    this.#deadlines.set(BEAT_MS, () => this.#beat(connection))
  }

  #tendStandby(connection: Connection, now: number): void {
    if (!this.credentials || this.#servers.length < 2 || this.#preparing) return
    const standby = this.#standby
    if (standby?.server.slot === connection.server.slot) this.#takeStandby()?.close('not needed')
    else if (standby && !standby.closed) {
      if (standby.silentMs(now, standby.welcome!.heartbeat) <= SILENCE_MS) return
      this.#takeStandby()?.destroy(standby.unreachable('fell silent'))
    } else if (now > this.#standbyDueAt) void this.#prepareStandby(connection)
  }

  async #prepareStandby(connection: Connection): Promise<void> {
    this.#preparing = true
    try {
      const others = this.#servers.filter(({ slot }) => slot !== connection.server.slot)
      const standby = await firstToWelcome(others, this.#options)
      if (await this.#logIn(standby)) this.#standby = standby
      else standby.close('not needed any more')
    } catch {
      // There is a connection; this is tried again later.
    } finally {
      this.#preparing = false
      this.#standbyDueAt = performance.now() + STANDBY_AFTER_MS
    }
  }

  #seek(connection: Connection, now: number): void {
    this.#askedAt = now
    connection.ask(
      (request) => ({ type: 'STATUS', request }),
      (answer) => {
        if (answer?.type !== 'STATUS_IS' || this.connection !== connection) return
        if (answer.coordinator === 0) return this.#inVain(connection, performance.now())
        this.#vainSince = null
        this.#learn(answer.coordinator)
        const there = this.#servers.find((server) => server.slot === answer.coordinator)
        if (there && there.slot !== connection.server.slot) void this.#move(there)
      },
    )
  }

  /** To a replica that has let this client in. If none does, all are cut off: any is as good. */
  #inVain(connection: Connection, now: number): void {
    this.#vainSince ??= now
    if (now - this.#vainSince <= VAIN_MS || this.#servers.length < 2) return
    const standby = this.#takeStandby()
    if (standby) {
      this.doubt()
      return this.#use(standby)
    }
    if (this.credentials) return
    // Not logged in, it has none in reserve.
    this.#servers.push(...this.#servers.splice(this.#servers.indexOf(connection.server), 1))
    connection.destroy(connection.unreachable('knows of no coordinator'))
  }

  async #move(coordinator: Server): Promise<void> {
    if (this.#moving) return
    if (this.#standby?.server.slot === coordinator.slot && !this.#standby.closed) {
      return this.#use(this.#takeStandby()!)
    }
    this.#moving = true
    try {
      const connection = await dial(coordinator, this.#options)
      if (connection.welcome!.coordinator === coordinator.slot) await this.#adopt(connection)
      else connection.close('not the coordinator')
    } catch {
      // The present connection still serves; this is tried again while another is named.
    } finally {
      this.#moving = false
    }
  }

  #learn(coordinator: number): void {
    if (coordinator === 0 || coordinator === this.#coordinator) return
    this.#coordinator = coordinator
    this.#listener.coordinator(coordinator)
  }
}
