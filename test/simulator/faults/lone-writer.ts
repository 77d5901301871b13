// Who writes goes on alone for a while. Its log then has entries that others hold and nobody knows to
// be committed, and after them a tail of its own, which the next view takes back. What the file has
// been told meanwhile is often still on its way when that happens, or fails.

import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import { kill } from './processes.js'
import { whenSaid, type Fault, type Strike } from './strike.js'

/** Milliseconds until it is left alone though it has nothing more to say. */
const PATIENCE_MS = 200

type Trouble = (strike: Strike, store: Host, lasts: number) => void

/** From the first thing that it is told of the next view, its disk is full for a moment. */
function fullWhenBack({ cluster, random, later }: Strike, store: Host): void {
  const begin = (): void => {
    store.disk!.full = true
    later(random.spread(5, 800), () => store.disk!.heal())
  }
  whenSaid(cluster, random.pick(['INSTALL', 'PULLED', 'PULLED']), (_from, to) => {
    if (to === store) later(0, begin)
    return to === store
  })
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'its disk is well': () => {},
  'its disk is stuck'({ cluster, random }, store, lasts) {
    store.disk!.stuckUntil = cluster.timeline.now + lasts + random.spread(20, 3_000)
  },
  'its disk is full when it comes back': fullWhenBack,
}

const othersThan = ({ persistence }: Cluster, store: Host): Host[] =>
  persistence.filter((host) => host !== store)

/** It hears of nobody from here on, and after a while nobody hears of it. */
function isLeft(strike: Strike, store: Host, leaves: (leave: () => void) => void): void {
  const { cluster, random, tell, later } = strike
  const { network } = cluster
  const others = othersThan(cluster, store)
  if (others.length === 0) return
  const trouble = random.pick(Object.keys(TROUBLES))
  tell(`${store.name} hears of nobody, and goes on; ${trouble}`)
  for (const other of others) network.block(other, store)
  let alone = false
  leaves(() => {
    if (alone) return
    alone = true
    const lasts = random.spread(500, 5_000)
    for (const other of others) network.block(store, other)
    TROUBLES[trouble]!(strike, store, lasts)
    // Who had gone on without it is gone too: those that it does not hear ask it what it knows.
    if (random.chance(0.3)) later(lasts * random.float(), () => kill(strike, random.pick(others)))
    later(lasts, () => comesBack(cluster, store))
  })
}

function comesBack(cluster: Cluster, store: Host): void {
  const { network } = cluster
  for (const other of othersThan(cluster, store)) {
    for (const connection of network.between(store, other)) network.sever(connection)
    network.unblock(store, other)
    network.unblock(other, store)
  }
}

/** Of two REPLICATEs: whether they say the same, each to another. */
const isSame = (first: Message, next: Message): boolean =>
  first.type === 'REPLICATE' &&
  next.type === 'REPLICATE' &&
  first.previous.index === next.previous.index

/** Others hear what it has just said, but not what it says next. */
function afterGroup(strike: Strike, writer: Host, first: Message): void {
  const { cluster, later } = strike
  isLeft(strike, writer, (leave) => {
    later(PATIENCE_MS, leave)
    whenSaid(cluster, 'REPLICATE', (from, _to, message) => {
      const next = from === writer && !isSame(first, message)
      if (next) later(0, leave)
      return next
    })
  })
}

export const leftAlone: Fault = {
  every: 1_500,
  strike(strike) {
    const { cluster, random, later } = strike
    // A claim's TERM may then be in nobody else's log.
    const moment = random.pick(['REPLICATE', 'REPLICATE', 'CLAIM'] as const)
    if (cluster.trapped(moment)) return
    cluster.trap(moment, (from, to, message) => {
      later(0, () => {
        if (moment === 'REPLICATE') afterGroup(strike, from, message)
        else isLeft(strike, to, (leave) => leave())
      })
    })
  },
}
