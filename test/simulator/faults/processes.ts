// Faults of processes: they die between any two effects, pause, or are told to drain.

import { hasKind } from '../../../protocol/entries/batch.js'
import { KIND } from '../../../protocol/entries/entry.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import { turnView } from '../checks/check.js'
import { whenSaid, type Fault, type Strike } from './strike.js'

/** Number of messages of a kind that are looked at for a rare one. */
const LOOKS = 2_000

export function kill({ random, tell, later, restart }: Strike, host: Host): void {
  if (!host.up) return
  tell(host.name)
  if (random.chance(0.5)) host.crash()
  else host.crashAfterEffects = random.between(0, 4)
  later(random.spread(20, 6_000), () => restart(host))
}

export const crash: Fault = {
  every: 2_000,
  strike: (strike) => kill(strike, strike.random.pick(strike.cluster.replicas)),
}

export const crashHolder: Fault = {
  every: 3_000,
  strike(strike) {
    const { persistence } = strike.cluster
    const holder = persistence.find((host) => turnView(host)?.holdsTurn)
    kill(strike, holder ?? strike.random.pick(persistence))
  },
}

export const crashAll: Fault = {
  every: 7_500,
  strike({ cluster, random, tell, later, restart }) {
    const tier = random.chance(0.5) ? cluster.persistence : cluster.replicas
    tell(tier.map((host) => host.name).join(' '))
    for (const host of tier) {
      host.crash()
      later(random.spread(20, 3_000), () => restart(host))
    }
  },
}

/** A client's process dies and comes back with nothing but its name and password. */
export const clientCrash: Fault = {
  every: 4_000,
  strike(strike) {
    const { clients } = strike.cluster
    if (clients.length > 0) kill(strike, strike.random.pick(clients))
  },
}

export const drain: Fault = {
  every: 5_000,
  strike({ cluster, random, tell, later, restart }) {
    const host = random.pick(cluster.replicas)
    if (!host.running) return
    tell(host.name)
    host.input({ type: 'drain' })
    const { bootCount } = host
    later(random.spread(200, 5_000), () => {
      if (host.alive(bootCount)) host.crash()
      restart(host)
    })
  },
}

export const pause: Fault = {
  every: 2_000,
  strike({ cluster, random, tell, later }) {
    const host = random.pick(cluster.replicas)
    if (!host.running) return
    tell(host.name)
    host.pause()
    later(random.spread(50, 8_000), () => host.resume())
    // A paused coordinator may go on just as the next one takes over.
    if (random.chance(0.5)) return
    const hasTerm = (message: Message): boolean =>
      message.type === 'REPLICATE' && message.batches.some((batch) => hasKind(batch, KIND.term))
    const takesOver = (_from: Host, _to: Host, message: Message): boolean => {
      if (hasTerm(message)) later(random.spread(0.05, 5), () => host.resume())
      return hasTerm(message)
    }
    whenSaid(cluster, 'REPLICATE', takesOver, LOOKS)
  },
}

/** A replica that is at most so many entries behind still votes. */
const NEAR = 30

/**
 * Whether another replica votes too: while the others rebuild their states, the wrong bytes of one
 * alone are believed. Scripted writers compute nothing and apply no index, so they never vote.
 */
function isWatched({ processing, history }: Cluster, slot: number): boolean {
  return processing.some(({ slot: other, machine }) => {
    if (other === slot || machine === null) return false
    const { appliedIndex = -Infinity } = machine as Partial<ProcessingReplica>
    return appliedIndex >= history.committed.index - NEAR
  })
}

/**
 * One replica at a time computes wrong bytes: of three replicas the vote finds it, of two it finds
 * a difference.
 */
export const wrongBytes: Fault = {
  every: 5_000,
  strike(strike) {
    const { cluster, random, tell, later } = strike
    const { processing } = cluster.sizes
    if (processing < 2 || cluster.wrong.size > 0) return
    const slot = random.between(1, processing)
    if (!isWatched(cluster, slot)) return
    tell(`p${slot}`)
    cluster.corrupt(slot, true)
    later(random.spread(100, 4_000), () => cluster.corrupt(slot, false))
    if (random.chance(0.5)) buildSlowly(strike, slot)
  },
}

/** The wrong replica's rebuild of its state takes a while, and users connect meanwhile. */
function buildSlowly({ cluster, random, later, restart }: Strike, slot: number): void {
  const { network, persistence, clients } = cluster
  const slow = random.spread(5, 100)
  whenSaid(
    cluster,
    'FEED',
    (from, _to, message) => {
      const begins =
        from.slot === slot &&
        message.type === 'FEED' &&
        message.step === 'begin' &&
        message.after === 0
      if (!begins) return false
      for (const store of persistence) {
        const path = `${store.name}>${from.name}`
        network.slow.set(path, slow)
        later(random.spread(50, 2_000), () => network.slow.delete(path))
      }
      for (const client of clients) {
        later(random.spread(1, 100), () => {
          client.crash()
          later(random.spread(1, 100), () => restart(client))
        })
      }
      return true
    },
    LOOKS,
  )
}

/** Several replicas compute wrong bytes, each in its own way: no majority agrees. */
export const wrongMajority: Fault = {
  every: 4_000,
  beyond: true,
  strike({ cluster, random, tell, later }) {
    if (cluster.sizes.processing < 2) return
    const [wrong] = random.split(cluster.processing)
    tell(wrong.map((host) => host.name).join(' '))
    for (const { slot } of wrong) {
      cluster.corrupt(slot, true)
      later(random.spread(100, 4_000), () => cluster.corrupt(slot, false))
    }
  },
}
