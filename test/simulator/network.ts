// Connections on virtual time, with TCP's promises. Inside one connection nothing is lost, doubled
// or out of order. A reset loses a suffix of the frames under way, and the two ends learn of it at
// different times, one of them perhaps much later (half-open). A cut path holds frames back and
// loses none until one side gives the connection up.

import type { LinkId } from '../../protocol/machine/machine.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { Connection, End, type Lane } from './connection.js'
import type { Host } from './host.js'
import type { Random } from './random.js'
import type { Timeline } from './timeline.js'

/** A host that dials another one again and again. */
interface Route {
  readonly from: Host
  readonly to: Host
  readonly lane: Lane
  readonly bootCount: number
}

export interface NetworkEvents {
  send(from: Host, to: Host, message: Message): Message
}

export class Network {
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #events: NetworkEvents
  readonly #blocked = new Map<string, number>()
  readonly #connections = new Set<Connection>()
  /** Factor by which a path is slower than usual, by "from>to". */
  readonly slow = new Map<string, number>()
  /** Probability that a frame comes twice, by "from>to". */
  readonly doubled = new Map<string, number>()
  /** Mean latency, milliseconds. */
  readonly #latency: number

  constructor(timeline: Timeline, random: Random, latency: number, events: NetworkEvents) {
    this.#timeline = timeline
    this.#random = random
    this.#latency = latency
    this.#events = events
  }

  get connections(): readonly Connection[] {
    return [...this.#connections]
  }

  /** Whether a connection is over of which one end has not learned it. */
  get halfOpen(): boolean {
    return this.connections.some(({ dead, ends }) => dead && ends.some(({ open }) => open))
  }

  /** Keeps a connection to `to` during the present boot of `from`. */
  route(from: Host, to: Host, lane: Lane): void {
    const route: Route = { from, to, lane, bootCount: from.bootCount }
    this.#dialLater(route, this.#random.between(0, 50))
  }

  /** Dials once; the host hears of a success alone. */
  dialOnce(from: Host, to: Host): void {
    const { bootCount } = from
    this.#timeline.after(this.#random.between(1, 20), () => {
      if (from.alive(bootCount)) this.#dial({ from, to, lane: 'main', bootCount }, false)
    })
  }

  #dialLater(route: Route, delay: number): void {
    this.#timeline.after(delay, () => {
      if (!route.from.alive(route.bootCount)) return
      if (!this.#dial(route)) this.#dialLater(route, this.#random.between(20, 300))
    })
  }

  /**
   * Milliseconds from the end of a connection to the next attempt: often too short for others to
   * notice.
   */
  #pause(): number {
    return this.#random.chance(0.3) ? this.#random.float() : this.#random.between(10, 160)
  }

  #dial(route: Route, again = true): boolean {
    const { from, to } = route
    if (!to.running || !from.running || this.#cut(from, to) || this.#cut(to, from)) return false
    const connection = new Connection(route.lane)
    const near = new End(from, connection)
    const far = new End(to, connection)
    this.#connections.add(connection)
    const reached = this.#delay(from, to)
    this.#timeline.after(reached, () => this.#accept(far, near))
    const answered = reached + this.#delay(to, from)
    this.#timeline.after(answered, () => {
      if (near.open && from.alive(near.bootCount)) this.#raise(near)
    })
    if (again) near.ended = () => this.#dialLater(route, this.#pause())
    return true
  }

  #accept(far: End, near: End): void {
    const { host } = far
    if (!host.alive(far.bootCount) || !far.open) return this.sever(far.connection)
    // A pair of hosts has one connection per lane: the newer replaces the rest of the older.
    for (const old of host.ends.values()) {
      const same = old.other.host === near.host && old.connection.lane === far.connection.lane
      if (same && old.open) this.#end(old, 'replaced by a newer connection')
    }
    this.#raise(far)
  }

  #raise(end: End): void {
    end.up = true
    end.host.linkUp(end, end.other.host)
    this.#pump(end)
  }

  send(host: Host, link: LinkId, message: Message): void {
    const end = host.ends.get(link)
    if (!end?.open) return
    const { other } = end
    const sent = this.#events.send(host, other.host, message)
    if (end.connection.dead) return
    this.#push(other, sent, this.#delay(host, other.host))
    if (this.doubled.size > 0) this.#double(other, sent)
  }

  /** The connections between two hosts, on any lane. */
  between(a: Host, b: Host): Connection[] {
    return this.connections.filter(({ ends }) => ends.every(({ host }) => host === a || host === b))
  }

  /**
   * A message that was sent before on the main lane comes once more, over the present connection.
   */
  repeat(from: Host, to: Host, message: Message): void {
    const end = [...to.ends.values()].find(({ open, other, connection }) => {
      return open && other.host === from && connection.lane === 'main'
    })
    if (end) this.#push(end, message, this.#delay(from, to))
  }

  /** The same frame comes once more, after some later ones. */
  #double(to: End, message: Message): void {
    const { host } = to.other
    const likely = this.doubled.get(`${host.name}>${to.host.name}`) ?? 0
    if (!this.#random.chance(likely)) return
    this.#timeline.after(this.#random.exponential(20), () => {
      if (!to.connection.dead) this.#push(to, message, this.#delay(host, to.host))
    })
  }

  /** The host closes the connection: frames that it sent before still arrive. */
  close(host: Host, link: LinkId): void {
    const end = host.ends.get(link)
    if (!end?.open) return
    end.connection.dead = true
    this.#tell(end.other, this.#delay(host, end.other.host))
    this.#timeline.after(0, () => this.#end(end, 'closed here'))
  }

  #push(to: End, message: Message | null, delay: number): void {
    const ready = Math.max(this.#timeline.now + delay, to.lastReady)
    to.incoming.push({ ready, message })
    if (to.incoming.length === 1) this.#pump(to)
  }

  #pump(end: End): void {
    if (end.pumping || !end.up) return
    for (;;) {
      const frame = end.incoming[0]
      if (!frame) return
      if (this.#cut(end.other.host, end.host)) return
      const wait = frame.ready - this.#timeline.now
      if (wait > 0) {
        end.pumping = true
        this.#timeline.after(wait, () => {
          end.pumping = false
          this.#pump(end)
        })
        return
      }
      end.incoming.shift()
      if (!end.open) continue
      if (!frame.message) this.#end(end, 'closed by the peer')
      else end.host.receive(end, frame.message)
    }
  }

  /** `end` learns that its connection is over. */
  #end(end: End, reason: string): void {
    end.connection.dead = true
    end.incoming = []
    if (end.open) {
      end.open = false
      if (end.host.alive(end.bootCount)) end.host.linkDown(end, reason)
      this.#comeLate(end)
      end.ended()
    }
    if (!end.other.open) this.#connections.delete(end.connection)
    else if (!end.other.incoming.some((frame) => !frame.message)) {
      this.#tell(end.other, this.#delay(end.host, end.other.host))
    }
  }

  /**
   * Tells `end` that its connection is over. A cut path cannot carry the news: silence tells in the
   * end.
   */
  #tell(end: End, delay: number): void {
    this.#push(end, null, delay)
    this.#timeline.after(delay + this.#random.between(1_000, 6_000), () => {
      if (end.open) this.#end(end, 'silent for too long')
    })
  }

  /**
   * Resets the connection and loses a suffix of the frames under way. `lateMs`: one end learns of
   * it so much later.
   */
  sever(connection: Connection, lateMs = 0): void {
    connection.dead = true
    const late = this.#random.below(2)
    connection.ends.forEach((end, i) => {
      const arrive = this.#random.between(0, end.incoming.length)
      end.incoming.length = arrive
      const delay = this.#delay(end.other.host, end.host) + (i === late ? lateMs : 0)
      this.#tell(end, delay)
    })
  }

  /**
   * Resets the connection; the frames under way still come, within `lateMs` after the end was
   * learned.
   */
  severLate(connection: Connection, lateMs: number): void {
    for (const end of connection.ends) {
      end.late = { frames: [...end.incoming], within: lateMs }
      end.incoming = []
    }
    this.sever(connection)
  }

  #comeLate({ host, bootCount, late, link }: End): void {
    let delay = 0
    for (const { message } of late?.frames ?? []) {
      delay += this.#random.float() * (late!.within / late!.frames.length)
      this.#timeline.after(delay, () => {
        if (message && host.alive(bootCount)) host.input({ type: 'message', link, message })
      })
    }
  }

  /** The host's process has ended: its kernel resets its connections. */
  died(host: Host): void {
    for (const connection of this.#connections) {
      for (const end of connection.ends) {
        if (end.host !== host || !end.open) continue
        end.open = false
        this.sever(connection)
        end.incoming = []
      }
    }
  }

  #delay(from: Host, to: Host): number {
    const slow = this.slow.get(`${from.name}>${to.name}`) ?? 1
    return (0.05 + this.#random.exponential(this.#latency)) * slow
  }

  #cut(from: Host, to: Host): boolean {
    if (this.#blocked.size === 0) return false
    return (this.#blocked.get(`${from.name}>${to.name}`) ?? 0) > 0
  }

  isOpen(from: Host, to: Host): boolean {
    return !this.#cut(from, to)
  }

  /**
   * Cuts one path, in one direction. Connections over it stall; some are given up while the cut
   * lasts.
   */
  block(from: Host, to: Host): void {
    const path = `${from.name}>${to.name}`
    this.#blocked.set(path, (this.#blocked.get(path) ?? 0) + 1)
    for (const connection of this.#connections) {
      if (!connection.ends.some((end) => end.host === to && end.other.host === from)) continue
      if (!this.#random.chance(0.7)) continue
      this.#timeline.after(this.#random.spread(50, 4_000), () => {
        if (!connection.dead && this.#cut(from, to)) this.sever(connection)
      })
    }
  }

  unblock(from: Host, to: Host): void {
    const path = `${from.name}>${to.name}`
    const count = (this.#blocked.get(path) ?? 0) - 1
    if (count > 0) return void this.#blocked.set(path, count)
    this.#blocked.delete(path)
    for (const connection of this.#connections) {
      for (const end of connection.ends) {
        if (end.host === to && end.other.host === from) this.#pump(end)
      }
    }
  }

  /** Resets a random part of all connections at one moment. */
  shake(random: Random): void {
    const likely = random.float()
    for (const connection of this.connections) if (random.chance(likely)) this.sever(connection)
  }

  /** Opens every path again, at its usual speed. */
  heal(): void {
    this.#blocked.clear()
    this.slow.clear()
    this.doubled.clear()
    for (const connection of this.#connections) connection.ends.forEach((end) => this.#pump(end))
  }
}
