// Faults of the network: connections and the paths between hosts.

import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import type { Random } from '../random.js'
import type { Fault, Strike } from './strike.js'

/** Ends the connections between two hosts. */
export function sever({ network }: Cluster, from: Host, to: Host): void {
  const [connection] = network.between(from, to)
  if (connection) network.sever(connection)
}

type Path = readonly [Host, Host]

function between(left: readonly Host[], right: readonly Host[]): Path[] {
  return left.flatMap((a) => right.map((b): Path => [a, b]))
}

const bothWays = (left: readonly Host[], right: readonly Host[]): Path[] => [
  ...between(left, right),
  ...between(right, left),
]

/** The hosts that a cut separates: one tier, or all. */
function among({ cluster, random }: Strike): readonly Host[] {
  return random.chance(0.5) ? cluster.persistence : cluster.hosts
}

const say = (paths: readonly Path[]): string =>
  paths.map(([from, to]) => `${from.name}>${to.name}`).join(' ')

function cutFor({ cluster, later }: Strike, paths: readonly Path[], duration: number): void {
  const { network } = cluster
  for (const [from, to] of paths) network.block(from, to)
  later(duration, () => {
    for (const [from, to] of paths) network.unblock(from, to)
  })
}

function cut(every: number, choose: (hosts: readonly Host[], random: Random) => Path[]): Fault {
  return {
    every,
    strike(strike) {
      const hosts = among(strike)
      if (hosts.length < 2) return
      const paths = choose(hosts, strike.random)
      strike.tell(say(paths))
      cutFor(strike, paths, strike.random.spread(100, 10_000))
    },
  }
}

export const partition = cut(3_000, (hosts, random) => bothWays(...random.split(hosts)))
export const oneWay = cut(3_000, (hosts, random) => between(...random.split(hosts)))

/** A cut in two parts, with one host that reaches both. */
export const bridge = cut(5_000, (hosts, random) => {
  const middle = random.pick(hosts)
  const [left, right] = random.split(hosts.filter((host) => host !== middle))
  return bothWays(left, right)
})

/** A path that is cut and opened again and again, for some seconds. */
export const flap: Fault = {
  every: 4_000,
  strike(strike) {
    const { random, later } = strike
    const [a, b] = random.shuffled(among(strike))
    if (!a || !b) return
    const paths = bothWays([a], [b])
    strike.tell(say(paths))
    for (let i = 0, at = 0; i < 8; i++) {
      later(at, () => cutFor(strike, paths, random.spread(50, 400)))
      at += random.between(500, 1_200)
    }
  },
}

function ending(every: number, late: (random: Random) => number): Fault {
  return {
    every,
    strike({ cluster, random, tell }) {
      const { connections } = cluster.network
      if (connections.length === 0) return
      const connection = random.pick(connections)
      tell(connection.ends.map((end) => end.host.name).join(' '))
      cluster.network.sever(connection, late(random))
    },
  }
}

export const reset = ending(500, () => 0)
/** Connections that end, where one end learns of it much later. */
export const halfOpen = ending(1_500, (random) => random.spread(200, 10_000))

/** Frames of an old connection come after its successor's first frames. */
export const lateFrames: Fault = {
  every: 1_500,
  strike({ cluster, random, tell }) {
    const between = cluster.network.connections.filter(({ ends }) =>
      ends.every((end) => end.host.role !== 'client'),
    )
    if (between.length === 0) return
    const connection = random.pick(between)
    tell(connection.ends.map((end) => end.host.name).join(' '))
    cluster.network.severLate(connection, random.spread(5, 2_000))
  },
}

/** Frames come twice, between replicas of one tier or to and from one replica. */
export const duplicate: Fault = {
  every: 2_500,
  strike({ cluster, random, tell, later }) {
    const { replicas, persistence, processing, network } = cluster
    const one = random.pick(replicas)
    const [left, right] = random.chance(0.5)
      ? [[one], replicas.filter((host) => host !== one)]
      : random.split(random.chance(0.5) ? persistence : processing)
    const paths = bothWays(left, right)
    const likely = random.spread(0.02, 0.5)
    tell(say(paths))
    for (const [from, to] of paths) network.doubled.set(`${from.name}>${to.name}`, likely)
    later(random.spread(200, 6_000), () => {
      for (const [from, to] of paths) network.doubled.delete(`${from.name}>${to.name}`)
    })
  },
}

export const slowPath: Fault = {
  every: 2_000,
  strike({ cluster, random, tell, later }) {
    const [from, to] = random.shuffled(cluster.hosts)
    if (!from || !to) return
    const path = `${from.name}>${to.name}`
    tell(path)
    cluster.network.slow.set(path, random.spread(5, 400))
    later(random.spread(200, 6_000), () => cluster.network.slow.delete(path))
  },
}
