// A socket as a link: bytes to messages and back, with bounds on both. Frames sent in one turn of
// the event loop leave in one write. Invariant: no message is reported after the link is closed.

import type { Socket } from 'node:net'
import type { LinkId, Peer } from '../../protocol/machine/machine.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { nameOf } from './identity.js'
import type { Tally } from './traffic.js'
import { originOf } from '../../protocol/sessions/address.js'
import { FrameDecoder } from '../../protocol/wire/frame.js'
import { WireError } from '../../protocol/schema/schema.js'

export interface LinkEvents {
  message(link: Link, message: Message): void
  /** Invalid frame or message; the link is still open, so that an ERROR can be sent. */
  malformed(link: Link, error: WireError): void
  /** More bytes wait to be sent than the link may queue. */
  overflow(link: Link): void
  /** Called once, when the socket has closed. */
  closed(link: Link, reason: string): void
}

/** Time for a peer to read the last bytes, before the socket is destroyed. */
const LINGER_MS = 1_000
/** Messages taken from one client before other links get their turn. */
const MESSAGES_A_TURN = 32

export class Link {
  readonly id: LinkId
  readonly socket: Socket
  readonly origin: string
  /** null until the handshake is done. */
  peer: Peer | null = null
  /** Counters that this link's bytes are added to. */
  tally: Tally
  /** Monotonic ms of the last bytes received. */
  heard: number
  /** Monotonic ms of the last message, either way, that was more than a sign of life. */
  spoke: number
  /** Monotonic ms when the incomplete frame began; null: no frame is incomplete. */
  partialSince: number | null = null
  /** Messages received and not yet handed on. While there are any, the socket is not read. */
  readonly #waiting: Message[] = []
  #handingOn = false
  /** The socket is not read, as the machine has too many of this client's requests unanswered. */
  #held = false
  readonly #events: LinkEvents
  readonly #decoder: FrameDecoder
  #maxQueuedBytes: number
  #pausesReading = false
  /** Frames of this turn of the event loop. One write sends all, which over TLS saves records. */
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #over = false
  #reason = ''

  constructor(
    id: LinkId,
    socket: Socket,
    tally: Tally,
    bounds: { maxFrame: number; maxQueued: number },
    events: LinkEvents,
  ) {
    this.id = id
    this.socket = socket
    this.origin = originOf(socket.remoteAddress ?? '')
    this.tally = tally
    this.heard = performance.now()
    this.spoke = this.heard
    this.#events = events
    this.#decoder = new FrameDecoder(bounds.maxFrame)
    this.#maxQueuedBytes = bounds.maxQueued
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => this.#handOn())
    socket.on('error', (error) => (this.#reason ||= error.message))
    socket.on('close', () => this.#closed())
  }

  get open(): boolean {
    return !this.#over
  }

  /** Proven peer and address, for the log. */
  get otherEnd(): { readonly peer: string; readonly address: string } {
    const { peer, socket } = this
    const address = `${socket.remoteAddress ?? 'gone'}:${socket.remotePort ?? 0}`
    if (!peer) return { peer: 'unknown', address }
    return { peer: peer.role === 'client' ? 'client' : `${nameOf(peer)} ${peer.lane}`, address }
  }

  get queuedBytes(): number {
    return this.#gatheredBytes + this.socket.writableLength
  }

  /** Sets the bounds for this kind of peer, once the handshake or the log-in has told it. */
  allow(maxFrameBytes: number, maxQueuedBytes: number, pausesReading: boolean): void {
    this.#decoder.setLimit(maxFrameBytes)
    this.#maxQueuedBytes = maxQueuedBytes
    this.#pausesReading = pausesReading
  }

  get held(): boolean {
    return this.#held
  }

  hold(held: boolean): void {
    if (this.#over) return
    this.#held = held
    if (!held) this.heard = performance.now()
    this.#handOn()
  }

  send(frame: Buffer): void {
    if (this.#over || this.socket.destroyed) return
    if (this.#gathered.length === 0) setImmediate(() => this.#flush())
    this.#gathered.push(frame)
    this.#gatheredBytes += frame.length
    if (this.queuedBytes > this.#maxQueuedBytes) {
      this.#events.overflow(this)
    }
  }

  /** Closes after the frames sent before. Messages that still arrive are dropped. */
  end(reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#reason ||= reason
    this.#flush()
    this.socket.end()
    // Closing with unread bytes would reset the connection and lose our last frames.
    this.socket.resume()
    setTimeout(() => this.socket.destroy(), LINGER_MS).unref()
  }

  /** Closes at once; unsent frames are lost. */
  destroy(reason: string): void {
    this.#over = true
    this.#reason ||= reason
    this.socket.destroy()
  }

  #flush(): void {
    const frames = this.#gathered
    if (frames.length === 0) return
    const bytes = this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    if (this.socket.destroyed) return
    this.tally.sentFrames += frames.length
    this.tally.sentBytes += bytes
    this.tally.writes++
    this.socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
    this.#readOn()
  }

  #receive(chunk: Buffer): void {
    if (this.#over) return
    this.heard = performance.now()
    this.tally.receivedBytes += chunk.length
    const began = this.#decoder.partial
    let messages: Message[]
    try {
      messages = this.#decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#events.malformed(this, error)
      return
    }
    this.tally.receivedFrames += messages.length
    if (!this.#decoder.partial) this.partialSince = null
    else if (!began || messages.length > 0) this.partialSince = this.heard
    this.#waiting.push(...messages)
    this.#handOn()
  }

  /** A client's requests wait while its answers pile up or the machine holds the link. */
  get #isFull(): boolean {
    return this.#pausesReading && (this.#held || this.socket.writableNeedDrain)
  }

  #handOn(): void {
    // Handing a message on may call `hold`, which calls this method again.
    if (this.#handingOn) return
    this.#handingOn = true
    for (let n = 0; this.#waiting.length > 0 && !this.#over && !this.#isFull; n++) {
      if (n === MESSAGES_A_TURN && this.#pausesReading) {
        setImmediate(() => this.#handOn())
        break
      }
      this.#events.message(this, this.#waiting.shift()!)
    }
    this.#handingOn = false
    this.#readOn()
  }

  #readOn(): void {
    if (this.#over) return
    if (this.#waiting.length > 0 || this.#isFull) this.socket.pause()
    else if (this.socket.isPaused()) this.socket.resume()
  }

  #closed(): void {
    this.#over = true
    this.#events.closed(this, this.#reason || 'closed by the other side')
  }
}
