// Faults of wall clocks. Nothing may depend on wall clocks but the times that people read, and whether
// a replica votes for the time of an order.

import type { Fault } from './strike.js'

export const wallClock: Fault = {
  every: 2_500,
  strike({ cluster, random, tell }) {
    const host = random.pick(cluster.replicas)
    host.wallOffset = random.between(-600_000, 600_000)
    tell(`${host.name} is off by ${host.wallOffset} ms`)
  },
}

/** The clock jumps to and fro between two times, some hundred times. */
export const strobe: Fault = {
  every: 6_000,
  strike({ cluster, random, tell, later }) {
    const host = random.pick(cluster.replicas)
    const away = random.between(-4_000_000, 4_000_000)
    const every = random.spread(1, 100)
    tell(`${host.name} between right and ${away} ms off`)
    for (let i = 1; i <= 100; i++) {
      later(i * every, () => (host.wallOffset = host.wallOffset === 0 ? away : 0))
    }
  },
}
