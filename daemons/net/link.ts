// One socket as a link: bytes to messages and back, with bounds on both. Frames written in one turn
// of the event loop leave in one write. What arrives after the link is closed is never seen.

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
  /** What came is no frame or no message; the link is still open, to say so. */
  malformed(link: Link, error: WireError): void
  /** More waits to be sent than the link may hold. */
  overflow(link: Link): void
  /** Once, when the socket has ended, for whatever reason. */
  closed(link: Link, reason: string): void
}

/** After the last bytes were handed over, a peer that does not read gets this long. */
const LINGER_MS = 1_000
/** Of one client, until others have had their turn. */
const MESSAGES_A_TURN = 32

export class Link {
  readonly id: LinkId
  readonly socket: Socket
  readonly origin: string
  /** null until the handshake has told. */
  peer: Peer | null = null
  /** Where its bytes are counted. */
  tally: Tally
  /** Monotonic ms of the last bytes received. */
  heard: number
  /** Monotonic ms of the last word, either way, that was more than a sign of life. */
  spoke: number
  /** Monotonic ms since when a frame has come in part; null: none has. */
  partialSince: number | null = null
  /** Received and not yet handed on: while there are any, nothing more is read. */
  readonly #waiting: Message[] = []
  #handingOn = false
  /** Not read, as too much that it asked for is not answered. */
  #held = false
  readonly #events: LinkEvents
  readonly #decoder: FrameDecoder
  #maxQueuedBytes: number
  #pausesReading = false
  /** Frames of this turn of the event loop: one write, and over TLS one record for many. */
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

  /** For the log: who is there, as it was proved, and where that is. */
  get otherEnd(): { readonly peer: string; readonly address: string } {
    const { peer, socket } = this
    const address = `${socket.remoteAddress ?? 'gone'}:${socket.remotePort ?? 0}`
    if (!peer) return { peer: 'unknown', address }
    return { peer: peer.role === 'client' ? 'client' : `${nameOf(peer)} ${peer.lane}`, address }
  }

  get queuedBytes(): number {
    return this.#gatheredBytes + this.socket.writableLength
  }

  /** After the handshake: the bounds for this kind of peer. */
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

  /** After what was sent before; nothing that still arrives is seen. */
  end(reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#reason ||= reason
    this.#flush()
    this.socket.end()
    // What still arrives is read and thrown away, or the peer's last writes would reset our end.
    this.socket.resume()
    setTimeout(() => this.socket.destroy(), LINGER_MS).unref()
  }

  /** At once; what was not sent yet is lost. */
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
    this.tally.sentBytes += bytes
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
    if (!this.#decoder.partial) this.partialSince = null
    else if (!began || messages.length > 0) this.partialSince = this.heard
    this.#waiting.push(...messages)
    this.#handOn()
  }

  /** A client whose answers pile up is not asked for more work. */
  get #isFull(): boolean {
    return this.#pausesReading && (this.#held || this.socket.writableNeedDrain)
  }

  #handOn(): void {
    // What is handed on may hold this link, or let it go.
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
