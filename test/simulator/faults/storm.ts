// Faults, each with a mean time between two of them. Every run turns on a random subset, at random
// rates ("swarm"), and never goes beyond the fault model: files are lost on a minority only, and
// everything that is stopped goes on again.

import type { Cluster } from './cluster.js'
import type { Host } from './host.js'
import type { Random } from './random.js'
import { turnView } from './checks/check.js'

export const FAULTS = {
  crash: 2_000,
  'crash-all': 7_500,
  'crash-holder': 3_000,
  drain: 5_000,
  pause: 2_000,
  reset: 500,
  'half-open': 1_500,
  partition: 3_000,
  'one-way': 3_000,
  bridge: 5_000,
  flap: 4_000,
  'slow-path': 2_000,
  'slow-disk': 2_500,
  'stuck-disk': 4_000,
  'full-disk': 5_000,
  'lost-file': 6_000,
  'wall-clock': 2_500,
  'wrong-bytes': 5_000,
} as const

export type FaultName = keyof typeof FAULTS
/** Mean milliseconds between two; absent: off. */
export type Rates = Partial<Record<FaultName, number>>

/** A replica alone in L decides alone: wrong bytes go only with what makes no replica vote late. */
const RING_WHOLE = ['wall-clock']

export function swarm(random: Random): Rates {
  const wrongBytes = random.chance(0.1)
  const rates: Rates = wrongBytes ? { 'wrong-bytes': 2_000 } : {}
  for (const name of Object.keys(FAULTS) as FaultName[]) {
    const fits = wrongBytes ? RING_WHOLE.includes(name) : name !== 'wrong-bytes'
    if (fits && random.chance(0.4)) rates[name] = FAULTS[name] * random.spread(0.3, 5)
  }
  return rates
}

export class Faults {
  readonly #cluster: Cluster
  readonly #random: Random
  readonly #rates: Rates
  readonly #tell: (fault: string) => void
  #over = false
  #wrong = false

  constructor(cluster: Cluster, random: Random, rates: Rates, tell: (fault: string) => void) {
    this.#cluster = cluster
    this.#random = random
    this.#rates = rates
    this.#tell = tell
    for (const name of Object.keys(rates) as FaultName[]) this.#again(name)
  }

  #again(name: FaultName): void {
    this.#later(this.#random.exponential(this.#rates[name]!), () => {
      this.#strike(name)
      this.#again(name)
    })
  }

  /** Nothing of a fault happens once faults are over. */
  #later(delay: number, run: () => void): void {
    this.#cluster.timeline.after(delay, () => {
      if (!this.#over) run()
    })
  }

  #strike(name: FaultName): void {
    const random = this.#random
    const victim = random.pick(this.#cluster.replicas)
    const store = random.pick(this.#cluster.persistence)
    switch (name) {
      case 'crash':
        return this.#crash(victim, name)
      case 'crash-all':
        return this.#crashAll()
      case 'crash-holder': {
        const holder = this.#cluster.persistence.find((host) => turnView(host)?.holdsTurn)
        return this.#crash(holder ?? store, name)
      }
      case 'drain':
        return this.#drain(victim)
      case 'pause':
        return this.#pause(victim)
      case 'reset':
      case 'half-open':
        return this.#reset(name)
      case 'partition':
      case 'one-way':
      case 'bridge':
      case 'flap':
        return this.#cut(name)
      case 'slow-path':
        return this.#slowPath()
      case 'slow-disk':
      case 'stuck-disk':
      case 'full-disk':
        return this.#disk(store, name)
      case 'lost-file':
        return this.#loseFile(store)
      case 'wall-clock':
        victim.wallOffset = random.between(-600_000, 600_000)
        return this.#tell(`wall-clock ${victim.name} is off by ${victim.wallOffset} ms`)
      case 'wrong-bytes':
        return this.#wrongBytes()
    }
  }

  #crash(host: Host, why: string): void {
    if (!host.up) return
    this.#tell(`${why} ${host.name}`)
    if (this.#random.chance(0.5)) host.crash()
    else host.crashAfterEffects = this.#random.between(0, 4)
    this.#later(this.#random.spread(20, 6_000), () => this.#restart(host))
  }

  #restart(host: Host): void {
    host.crashAfterEffects = -1
    if (!host.up) this.#cluster.start(host)
  }

  #crashAll(): void {
    this.#tell('crash-all')
    const tier = this.#random.chance(0.5) ? this.#cluster.persistence : this.#cluster.replicas
    for (const host of tier) {
      host.crash()
      this.#later(this.#random.spread(20, 3_000), () => this.#restart(host))
    }
  }

  #drain(host: Host): void {
    if (!host.running) return
    this.#tell(`drain ${host.name}`)
    host.input({ type: 'drain' })
    const { life } = host
    this.#later(this.#random.spread(200, 5_000), () => {
      if (host.alive(life)) host.crash()
      this.#restart(host)
    })
  }

  #pause(host: Host): void {
    if (!host.running) return
    this.#tell(`pause ${host.name}`)
    host.pause()
    this.#later(this.#random.spread(50, 8_000), () => host.resume())
  }

  #reset(name: string): void {
    const { connections } = this.#cluster.network
    if (connections.length === 0) return
    const connection = this.#random.pick(connections)
    const [a, b] = connection.ends
    this.#tell(`${name} ${a!.host.name}-${b!.host.name}`)
    const late = name === 'half-open' ? this.#random.spread(200, 10_000) : 0
    this.#cluster.network.sever(connection, late)
  }

  #cut(name: FaultName): void {
    const paths = this.#paths(name)
    const text = paths.map(([from, to]) => `${from.name}>${to.name}`).join(' ')
    this.#tell(`${name} ${text}`)
    const { network } = this.#cluster
    const once = (duration: number): void => {
      for (const [from, to] of paths) network.block(from, to)
      this.#later(duration, () => {
        for (const [from, to] of paths) network.unblock(from, to)
      })
    }
    if (name !== 'flap') return once(this.#random.spread(100, 10_000))
    for (let i = 0, at = 0; i < 8; i++) {
      this.#later(at, () => once(this.#random.spread(50, 400)))
      at += this.#random.between(500, 1_200)
    }
  }

  #paths(name: FaultName): [Host, Host][] {
    const hosts = this.#random.chance(0.5) ? this.#cluster.persistence : this.#cluster.hosts
    if (hosts.length < 2) return []
    const between = (left: readonly Host[], right: readonly Host[]): [Host, Host][] =>
      left.flatMap((a) => right.map((b): [Host, Host] => [a, b]))
    const [left, right] = this.#random.split(hosts)
    if (name === 'one-way') return between(left, right)
    if (name === 'bridge') {
      // One host still reaches both sides.
      const bridge = this.#random.pick(hosts)
      const one = left.filter((host) => host !== bridge)
      const two = right.filter((host) => host !== bridge)
      return [...between(one, two), ...between(two, one)]
    }
    if (name === 'flap') {
      const [a, b] = this.#random.shuffled(hosts)
      return [...between([a!], [b!]), ...between([b!], [a!])]
    }
    return [...between(left, right), ...between(right, left)]
  }

  #slowPath(): void {
    const { network, hosts } = this.#cluster
    const [from, to] = this.#random.shuffled(hosts)
    const path = `${from!.name}>${to?.name}`
    this.#tell(`slow-path ${path}`)
    network.slow.set(path, this.#random.spread(5, 400))
    this.#later(this.#random.spread(200, 6_000), () => network.slow.delete(path))
  }

  #disk(store: Host, name: FaultName): void {
    const disk = store.disk!
    const lasts = this.#random.spread(200, 8_000)
    this.#tell(`${name} ${store.name}`)
    if (name === 'full-disk') disk.full = true
    if (name === 'slow-disk') disk.slow = this.#random.spread(3, 100)
    if (name === 'stuck-disk') disk.stuckUntil = this.#cluster.timeline.now + lasts
    this.#later(lasts, () => {
      disk.full = false
      disk.slow = 1
    })
  }

  /** At most one replica at a time, of three at least: the vote finds a minority. */
  #wrongBytes(): void {
    const { processing } = this.#cluster.sizes
    if (processing < 3 || this.#wrong) return
    const slot = this.#random.between(1, processing)
    this.#tell(`wrong-bytes p${slot}`)
    this.#wrong = true
    this.#cluster.corrupt(slot, true)
    this.#later(this.#random.spread(100, 4_000), () => {
      this.#wrong = false
      this.#cluster.corrupt(slot, false)
    })
  }

  /** Only while all files count and a view of everybody is active, so that a minority is lost. */
  #loseFile(store: Host): void {
    const whole = this.#cluster.persistence.every((host) => {
      const { file, voter } = host.disk!
      return file && voter && file.view.members.length === this.#cluster.sizes.persistence
    })
    if (!whole || this.#cluster.sizes.persistence < 3) return
    this.#tell(`lost-file ${store.name}`)
    store.crash()
    store.disk!.lose()
    this.#later(this.#random.spread(20, 2_000), () => this.#restart(store))
  }

  /** The world is whole again. */
  heal(): void {
    this.#over = true
    const { hosts, network, disks } = this.#cluster
    network.heal()
    for (const disk of disks) {
      disk.full = false
      disk.slow = 1
      disk.stuckUntil = 0
    }
    for (const host of hosts) {
      host.wallOffset = 0
      this.#cluster.corrupt(host.slot, false)
      host.resume()
      this.#restart(host)
    }
  }
}
