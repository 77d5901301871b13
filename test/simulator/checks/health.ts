// The truth that no replica knows: which hosts work, which hosts are connected, and since when.
// Checks of what users feel compare the replicas' answers with it.

import type { Connection, Lane } from '../connection.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import { turnView, type Check } from './check.js'

/** Milliseconds between two looks. */
const LOOK_MS = 50

type World = Pick<Cluster, 'network' | 'timeline' | 'processing' | 'persistence' | 'wrong'>

const pairOf = (a: Host, b: Host, lane: Lane): string => [a.name, b.name].sort().join() + lane

const inView = ({ name }: Host): string => `${name} in a view`

function works({ running, disk }: Host): boolean {
  if (!running) return false
  return disk === null || (disk.sound && !disk.full && disk.slow === 1)
}

export class Health implements Check {
  readonly #world: World
  readonly #majority: number
  /** Since when a host works or is in a view, or two hosts are connected, by their names. */
  readonly #since = new Map<string, number>()
  /** When a store last could hear a majority, and was last not cut off from a processing replica. */
  readonly #quorateAt = new Map<Host, number>()
  readonly #reachedAt = new Map<string, number>()
  #lookedAt = -Infinity

  constructor(world: World, slots: number) {
    this.#world = world
    this.#majority = Math.floor(slots / 2) + 1
  }

  started(host: Host): void {
    this.#since.delete(host.name)
  }

  stepped(): void {
    if (this.#world.timeline.now - this.#lookedAt >= LOOK_MS) this.#look()
  }

  #look(): void {
    const { now } = this.#world.timeline
    this.#lookedAt = now
    const present = this.#present()
    for (const fact of this.#since.keys()) if (!present.has(fact)) this.#since.delete(fact)
    for (const fact of present) if (!this.#since.has(fact)) this.#since.set(fact, now)
    this.#notesReach(now)
  }

  /** The hosts that work, and the pairs that are connected, at this moment. */
  #present(): Set<string> {
    const { network, processing, persistence, timeline } = this.#world
    const slow = [...network.slow.keys()].flatMap((path) => path.split('>'))
    const isFree = ({ disk }: Host): boolean => (disk?.stuckUntil ?? 0) <= timeline.now
    const hosts = [...processing, ...persistence].filter((host) => works(host) && isFree(host))
    const connections = network.connections.filter((one) => this.#isUp(one))
    return new Set([
      ...hosts.map(({ name }) => name).filter((name) => !slow.includes(name)),
      ...persistence.filter((host) => turnView(host)?.status === 'normal').map(inView),
      ...connections.map(({ ends: [a, b], lane }) => pairOf(a!.host, b!.host, lane)),
    ])
  }

  #isUp({ dead, ends }: Connection): boolean {
    const [a, b] = ends
    return !dead && ends.every(({ up, open }) => up && open) && this.#areOpen(a!.host, b!.host)
  }

  #areOpen(a: Host, b: Host): boolean {
    const { network } = this.#world
    return network.isOpen(a, b) && network.isOpen(b, a)
  }

  /** Since when all of these are so; Infinity: one is not. */
  #all(facts: readonly string[]): number {
    return Math.max(-Infinity, ...facts.map((fact) => this.#since.get(fact) ?? Infinity))
  }

  #connected(a: Host, b: Host, lane: Lane = 'main'): number {
    return this.#all([pairOf(a, b, lane)])
  }

  /**
   * Since when the replica has been connected to a majority of persistence replicas that work and
   * are connected to each other, and to each other processing replica that is up; Infinity: it is
   * not.
   */
  wellSince(host: Host): number {
    const { processing, persistence, wrong } = this.#world
    if (wrong.size > 0) return Infinity
    const since = (store: Host): number =>
      this.#all([store.name, pairOf(host, store, 'main'), pairOf(host, store, 'bulk')])
    const stores = persistence.filter((store) => since(store) < Infinity)
    if (stores.length < this.#majority) return Infinity
    const others = processing.filter((other) => other !== host && other.up)
    return Math.max(
      this.#all([host.name]),
      ...stores.map(since),
      ...stores.flatMap((a) => stores.filter((b) => b !== a).map((b) => this.#connected(a, b))),
      ...others.flatMap((other) => [this.#all([other.name]), this.#connected(host, other)]),
    )
  }

  /** Since when the replica has been connected to a store that serves; Infinity: it is not. */
  storedSince(host: Host): number {
    return Math.min(...this.#world.persistence.map((store) => this.servesSince(host, store)))
  }

  /**
   * Since when a store could commit what the replica asks: it works, is in a view, and is connected
   * to the replica and to a majority that works. Infinity: it could not.
   */
  servesSince(host: Host, store: Host): number {
    return this.#world.wrong.size > 0
      ? Infinity
      : Math.max(
          this.#majoritySince(store),
          this.#all([store.name, inView(store)]),
          this.#connected(host, store),
        )
  }

  /** Since when a majority of stores has worked that the store, where it is none, is connected to. */
  #majoritySince(store: Host): number {
    const reached = this.#world.persistence.map((other) => {
      return this.#all(other === store ? [other.name] : [other.name, pairOf(store, other, 'main')])
    })
    return reached.sort((a, b) => a - b)[this.#majority - 1]!
  }

  /** Since when a majority has worked that the replica reaches over one store. */
  roomSince(host: Host): number {
    const since = this.#world.persistence.map((store) => {
      return Math.max(this.#majoritySince(store), this.#connected(host, store))
    })
    return Math.min(...since)
  }

  /** Since when the two have been connected; Infinity: they are not. */
  connectedSince(host: Host, store: Host): number {
    return this.#connected(host, store)
  }

  /** Whether the store runs, is not cut off from the replica, and may hear a majority. */
  isUseful(host: Host, store: Host): boolean {
    return this.#areOpen(host, store) && this.#isQuorate(store)
  }

  #isQuorate(store: Host): boolean {
    const { persistence, network } = this.#world
    const heard = persistence.filter((other) => {
      return other.running && (other === store || network.isOpen(other, store))
    })
    return store.running && heard.length >= this.#majority
  }

  /** When a store last was not cut off from the replica, nor, before or after, from a majority. */
  usefulAt(host: Host): number {
    this.#look()
    const at = this.#world.persistence.map((store) => {
      const reached = this.#reachedAt.get(pairOf(host, store, 'main')) ?? -Infinity
      return Math.min(reached, this.#quorateAt.get(store) ?? -Infinity)
    })
    return Math.max(...at)
  }

  #notesReach(now: number): void {
    const { processing, persistence } = this.#world
    for (const store of persistence) {
      if (this.#isQuorate(store)) this.#quorateAt.set(store, now)
      for (const host of processing) {
        // A paused replica knows nothing of the time that passes.
        const reached = !host.running || this.#areOpen(host, store)
        if (reached) this.#reachedAt.set(pairOf(host, store, 'main'), now)
      }
    }
  }
}
