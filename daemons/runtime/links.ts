// All connections of one replica. It opens and answers handshakes, keeps one current link for each
// (peer, lane), answers PING, and hands everything else on. A link is reported up once, then its
// messages in order, then down once; nothing of a replaced link is reported after its successor.

import type { Socket } from 'node:net'
import { Dialler } from './dialler.js'
import type { Address, Credentials } from './dialler.js'
import { Refusal, VERSION, dials, errorMessage, judgeHello, judgeWelcome } from './handshake.js'
import type { Self } from './handshake.js'
import { nameOf } from './identity.js'
import type { Replica } from './identity.js'
import { Link } from './link.js'
import type { LinkEvents } from './link.js'
import { Listener } from './listener.js'
import { belongs } from './conversations.js'
import type { ErrorName } from '../../protocol/errors.js'
import type { LinkId, LogLevel, Peer } from '../../protocol/machine.js'
import type { Message, The } from '../../protocol/messages/catalogue.js'
import { MAX_PEER_FRAME } from '../../protocol/messages/common.js'
import { encodeFrame } from '../../protocol/wire/frame.js'
import type { WireError } from '../../protocol/wire/schema.js'

export interface LinkBounds {
  /** Longest frame of who has not proved who it is, of a replica, of a client logged in. */
  readonly helloFrame: number
  readonly peerFrame: number
  readonly clientFrame: number
  /** Bytes that wait to be sent, to a replica and to a client. */
  readonly peerQueue: number
  readonly clientQueue: number
  /** Below what the port takes in all: there is always room for replicas. */
  readonly maxClients: number
  readonly handshakeMs: number
  /** Silence of a replica beyond this ends its link; it is asked for a sign of life before. */
  readonly peerSilenceMs: number
  readonly clientSilenceMs: number
  /** Told to clients: how often to give a sign of life. */
  readonly clientHeartbeatMs: number
  /** Told to clients: requests unanswered at a time. */
  readonly credit: number
}

export const BOUNDS: LinkBounds = {
  helloFrame: 4 * 1024,
  // Headers and lengths come on top of what a group may weigh.
  peerFrame: 4 * MAX_PEER_FRAME,
  clientFrame: 128 * 1024,
  peerQueue: 32 * 1024 * 1024,
  clientQueue: 8 * 1024 * 1024,
  maxClients: 3_500,
  handshakeMs: 5_000,
  peerSilenceMs: 4_000,
  clientSilenceMs: 60_000,
  clientHeartbeatMs: 5_000,
  credit: 256,
}

export interface LinksEvents {
  up(link: LinkId, peer: Peer): void
  message(link: LinkId, message: Message): void
  down(link: LinkId, reason: string): void
  log(level: LogLevel, event: string, fields: Record<string, string | number | boolean>): void
}

export interface LinksOptions {
  readonly self: Self
  readonly address: Address
  /** Addresses of all replicas of the cluster; those to dial are taken from here. */
  readonly replicas: readonly (Replica & Address)[]
  /** null: plain TCP. */
  readonly credentials: Credentials | null
  readonly bounds: LinkBounds
  /** Slot of the coordinator for WELCOME; 0: none known. */
  readonly coordinator: () => number
}

const SWEEP_MS = 500

/** Key of the one current link; clients have none. */
function placeOf(peer: Peer): string | null {
  return peer.role === 'client' ? null : `${nameOf(peer)} ${peer.lane}`
}

export class Links {
  readonly #options: LinksOptions
  readonly #events: LinksEvents
  readonly #links = new Map<LinkId, Link>()
  readonly #current = new Map<string, Link>()
  readonly #diallers: Dialler[] = []
  readonly #dialled = new Map<Link, Dialler>()
  #listener: Listener | null = null
  #sweep: NodeJS.Timeout | null = null
  #swept = 0
  #nextId = 1

  constructor(options: LinksOptions, events: LinksEvents) {
    this.#options = options
    this.#events = events
  }

  /** Resolves when listening; rejects with one clear sentence where that cannot be. */
  async start(): Promise<void> {
    const { address, credentials } = this.#options
    const failed = (reason: string) => this.#events.log('info', 'tls-failed', { reason })
    const accept = (socket: Socket) => this.#accept(socket)
    this.#listener = await Listener.open(address, credentials, accept, failed)
    this.#swept = performance.now()
    // After the poll phase: what has arrived meanwhile counts as heard.
    this.#sweep = setInterval(() => setImmediate(() => this.#sweepSilent()), SWEEP_MS)
  }

  /** Dials the replicas that are this one's to dial. */
  dial(): void {
    const { self, replicas, credentials } = this.#options
    for (const { host, port, ...target } of replicas) {
      if (!dials(self, target)) continue
      const lanes = target.role === self.role ? (['main'] as const) : (['main', 'bulk'] as const)
      for (const lane of lanes) {
        const greet = (dialler: Dialler, socket: Socket) => this.#greet(dialler, socket)
        const at = { host, port }
        const dialler = new Dialler(target, lane, at, self.clusterId, credentials, greet)
        this.#diallers.push(dialler)
        dialler.dial()
      }
    }
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }

  get clients(): number {
    let n = 0
    for (const { peer } of this.#links.values()) if (peer?.role === 'client') n++
    return n
  }

  /** Replicas to dial that have no link, with the reason. */
  unreached(): string[] {
    return this.#diallers
      .filter(({ lastError }) => lastError !== '')
      .map(({ target, lane, lastError }) => `${nameOf(target)} ${lane}: ${lastError}`)
  }

  send(id: LinkId, frame: Buffer): void {
    this.#links.get(id)?.send(frame)
  }

  /** A client has logged in. */
  admit(id: LinkId): void {
    const { clientFrame, clientQueue } = this.#options.bounds
    this.#links.get(id)?.allow(clientFrame, clientQueue, true)
  }

  close(id: LinkId, reason: string): void {
    this.#links.get(id)?.end(reason)
  }

  /** Says GOODBYE on every link, and takes and makes no more. */
  stop(reason: string): void {
    if (this.#sweep) clearInterval(this.#sweep)
    this.#listener?.close()
    for (const dialler of this.#diallers) dialler.stop()
    const goodbye = encodeFrame({ type: 'GOODBYE', reason })
    for (const link of this.#links.values()) {
      link.send(goodbye)
      link.end(reason)
    }
  }

  #open(socket: Socket, maxFrame: number, greeting: (link: Link, message: Message) => void): Link {
    const { helloFrame, peerQueue, handshakeMs } = this.#options.bounds
    const id = this.#nextId++ as LinkId
    const events: LinkEvents = {
      message: (link, message) =>
        link.peer ? this.#message(link, link.peer, message) : greeting(link, message),
      malformed: (link, error) => this.#malformed(link, error),
      overflow: (link) => this.#overflow(link),
      closed: (link, reason) => {
        clearTimeout(deadline)
        this.#closed(link, reason)
      },
    }
    const link = new Link(id, socket, Math.max(maxFrame, helloFrame), peerQueue, events)
    const late = () => {
      if (!link.peer) this.#refuse(link, 'BAD_STATE', `no handshake within ${handshakeMs} ms`)
    }
    const deadline = setTimeout(late, handshakeMs).unref()
    this.#links.set(id, link)
    return link
  }

  #accept(socket: Socket): void {
    const { self, bounds } = this.#options
    this.#open(socket, bounds.helloFrame, (link, message) => {
      if (message.type !== 'HELLO') return this.#refuse(link, 'BAD_STATE', 'HELLO comes first')
      this.#judging(link, () => {
        const peer = judgeHello(self, socket, message)
        if (peer.role === 'client' && this.clients >= bounds.maxClients) {
          throw new Refusal('OVERLOADED', `${bounds.maxClients} clients are connected already`)
        }
        this.#bound(link, peer)
        link.send(encodeFrame(this.#welcome(peer)))
        this.#up(link, peer)
      })
    })
  }

  /** Says HELLO on a connection that was dialled; TLS has proved already who is there. */
  #greet(dialler: Dialler, socket: Socket): void {
    const { self, bounds } = this.#options
    const { target, lane } = dialler
    const link = this.#open(socket, bounds.peerFrame, (link, message) => {
      if (message.type === 'ERROR') return link.end(`${nameOf(target)} refused: ${message.text}`)
      if (message.type !== 'WELCOME') return this.#refuse(link, 'BAD_STATE', 'WELCOME comes first')
      this.#judging(link, () => {
        judgeWelcome(self, target, message)
        const peer = { ...target, boot: message.boot, lane }
        this.#bound(link, peer)
        dialler.up()
        this.#up(link, peer)
      })
    })
    this.#dialled.set(link, dialler)
    const { clusterId, role, slot, boot } = self
    const versions = { minVersion: VERSION, maxVersion: VERSION }
    link.send(encodeFrame({ type: 'HELLO', ...versions, clusterId, role, slot, boot, lane }))
  }

  #welcome(peer: Peer): The<'WELCOME'> {
    const { self, bounds, coordinator } = this.#options
    const { clusterId, role, slot, boot } = self
    const maxFrame = peer.role === 'client' ? bounds.clientFrame : bounds.peerFrame
    const { credit, clientHeartbeatMs: heartbeat } = bounds
    const limits = { coordinator: coordinator(), maxFrame, credit, heartbeat }
    return { type: 'WELCOME', version: VERSION, clusterId, role, slot, boot, ...limits }
  }

  #judging(link: Link, judge: () => void): void {
    try {
      judge()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#refuse(link, error.code, error.message)
    }
  }

  #bound(link: Link, peer: Peer): void {
    const { helloFrame, peerFrame, peerQueue, clientQueue } = this.#options.bounds
    if (peer.role === 'client') link.allow(helloFrame, clientQueue, true)
    else link.allow(peerFrame, peerQueue, false)
  }

  #up(link: Link, peer: Peer): void {
    const place = placeOf(peer)
    const old = place === null ? undefined : this.#current.get(place)
    if (old) this.#down(old, 'replaced by a new connection')
    old?.destroy('replaced by a new connection')
    link.peer = peer
    if (place !== null) this.#current.set(place, link)
    this.#events.up(link.id, peer)
  }

  /** Reports the end of a link that was up, once. */
  #down(link: Link, reason: string): void {
    const { peer } = link
    if (!this.#links.delete(link.id) || !peer) return
    const place = placeOf(peer)
    if (place !== null && this.#current.get(place) === link) this.#current.delete(place)
    this.#events.down(link.id, reason)
  }

  #closed(link: Link, reason: string): void {
    this.#down(link, reason)
    const dialler = this.#dialled.get(link)
    this.#dialled.delete(link)
    dialler?.down(reason)
  }

  #message(link: Link, peer: Peer, message: Message): void {
    switch (message.type) {
      case 'PING':
        return link.send(encodeFrame({ type: 'PONG', nonce: message.nonce }))
      case 'PONG':
        return
      case 'GOODBYE':
        return link.end(`the other side said goodbye: ${message.reason}`)
      case 'HELLO':
      case 'WELCOME':
        return this.#refuse(link, 'BAD_STATE', `${message.type} after the handshake`)
      case 'ERROR':
        if (message.request === 0) {
          this.#events.log('warn', 'peer-error', { peer: who(peer), reason: message.text })
          return link.end(`the other side reported: ${message.text}`)
        }
        break
      default:
    }
    const { role } = this.#options.self
    if (!belongs(message, role, peer.role)) {
      return this.#refuse(link, 'BAD_STATE', `${message.type} is not for a ${peer.role} to send`)
    }
    this.#events.message(link.id, message)
  }

  #malformed(link: Link, error: WireError): void {
    this.#refuse(link, 'BAD_FRAME', error.message)
  }

  #overflow(link: Link): void {
    if (link.peer?.role === 'client') {
      return this.#refuse(link, 'SLOW_READER', 'too much waits to be read; reconnect and read on')
    }
    // A replica so far behind gains nothing from what is queued: it asks again on a new link.
    this.#events.log('warn', 'queue-full', { peer: who(link.peer) })
    link.destroy('more was queued than the link may hold')
  }

  /** One ERROR, then the end. */
  #refuse(link: Link, code: ErrorName, text: string): void {
    if (!link.open) return
    const peer = link.peer ? who(link.peer) : `${link.socket.remoteAddress}`
    this.#events.log('warn', 'link-refused', { peer, code, reason: text })
    // Beyond the bound an ERROR more must not count as another overflow.
    link.allow(this.#options.bounds.helloFrame, Infinity, false)
    link.send(encodeFrame(errorMessage(code, text)))
    link.end(`${code}: ${text}`)
  }

  #sweepSilent(): void {
    const now = performance.now()
    const stalled = now - this.#swept > 2 * SWEEP_MS
    this.#swept = now
    // After a stall of our own nobody is to blame for silence.
    if (stalled) return
    const { peerSilenceMs, clientSilenceMs } = this.#options.bounds
    for (const link of this.#links.values()) {
      if (!link.peer) continue
      const silent = now - link.heard
      const bound = link.peer.role === 'client' ? clientSilenceMs : peerSilenceMs
      if (silent > bound) link.destroy(`silent for ${Math.round(silent)} ms`)
      else if (silent > bound / 4 && link.peer.role !== 'client') {
        link.send(encodeFrame({ type: 'PING', nonce: 0 }))
      }
    }
  }
}

function who(peer: Peer | null): string {
  if (!peer) return 'unknown'
  return peer.role === 'client' ? peer.address : `${nameOf(peer)} ${peer.lane}`
}
