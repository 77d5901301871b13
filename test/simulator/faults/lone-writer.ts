// A writer that goes on alone for a while. Its log then has entries that others hold without
// knowing them to be committed, and after these a tail of its own, which the next view takes back.
// The commit that its file is told of is often still queued when that happens, or its write fails.

import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import { kill } from './processes.js'
import { whenSaid, type Fault, type Strike } from './strike.js'

/** Milliseconds after which the writer is cut off even if it sends nothing more. */
const PATIENCE_MS = 200

type DiskFault = (strike: Strike, store: Host, lasts: number) => void

/** The writer's disk is full for a moment, from the first message of the next view on. */
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

const DISK_FAULTS: Readonly<Record<string, DiskFault>> = {
  'its disk is well': () => {},
  'its disk is stuck'({ cluster, random }, store, lasts) {
    store.disk!.stuckUntil = cluster.timeline.now + lasts + random.spread(20, 3_000)
  },
  'its disk is full when it comes back': fullWhenBack,
}

const othersThan = ({ persistence }: Cluster, store: Host): Host[] =>
  persistence.filter((host) => host !== store)

/** The store hears nobody from here on; once `leaves` calls back, nobody hears the store either. */
function isLeft(strike: Strike, store: Host, leaves: (leave: () => void) => void): void {
  const { cluster, random, tell, later } = strike
  const { network } = cluster
  const others = othersThan(cluster, store)
  if (others.length === 0) return
  const diskFault = random.pick(Object.keys(DISK_FAULTS))
  tell(`${store.name} hears of nobody, and goes on; ${diskFault}`)
  for (const other of others) network.block(other, store)
  let alone = false
  leaves(() => {
    if (alone) return
    alone = true
    const lasts = random.spread(500, 5_000)
    for (const other of others) network.block(store, other)
    DISK_FAULTS[diskFault]!(strike, store, lasts)
    // A replica that had gone on without the writer ends too; the others ask the writer what it
    // knows.
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

/** Whether two REPLICATEs carry the same entries to different members. */
const isSame = (first: Message, next: Message): boolean =>
  first.type === 'REPLICATE' &&
  next.type === 'REPLICATE' &&
  first.previous.index === next.previous.index

/** The others get the writer's present entries but not its next ones. */
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
    // A claim's TERM entry may then be in nobody else's log.
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
