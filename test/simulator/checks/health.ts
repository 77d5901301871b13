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
  #lookedAt = -Infinity

  constructor(world: World, slots: number) {
    this.#world = world
    this.#majority = Math.floor(slots / 2) + 1
  }

  started(host: Host): void {
    this.#since.delete(host.name)
  }

  stepped(): void {
    const { now } = this.#world.timeline
    if (now - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = now
    const present = this.#present()
    for (const fact of this.#since.keys()) if (!present.has(fact)) this.#since.delete(fact)
    for (const fact of present) if (!this.#since.has(fact)) this.#since.set(fact, now)
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
}
