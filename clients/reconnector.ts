// Keeps one usable connection: finds a server, logs in, notices silence, follows the coordinator,
// and retries with back-off until the client closes. When the client moves to another replica, the
// new connection is ready before the old one closes. A standby connection to another replica is
// logged in already, so that a failover needs no handshake and no scrypt.

import type { Message } from '../protocol/messages/catalogue.js'
import type { Link, LinkListener, DialOptions } from './link.js'
import type { Deadlines } from './deadlines.js'
import { asFarAs, dial, findServer, firstToWelcome, logIn } from './dial.js'
import type { Credentials } from './dial.js'
import type { TrocaError } from './errors.js'
import type { Server } from './options.js'

const BACK_OFF_MIN_MS = 20
const BACK_OFF_MAX_MS = 500
/** After refusals that only people can mend, such as a certificate that has expired. */
const BACK_OFF_REFUSED_MS = 5_000
const BEAT_MS = 200
/**
 * PING after this silence while a request is unanswered; otherwise after the server's heartbeat.
 */
const BUSY_PING_MS = 300
/** A connection that stays silent for this long after a PING, and two round trips, is dead. */
const SILENCE_MS = 1_000
/** STATUS is asked this often while requests are unanswered and this replica is not coordinator. */
const SEEK_MS = 200
/**
 * STATUS is asked this often while requests are unanswered at the coordinator, or by an idle client
 * elsewhere.
 */
const CHECK_MS = 2_000
/** STATUS is asked this often while no request is unanswered and this replica is coordinator. */
const IDLE_CHECK_MS = 5_000
/** A replica that knows no coordinator for this long may be cut off: the client leaves it. */
const NO_COORDINATOR_MS = 2_000
/** The standby connection is made only after this, because a short-lived client needs none. */
const STANDBY_AFTER_MS = 1_000
const DEAF: LinkListener = { message() {}, closed() {}, drained() {} }

const silenceMs = ({ roundTripMs }: Link): number => SILENCE_MS + 2 * roundTripMs

export interface ReconnectorListener {
  /**
   * This connection is usable, and logged in if there are credentials. `previous`: server before.
   */
  ready(connection: Link, previous: Server | null): void
  lost(reason: TrocaError): void
  /** Every server refuses this client for good, for example because of its password. */
  hopeless(reason: TrocaError): void
  /** A client that was connected cannot connect, for another reason than before, and tries on. */
  retrying(reason: TrocaError): void
  message(message: Message): void
  drained(): void
  coordinator(slot: number): void
  /** True while a request is unanswered. */
  busy(): boolean
}

export class Reconnector {
  #credentials: Credentials | null = null
  connection: Link | null = null
  /** The reason why the last attempt to connect failed, or the last connection ended. */
  lastFailure: TrocaError | null = null
  readonly #servers: Server[]
  readonly #options: DialOptions
  readonly #listener: ReconnectorListener
  readonly #deadlines: Deadlines
  #previous: Server | null = null
  /** The reason that `retrying` has told last. */
  #told = ''
  #coordinator = 0
  #closed = false
  #moving = false
  #standby: Link | null = null
  #preparing = false
  #standbyDueAt = 0
  #beatAt = 0
  #askedAt = -Infinity
  /** Since when the connected replica knows no coordinator, monotonic ms; null: it knows one. */
  #noCoordinatorSince: number | null = null

  constructor(
    servers: readonly Server[],
    options: DialOptions,
    deadlines: Deadlines,
    listener: ReconnectorListener,
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

  /** This replica may be unable to serve: the next beat asks for the coordinator. */
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
      if (this.#isFinal(failure)) return this.#listener.hopeless(failure)
      this.#retrying(failure)
      // The next attempt begins with another server.
      this.#servers.push(this.#servers.shift()!)
      const longestMs = failure.retriable ? BACK_OFF_MAX_MS : BACK_OFF_REFUSED_MS
      const backOffMs = Math.min(BACK_OFF_MIN_MS * 2 ** attempt, longestMs)
      const waitMs = failure.retryAfterMs ?? backOffMs * (0.5 + Math.random() / 2)
      this.#deadlines.set(waitMs, () => void this.#reconnect(attempt + 1))
    }
  }

  /**
   * A client that was connected before gives up only where its account is refused: certificates, clocks,
   * versions and clusters are mended by others.
   */
  #isFinal({ name, retriable }: TrocaError): boolean {
    return !retriable && (this.#previous === null || name === 'BAD_CREDENTIALS')
  }

  #retrying(failure: TrocaError): void {
    if (this.#previous === null || failure.message === this.#told) return
    this.#told = failure.message
    this.#listener.retrying(failure)
  }

  get credentials(): Credentials | null {
    return this.#credentials
  }

  /** A change of user closes the standby, which is logged in as the user before. */
  set credentials(credentials: Credentials | null) {
    if (credentials?.user !== this.#credentials?.user) this.#takeStandby()?.close('another user')
    this.#credentials = credentials
  }

  /** Logs in and makes this the connection. */
  async #adopt(connection: Link): Promise<void> {
    if (!(await this.#logIn(connection))) return connection.close('not needed any more')
    this.#learn(connection.welcome!.coordinator)
    this.#use(connection)
  }

  /** False: the link was closed meanwhile, or the user has changed. */
  async #logIn(connection: Link): Promise<boolean> {
    const credentials = this.#credentials
    try {
      if (credentials) await logIn(connection, credentials)
    } catch (error) {
      connection.close('could not log in')
      throw error
    }
    return !this.#closed && credentials?.user === this.#credentials?.user
  }

  /** Closes the present connection and uses this one. */
  #use(connection: Link): void {
    const old = this.connection
    if (old) old.listener = DEAF
    old?.close('following the coordinator')
    this.connection = connection
    connection.listener = this.#connectionListener
    const previous = this.#previous
    this.#previous = connection.server
    this.lastFailure = null
    this.#told = ''
    this.#noCoordinatorSince = null
    this.#listener.ready(connection, previous)
    this.#beatAt = performance.now()
    this.#standbyDueAt = this.#beatAt + STANDBY_AFTER_MS
    this.#beat(connection)
    // The connection may have ended before its listener was set.
    if (connection.closed) this.#lost(connection.unreachable('closed the connection'), connection)
  }

  readonly #connectionListener: LinkListener = {
    message: (message) => this.#listener.message(message),
    drained: () => this.#listener.drained(),
    closed: (reason, connection) => this.#lost(reason, connection),
  }

  #lost(reason: TrocaError, connection: Link): void {
    if (this.connection !== connection) return
    this.connection = null
    this.lastFailure = reason
    this.#listener.lost(reason)
    const standby = this.#takeStandby()
    if (!standby) return void this.#reconnect(0)
    // The coordinator in the standby's WELCOME may be out of date.
    this.doubt()
    this.#use(standby)
  }

  #takeStandby(): Link | null {
    const standby = this.#standby
    this.#standby = null
    return standby?.closed ? null : standby
  }

  /** Runs every BEAT_MS: detects silence, looks for the coordinator, tends the standby. */
  #beat(connection: Link): void {
    if (this.connection !== connection) return
    const now = performance.now()
    // This process itself was stopped, so the silence says nothing about the server.
    const stalled = now - this.#beatAt > SILENCE_MS / 2
    this.#beatAt = now
    const busy = this.#listener.busy()
    const pingMs = busy ? BUSY_PING_MS : connection.welcome!.heartbeat
    if (!stalled && connection.silentMs(now, pingMs) > silenceMs(connection)) {
      return connection.destroy(connection.unreachable('fell silent'))
    }
    const atCoordinator = this.#coordinator === connection.server.slot
    const settled = atCoordinator && this.#noCoordinatorSince === null
    const seekMs = busy && !atCoordinator ? SEEK_MS : busy || !settled ? CHECK_MS : IDLE_CHECK_MS
    if (now - this.#askedAt > seekMs) this.#seek(connection, now)
    this.#tendStandby(connection, now)
    this.#deadlines.set(BEAT_MS, () => this.#beat(connection))
  }

  #tendStandby(connection: Link, now: number): void {
    if (!this.credentials || this.#servers.length < 2 || this.#preparing) return
    const standby = this.#standby
    if (standby?.server.slot === connection.server.slot) this.#takeStandby()?.close('not needed')
    else if (standby && !standby.closed) {
      if (standby.silentMs(now, standby.welcome!.heartbeat) <= silenceMs(standby)) return
      this.#takeStandby()?.destroy(standby.unreachable('fell silent'))
    } else if (now > this.#standbyDueAt) void this.#prepareStandby(connection)
  }

  async #prepareStandby(connection: Link): Promise<void> {
    this.#preparing = true
    try {
      const others = this.#servers.filter(({ slot }) => slot !== connection.server.slot)
      const standby = await firstToWelcome(others, this.#options)
      if (await this.#logIn(standby)) this.#standby = standby
      else standby.close('not needed any more')
    } catch {
      // The present connection serves; a later beat tries again.
    } finally {
      this.#preparing = false
      this.#standbyDueAt = performance.now() + STANDBY_AFTER_MS
    }
  }

  #seek(connection: Link, now: number): void {
    this.#askedAt = now
    connection.ask(
      (request) => ({ type: 'STATUS', request }),
      (answer) => {
        if (answer?.type !== 'STATUS_IS' || this.connection !== connection) return
        if (answer.coordinator === 0) return this.#withoutCoordinator(connection, performance.now())
        this.#noCoordinatorSince = null
        this.#learn(answer.coordinator)
        const there = this.#servers.find((server) => server.slot === answer.coordinator)
        if (there && there.slot !== connection.server.slot) void this.#move(there)
      },
    )
  }

  /** Moves to the standby, if the connected replica has known no coordinator for too long. */
  #withoutCoordinator(connection: Link, now: number): void {
    this.#noCoordinatorSince ??= now
    if (now - this.#noCoordinatorSince <= NO_COORDINATOR_MS || this.#servers.length < 2) return
    const standby = this.#takeStandby()
    if (standby) {
      this.doubt()
      return this.#use(standby)
    }
    if (this.credentials) return
    // A client that is not logged in has no standby: it reconnects, and tries this server last.
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
      const connection = await dial(coordinator, this.#options, asFarAs(this.connection!))
      if (connection.welcome!.coordinator === coordinator.slot) await this.#adopt(connection)
      else connection.close('not the coordinator')
    } catch {
      // The present connection serves; the next STATUS that names another coordinator tries again.
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
