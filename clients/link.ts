// A connection to a processing replica: socket, HELLO and WELCOME, requests and their answers.
// All messages of one turn of the event loop leave in one write.

import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type PeerCertificate } from 'node:tls'
import { WIRE_VERSION } from '../protocol/schema/shared.js'
import type { Message, The } from '../protocol/messages/catalogue.js'
import { FrameDecoder, encodeFrame } from '../protocol/wire/frame.js'
import { clientError, fromRefusal, type TrocaError } from './errors.js'
import type { Authority, Server } from './options.js'

/** Longest frame from a server before its WELCOME. */
const HANDSHAKE_FRAME_BYTES = 4 * 1024
/** Longest frame after WELCOME. A page of messages is longer than any request (`maxFrame`). */
const SERVER_FRAME_BYTES = 1024 * 1024
const BOOT = randomBytes(8).toString('hex')

export interface DialOptions {
  readonly ca: Authority | undefined
  readonly clusterId: string
  readonly tls: boolean
  /** The client's time-out: how long a distant server may take to welcome it. */
  readonly patienceMs: number
}

export interface LinkListener {
  /** A message that answers no `ask`. */
  message(message: Message, connection: Link): void
  /** The connection has ended. Called once, and nothing is called after it. */
  closed(reason: TrocaError, connection: Link): void
  /** `writable` is true again. */
  drained(connection: Link): void
}

/** The message with a request's id; null: the connection ended first. */
export type Answer = Message | null

/** A replica's certificate names cluster, tier and slot in a URI; host names are not compared. */
function checkReplica(clusterId: string, certificate: PeerCertificate): Error | undefined {
  const names = (certificate.subjectaltname ?? '').split(', ')
  const ofCluster = clusterId === '' ? 'URI:troca://' : `URI:troca://${clusterId}/`
  const isReplica = (name: string): boolean =>
    name.startsWith(ofCluster) && /\/processing\/\d+(\/\d+)?$/.test(name)
  if (names.some(isReplica)) return undefined
  return Object.assign(new Error('the certificate is not that of a processing replica'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
}

function caOf(ca: Authority): string | Buffer {
  if (typeof ca !== 'function') return ca
  try {
    return ca()
  } catch (error) {
    const text = `the certificate of the CA cannot be read: ${(error as Error).message}`
    throw clientError('BROKEN_PEER', text, true, error)
  }
}

function openSocket(server: Server, options: DialOptions): Socket {
  const { host, port } = server
  if (!options.tls) return connectTcp({ host, port, noDelay: true })
  return connectTls({
    host,
    port,
    ...(options.ca === undefined ? {} : { ca: caOf(options.ca) }),
    minVersion: 'TLSv1.3',
    checkServerIdentity: (_host, certificate) => checkReplica(options.clusterId, certificate),
  }).setNoDelay(true)
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'broke the connection',
  EPIPE: 'broke the connection',
  ETIMEDOUT: 'did not answer',
  EHOSTUNREACH: 'cannot be reached',
  ENOTFOUND: 'has an unknown host name',
}

export class Link {
  readonly server: Server
  welcome: The<'WELCOME'> | null = null
  /** The log-in of this connection, by the reconnector; null: there was none. */
  session: The<'SESSION'> | null = null
  listener: LinkListener
  closed = false
  /** From HELLO to WELCOME: a round trip, and what the server took for it. */
  roundTripMs = 0
  /** From the first packet to WELCOME: three round trips with TLS. */
  dialMs = 0
  readonly #dialledAt = performance.now()
  #helloAt = this.#dialledAt
  /** When the last bytes arrived, monotonic ms. */
  #heardAt = performance.now()
  /** When PING was sent, monotonic ms; null: no PING is unanswered. */
  #pingedAt: number | null = null
  readonly #socket: Socket
  readonly #decoder = new FrameDecoder(HANDSHAKE_FRAME_BYTES)
  readonly #asked = new Map<number, (answer: Answer) => void>()
  #nextRequest = 1
  #frames: Buffer[] = []
  #flushing: NodeJS.Immediate | null = null
  /** The ERROR by which the server says why it closes the connection. */
  #closingError: TrocaError | null = null

  constructor(server: Server, options: DialOptions, listener: LinkListener) {
    this.server = server
    this.listener = listener
    const socket = openSocket(server, options)
    this.#socket = socket
    socket.on(options.tls ? 'secureConnect' : 'connect', () => this.#hello(options.clusterId))
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('drain', () => this.listener.drained(this))
    socket.on('error', (error) => this.#failed(error))
    socket.on('close', () => this.destroy(this.unreachable('closed the connection')))
  }

  get name(): string {
    return `p${this.server.slot}`
  }

  /** False while the socket's buffer is full. */
  get writable(): boolean {
    return !this.closed && !this.#socket.writableNeedDrain
  }

  nextRequest(): number {
    return this.#nextRequest++
  }

  send(message: Message): void {
    if (this.closed) return
    this.#frames.push(encodeFrame(message))
    this.#flushing ??= setImmediate(this.#flush)
  }

  /** Calls `answered` for each PROGRESS and for the answer that follows. */
  ask(build: (request: number) => Message, answered: (answer: Answer) => void): void {
    const request = this.nextRequest()
    this.#asked.set(request, answered)
    this.send(build(request))
  }

  /** Sends PING after `pingMs` of silence. Gives for how long a PING is unanswered; 0: none is. */
  silentMs(now: number, pingMs: number): number {
    if (this.#pingedAt !== null) return now - this.#pingedAt
    if (now - this.#heardAt < pingMs) return 0
    this.#pingedAt = now
    this.send({ type: 'PING', nonce: 0 })
    return 0
  }

  /** Sends GOODBYE and closes. */
  close(reason: string): void {
    if (this.closed) return
    if (this.welcome) this.send({ type: 'GOODBYE', reason })
    this.#flush()
    // The socket closes when the peer closes; unref() lets the process exit without that.
    this.#socket.end()
    this.#socket.unref()
    this.#end(clientError('CLOSED', reason, false))
  }

  /** Closes at once, without GOODBYE. */
  destroy(reason: TrocaError): void {
    if (this.closed) return
    this.#socket.destroy()
    this.#end(this.#closingError ?? reason)
  }

  unreachable(what: string, cause?: unknown): TrocaError {
    return clientError('UNREACHABLE', `${this.name} ${what}`, false, cause)
  }

  #hello(clusterId: string): void {
    this.#helloAt = performance.now()
    this.send({
      type: 'HELLO',
      minVersion: WIRE_VERSION,
      maxVersion: WIRE_VERSION,
      clusterId,
      historyId: '',
      role: 'client',
      slot: 0,
      boot: BOOT,
      lane: 'main',
    })
  }

  readonly #flush = (): void => {
    if (this.#flushing) clearImmediate(this.#flushing)
    this.#flushing = null
    const frames = this.#frames
    if (frames.length === 0 || this.#socket.destroyed) return
    this.#frames = []
    this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
  }

  #received(chunk: Buffer): void {
    if (this.closed) return
    this.#heardAt = performance.now()
    this.#pingedAt = null
    let messages: Message[]
    try {
      messages = this.#decoder.push(chunk)
    } catch (error) {
      const text = `${this.name} does not speak the protocol: ${(error as Error).message}`
      return this.destroy(clientError('BROKEN_PEER', text, false, error))
    }
    for (const message of messages) {
      if (this.closed) return
      this.#take(message)
    }
  }

  #take(message: Message): void {
    if (message.type === 'PING') return this.send({ type: 'PONG', nonce: message.nonce })
    if (message.type === 'PONG') return
    if (message.type === 'WELCOME') {
      this.welcome = message
      const now = performance.now()
      this.roundTripMs = now - this.#helloAt
      this.dialMs = now - this.#dialledAt
      this.#decoder.setLimit(SERVER_FRAME_BYTES)
    }
    if (message.type === 'ERROR' && message.request === 0) {
      this.#closingError = fromRefusal(message)
      return
    }
    const request = 'request' in message && message.request !== null ? message.request : 0
    const answered = this.#asked.get(request)
    if (!answered) this.listener.message(message, this)
    else {
      if (message.type !== 'PROGRESS') this.#asked.delete(request)
      answered(message)
    }
    if (message.type === 'GOODBYE') this.destroy(this.unreachable(`left: ${message.reason}`))
  }

  #failed(error: NodeJS.ErrnoException): void {
    const code = error.code ?? ''
    if (/CERT|TLS|SSL|SIGN/.test(code)) {
      const text = `${this.name} could not be trusted: ${error.message}`
      return this.destroy(clientError('BROKEN_PEER', text, false, error))
    }
    this.destroy(this.unreachable(REASONS[code] ?? error.message, error))
  }

  #end(reason: TrocaError): void {
    this.closed = true
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    for (const answered of asked) answered(null)
    this.listener.closed(reason, this)
  }
}
