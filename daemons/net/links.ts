// All connections of one replica: handshakes, one current link for each (replica, lane), and
// answers to PING; other messages are handed on. Invariant: a link is reported up once, then its
// messages in order, then down once; a replaced link is reported down before its successor is up.

import type { Socket } from 'node:net'
import type { LinkBounds } from './bounds.js'
import type { Credentials } from './credentials.js'
import type { Address, Dialler } from './dialler.js'
import { LinkDeadlines } from './deadlines.js'
import { Handshakes } from './handshakes.js'
import { Refusal, helloOf, judgeHello, judgeWelcome, welcomeOf } from './handshake.js'
import type { Self } from './handshake.js'
import { nameOf } from './identity.js'
import type { Replica } from './identity.js'
import { Link } from './link.js'
import type { LinkEvents } from './link.js'
import { LinkTable } from './link-table.js'
import { Listener } from './listener.js'
import { Outgoing } from './outgoing.js'
import { Refusals } from './refusals.js'
import { Roster } from './roster.js'
import { Traffic } from './traffic.js'
import { belongs } from './conversations.js'
import type { LogFields } from '../log/log.js'
import type { LinkId, LogLevel, Peer } from '../../protocol/machine/machine.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { encodeFrame } from '../../protocol/wire/frame.js'

export interface LinksEvents {
  up(link: LinkId, peer: Peer): void
  message(link: LinkId, message: Message): void
  down(link: LinkId, reason: string): void
  log(level: LogLevel, event: string, fields: LogFields): void
}

export interface LinksOptions {
  readonly self: Self
  readonly address: Address
  /** All replicas of the cluster; `dials` selects those to dial. */
  readonly replicas: readonly (Replica & Address)[]
  /** null: plain TCP. */
  readonly credentials: Credentials | null
  readonly bounds: LinkBounds
  /** Slot of the coordinator for WELCOME; 0: none known. */
  readonly coordinator: () => number
  /** User logged in on a client's link, for the log; null: no user. */
  readonly userOf: (link: LinkId) => string | null
}

/** Judges the first message of a connection. null: the link was closed. Throws Refusal. */
type Greeting = (link: Link, message: Message) => Peer | null

export class Links {
  readonly #options: LinksOptions
  readonly #events: LinksEvents
  readonly #links = new LinkTable()
  readonly #outgoing: Outgoing
  readonly #roster: Roster
  readonly traffic = new Traffic()
  readonly #refusals: Refusals
  #credentials: Credentials | null
  #listener: Listener | null = null
  #deadlines: LinkDeadlines | null = null
  readonly #handshakes: Handshakes
  #nextId = 1

  constructor(options: LinksOptions, events: LinksEvents) {
    this.#options = options
    this.#events = events
    this.#credentials = options.credentials
    this.#refusals = new Refusals(this.traffic, (level, event, fields) =>
      events.log(level, event, fields),
    )
    this.#handshakes = new Handshakes(options.bounds.handshakes, (origin) =>
      this.#refusals.gaveWay(origin),
    )
    this.#roster = new Roster(options.self.clusterId, options.replicas)
    this.#outgoing = new Outgoing(options.self, options.replicas, this.#roster, {
      credentials: () => this.#credentials,
      connected: (dialler, socket) => this.#greet(dialler, socket),
      log: (level, event, fields) => events.log(level, event, fields),
    })
  }

  /** Resolves when the port listens; rejects with one sentence that says why it cannot. */
  async start(): Promise<void> {
    const { address, bounds, userOf } = this.#options
    this.#listener = await Listener.open(address, this.#credentials, {
      onConnection: (socket) => this.#handshakes.begin(socket),
      onSocket: (socket) => this.#accept(socket),
      onFailure: (reason, from) => this.#refusals.tlsFailed(from, reason),
    })
    this.#deadlines = new LinkDeadlines(bounds, {
      links: () => this.#links.all(),
      isLoggedIn: (link) => userOf(link.id) !== null,
      silent: (link, ms) => this.#refusals.silent(link, ms),
      late: (link, code, text) => this.#refusals.refuse(link, code, text),
    })
  }

  /** Dials the replicas that `dials` assigns to this one. */
  dial(): void {
    this.#outgoing.dial()
  }

  /** Uses these credentials for new connections; existing ones stay as they are. */
  renew(credentials: Credentials): void {
    this.#credentials = credentials
    this.#listener?.renew(credentials)
  }

  /** Takes up the replicas of a changed cluster file; the links of those that were replaced end. */
  update(replicas: readonly (Replica & Address)[]): string[] {
    const changed = this.#roster.update(replicas)
    for (const link of [...this.#links.all()]) {
      const { peer } = link
      if (!peer || peer.role === 'client' || !changed.includes(nameOf(peer))) continue
      link.end(`${nameOf(peer)} was replaced`)
    }
    return changed
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }

  count(role: Peer['role']): number {
    return this.#links.count(role)
  }

  /** Bytes that wait to be sent, on all links together. */
  get queuedBytes(): number {
    return this.#links.queuedBytes
  }

  /** Dialled replicas without a link, each with the reason. */
  unreached(): string[] {
    return this.#outgoing.unreached()
  }

  get failedDials(): ReadonlyMap<string, number> {
    return this.#outgoing.failed
  }

  /** Number of connections in handshake. */
  get strangers(): number {
    return this.#handshakes.size
  }

  send(id: LinkId, frame: Buffer): void {
    const link = this.#links.get(id)
    if (!link) return
    link.spoke = performance.now()
    link.send(frame)
  }

  hold(id: LinkId, held: boolean): void {
    this.#links.get(id)?.hold(held)
  }

  /** Raises a client's bounds: it has logged in. */
  admit(id: LinkId): void {
    const { clientFrame, clientQueue } = this.#options.bounds
    this.#links.get(id)?.allow(clientFrame, clientQueue, true)
  }

  close(id: LinkId, reason: string): void {
    this.#links.get(id)?.end(reason)
  }

  /** Sends GOODBYE on every link, stops listening and stops dialling. */
  stop(reason: string): void {
    this.#deadlines?.stop()
    this.#listener?.close()
    this.#outgoing.stop()
    const goodbye = encodeFrame({ type: 'GOODBYE', reason })
    for (const link of this.#links.all()) {
      link.send(goodbye)
      link.end(reason)
    }
  }

  #open(
    socket: Socket,
    maxFrame: number,
    greeting: Greeting,
    closed: (reason: string) => void = () => {},
  ): Link {
    const { peerQueue, handshakeMs } = this.#options.bounds
    const id = this.#nextId++ as LinkId
    const events: LinkEvents = {
      message: (link, message) =>
        link.peer
          ? this.#message(link, link.peer, message)
          : this.#greeted(link, () => greeting(link, message)),
      malformed: (link, error) => this.#refusals.refuse(link, 'BAD_FRAME', error.message),
      overflow: (link) => this.#refusals.overflow(link, this.#options.userOf(link.id)),
      closed: (link, reason) => {
        clearTimeout(deadline)
        this.#down(link, reason)
        closed(reason)
      },
    }
    const bounds = { maxFrame, maxQueued: peerQueue }
    const link = new Link(id, socket, this.traffic.unknown, bounds, events)
    const late = () => {
      if (!link.peer)
        this.#refusals.refuse(link, 'TOO_SLOW', `no handshake within ${handshakeMs} ms`)
    }
    const deadline = setTimeout(late, handshakeMs).unref()
    this.#links.add(link)
    return link
  }

  #accept(socket: Socket): void {
    const { self, bounds, coordinator } = this.#options
    this.#open(socket, bounds.helloFrame, (link, message) => {
      const peer = judgeHello(self, this.#roster, socket, message)
      if (peer.role === 'client') this.#judgeClient(link)
      link.send(encodeFrame(welcomeOf(self, bounds, coordinator(), peer)))
      return peer
    })
  }

  #judgeClient(link: Link): void {
    const { maxClients, connectionsPerAddress } = this.#options.bounds
    if (this.#links.clients >= maxClients) {
      throw new Refusal('OVERLOADED', `${maxClients} clients are connected already`)
    }
    if (this.#links.clientsFrom(link.origin) >= connectionsPerAddress) {
      const text = `${connectionsPerAddress} connections from this address are open already`
      throw new Refusal('TOO_MANY_CONNECTIONS', text)
    }
  }

  /** Sends HELLO on a dialled connection, on which TLS has proved the peer's identity already. */
  #greet(dialler: Dialler, socket: Socket): void {
    const { self, bounds } = this.#options
    const { target, lane } = dialler
    const greeting: Greeting = (link, message) => {
      if (message.type === 'ERROR') {
        link.end(`${nameOf(target)} refused: ${message.text}`)
        return null
      }
      const peer = judgeWelcome(self, target, lane, message)
      dialler.up()
      return peer
    }
    const closed = (reason: string) => dialler.down(reason)
    const link = this.#open(socket, bounds.peerFrame, greeting, closed)
    link.send(encodeFrame(helloOf(self, lane)))
  }

  #greeted(link: Link, judge: () => Peer | null): void {
    try {
      const peer = judge()
      if (peer) this.#up(link, peer)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#refusals.refuse(link, error.code, error.message)
    }
  }

  #bound(link: Link, peer: Peer): void {
    const { helloFrame, peerFrame, peerQueue, clientQueue } = this.#options.bounds
    if (peer.role === 'client') link.allow(helloFrame, clientQueue, true)
    else link.allow(peerFrame, peerQueue, false)
  }

  #up(link: Link, peer: Peer): void {
    const old = this.#links.currentOf(peer)
    if (old) this.#down(old, 'replaced by a new connection')
    old?.destroy('replaced by a new connection')
    this.#bound(link, peer)
    this.#links.up(link, peer)
    this.#handshakes.done(link.socket)
    link.tally = this.traffic.byRole[peer.role]
    link.tally.up++
    this.#events.up(link.id, peer)
  }

  /** Reports the end of a link, if it was up and not reported before. */
  #down(link: Link, reason: string): void {
    if (!this.#links.remove(link) || !link.peer) return
    link.tally.down++
    this.#events.down(link.id, reason)
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
        return this.#refusals.refuse(link, 'BAD_STATE', `${message.type} after the handshake`)
      case 'ERROR':
        if (message.request === 0) {
          this.#events.log('warn', 'peer-error', { ...link.otherEnd, reason: message.text })
          return link.end(`the other side reported: ${message.text}`)
        }
        break
      default:
    }
    const { role } = this.#options.self
    if (!belongs(message, role, peer.role)) {
      const sender = peer.role === 'client' ? 'client' : `${peer.role} replica`
      return this.#refusals.refuse(
        link,
        'BAD_STATE',
        `${message.type} is not for a ${sender} to send`,
      )
    }
    link.spoke = link.heard
    this.#events.message(link.id, message)
  }
}
