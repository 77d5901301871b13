// Keeps one connection to one replica on one lane, and redials when it ends. A link that had lasted
// is redialled at once; after failures the dialler waits, twice as long each time, with jitter.

import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Credentials } from './credentials.js'
import { carriesUri } from './identity.js'
import { hostPort } from '../../protocol/host.js'
import type { Replica } from './identity.js'

export interface Address {
  readonly host: string
  readonly port: number
}

const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 1_000
/** A link that ends sooner than this counts as a failure. */
const LASTED_MS = 1_000
const CONNECT_DEADLINE_MS = 2_000

export interface DiallerOptions {
  readonly target: Replica
  readonly lane: 'main' | 'bulk'
  /** Read at each try, as the replica may have been replaced. */
  readonly address: () => Address
  /** The identity that the replica must have, likewise. */
  readonly uri: () => string
  /** Read at each try, as credentials may be renewed. null: plain TCP. */
  readonly credentials: () => Credentials | null
  readonly connected: (dialler: Dialler, socket: Socket) => void
  /** Called when the reason for having no link changes, not at each try. */
  readonly failed: (dialler: Dialler) => void
}

export class Dialler {
  readonly target: Replica
  readonly lane: 'main' | 'bulk'
  readonly #options: DiallerOptions
  #failures = 0
  #upSince: number | null = null
  #timer: NodeJS.Timeout | null = null
  #connecting: Socket | null = null
  #stopped = false
  /** Reason for having no link, for the debug port; empty while the link is up. */
  lastError = 'not tried yet'
  /** Tries that led to no link, since the start. */
  failed = 0

  constructor(options: DiallerOptions) {
    this.target = options.target
    this.lane = options.lane
    this.#options = options
  }

  get address(): string {
    const { host, port } = this.#options.address()
    return hostPort(host, port)
  }

  dial(): void {
    if (this.#stopped) return
    const socket = this.#open(() => {
      clearTimeout(deadline)
      socket.off('error', failed)
      socket.off('close', closed)
      this.#connecting = null
      this.#options.connected(this, socket)
    })
    // An AggregateError, of several addresses tried, has a code and an empty message.
    const failed = (error: NodeJS.ErrnoException) => this.#failed(error.message || `${error.code}`)
    const closed = () => {
      clearTimeout(deadline)
      this.#connecting = null
      this.#redial()
    }
    const late = () => socket.destroy(new Error(`no connection within ${CONNECT_DEADLINE_MS} ms`))
    const deadline = setTimeout(late, CONNECT_DEADLINE_MS)
    this.#connecting = socket
    socket.on('error', failed)
    socket.on('close', closed)
  }

  /** The handshake is done. */
  up(): void {
    this.#upSince = performance.now()
    this.lastError = ''
  }

  /** The link is gone, or never came up. */
  down(reason: string): void {
    if (this.#upSince === null) this.#failed(reason)
    this.lastError = reason
    const lasted = this.#upSince !== null && performance.now() - this.#upSince >= LASTED_MS
    this.#upSince = null
    if (lasted) this.#failures = 0
    this.#redial()
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#connecting?.destroy()
  }

  #failed(reason: string): void {
    if (!this.#stopped) this.failed++
    if (reason === this.lastError || this.#stopped) return
    this.lastError = reason
    this.#options.failed(this)
  }

  #redial(): void {
    if (this.#stopped) return
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1))
    const waitMs = this.#failures === 0 ? 0 : longest * (0.5 + Math.random() / 2)
    this.#failures++
    this.#timer = setTimeout(() => this.dial(), waitMs)
  }

  #open(ready: () => void): Socket {
    const { host, port } = this.#options.address()
    const credentials = this.#options.credentials()
    if (!credentials) return connectTcp({ host, port }, ready)
    const { ca, certificate, key } = credentials
    const uri = this.#options.uri()
    const options = { host, port, ca, cert: certificate, key, minVersion: 'TLSv1.3' as const }
    // A replica's identity is the URI in its certificate; host names are not checked.
    const checkServerIdentity = (_host: string, given: { subjectaltname?: string | undefined }) =>
      carriesUri(given.subjectaltname, uri)
        ? undefined
        : new Error(`the certificate at ${hostPort(host, port)} is not that of ${uri}`)
    return connectTls({ ...options, checkServerIdentity }, ready)
  }
}
