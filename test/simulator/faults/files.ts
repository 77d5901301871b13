// Faults of files. Within the fault model at most a minority of them is lost, damaged or put back to
// an earlier state: `spared` says when one may be.

import { compareEpochs } from '../../../protocol/entries/epoch.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Disk } from '../disk.js'
import type { File } from '../file.js'
import type { Host } from '../host.js'
import { whenSaid, type Fault, type Strike } from './strike.js'

function slowed(every: number, begin: (disk: Disk, strike: Strike, lasts: number) => void): Fault {
  return {
    every,
    strike(strike) {
      const { cluster, random, tell, later } = strike
      const store = random.pick(cluster.persistence)
      const disk = store.disk!
      const lasts = random.spread(200, 8_000)
      tell(store.name)
      begin(disk, strike, lasts)
      later(lasts, () => disk.heal())
    },
  }
}

export const slowDisk = slowed(2_500, (disk, { random }) => (disk.slow = random.spread(3, 100)))
export const stuckDisk = slowed(4_000, (disk, { cluster }, lasts) => {
  disk.stuckUntil = cluster.timeline.now + lasts
})
export const fullDisk = slowed(5_000, (disk) => (disk.full = true))

/** fsync fails: whether the transaction is on disk nobody knows, and the process exits. */
export const fsyncError: Fault = {
  every: 3_000,
  strike({ cluster, random, tell, later, restart }) {
    const store = random.pick(cluster.persistence)
    tell(store.name)
    store.disk!.failNext(() => {
      store.crash()
      later(random.spread(20, 3_000), () => restart(store))
    })
  },
}

/** With this file too, those that do not count are a minority. */
export function spared({ disks }: Cluster, victim: Disk): boolean {
  const unsound = disks.filter((disk) => disk !== victim && !disk.sound)
  return 2 * (unsound.length + 1) < disks.length
}

export function lose({ tell, later, random, restart }: Strike, store: Host): void {
  tell(store.name)
  store.crash()
  store.disk!.lose()
  later(random.spread(20, 2_000), () => restart(store))
}

export const lostFile: Fault = {
  every: 4_000,
  strike(strike) {
    const store = strike.random.pick(strike.cluster.persistence)
    if (spared(strike.cluster, store.disk!)) lose(strike, store)
  },
}

/** Lost, and once one other has heard of the new life lost again: the others know nothing of that (P9). */
export const lostTwice: Fault = {
  every: 3_000,
  strike(strike) {
    const { cluster, random, later } = strike
    const { network, persistence } = cluster
    const store = random.pick(persistence)
    const lasts = random.spread(500, 3_000)
    const cut = (from: Host, to: Host): void => {
      network.block(from, to)
      later(lasts, () => network.unblock(from, to))
    }
    if (!spared(cluster, store.disk!)) return
    lose(strike, store)
    const begun = (from: Host, knows: Host, message: Message): boolean => {
      if (from !== store || !('incarnation' in message) || message.incarnation.counter === 0)
        return false
      later(0, () => {
        for (const other of persistence) if (other !== knows && other !== store) cut(store, other)
      })
      later(random.spread(5, 50), () => {
        if (!spared(cluster, store.disk!)) return
        lose(strike, store)
        cut(knows, store)
      })
      return true
    }
    whenSaid(cluster, 'VIEW_HEARTBEAT', begun, 1_000)
  },
}

export const lostFiles: Fault = {
  every: 4_000,
  beyond: true,
  strike(strike) {
    const [lost] = strike.random.split(strike.cluster.persistence)
    for (const store of lost) lose(strike, store)
  },
}

function flip({ random, tell }: Strike, store: Host): void {
  const { last } = store.disk!
  if (last.index === 0) return
  const index = random.between(1, last.index)
  tell(`${store.name} entry ${index} of ${last.index}`)
  store.disk!.flip(index)
}

/** A bit of the file is not what was written; it shows when that part is read. */
export const bitFlip: Fault = {
  every: 5_000,
  strike(strike) {
    const store = strike.random.pick(strike.cluster.persistence)
    if (spared(strike.cluster, store.disk!)) flip(strike, store)
  },
}

export const bitFlips: Fault = {
  every: 2_000,
  beyond: true,
  strike(strike) {
    for (const store of strike.random.split(strike.cluster.persistence)[0]) flip(strike, store)
  },
}

/** How often one looks for a moment at which a file may be put back, and every so many ms. */
const LOOKS = 200
const LOOK_MS = 10

function lookFor({ later }: Strike, isThere: () => boolean, then: (there: boolean) => void): void {
  const look = (left: number): void => {
    if (left === 0 || isThere()) return then(left > 0)
    later(LOOK_MS, () => look(left - 1))
  }
  look(LOOKS)
}

/** A replica ends, and comes back with an earlier file as soon as that may be; or else with its own. */
function putBack(strike: Strike, store: Host, earlier: File): void {
  const { cluster, random, tell, later, restart } = strike
  const disk = store.disk!
  const { life } = store
  store.crash()
  const mayCome = (): boolean => store.up || store.life !== life || mayForget(cluster, disk)
  lookFor(strike, mayCome, (may) => {
    if (store.up || store.life !== life) return
    if (may) {
      tell(`${store.name} from ${disk.last.index} to ${earlier.log.length - 1}`)
      disk.restore(earlier)
      if (random.chance(0.8)) hearLate(strike, store)
    }
    later(random.spread(20, 2_000), () => restart(store))
  })
}

const sameLife = (disk: Disk, file: File): boolean =>
  disk.file?.incarnation.nonce === file.incarnation.nonce

/** A file is lost; once its slot votes with a new one, the old one turns up and is put back (P9). */
export const lostAndFound: Fault = {
  every: 3_000,
  strike(strike) {
    const { cluster, random } = strike
    const store = random.pick(cluster.persistence)
    const disk = store.disk!
    const found = disk.snapshot()
    if (!found || !disk.sound || !spared(cluster, disk)) return
    lose(strike, store)
    const votesAnew = (): boolean => disk.sound && !sameLife(disk, found)
    lookFor(strike, votesAnew, (votes) => {
      if (votes) putBack(strike, store, found)
    })
  },
}

/**
 * The others hold all that it does and have promised and installed what it has: nothing is lost with
 * it, whoever notices. What only it and a dead replica knew would be.
 */
function mayForget(cluster: Cluster, disk: Disk): boolean {
  const { promised, logView } = disk.durable
  const others = cluster.disks.filter((other) => other !== disk)
  const know = others.every((other) => {
    const { durable, sound } = other
    const promises = compareEpochs(durable.promised, promised) >= 0
    const installed = compareEpochs(durable.logView, logView) >= 0
    return sound && promises && installed && other.holds(disk.last)
  })
  // A file that has been lost meanwhile says nothing of what it held.
  return disk.file !== null && know && spared(cluster, disk)
}

/** A file comes back as it was some time ago. */
export const rolledBack: Fault = {
  every: 1_500,
  strike(strike) {
    const { cluster, random, later } = strike
    const store = random.pick(cluster.persistence)
    const disk = store.disk!
    const earlier = disk.snapshot()
    if (!earlier) return
    const hasMore = (): boolean => sameLife(disk, earlier) && disk.last.index > earlier.last.index
    later(random.spread(100, 5_000), () => {
      lookFor(strike, hasMore, (has) => {
        if (has && store.up) putBack(strike, store, earlier)
      })
    })
  },
}

/** Others, who may know better, it hears late: it is at work before it learns what it is. */
function hearLate({ cluster, random, later }: Strike, store: Host): void {
  const lasts = random.spread(50, 4_000)
  whenSaid(cluster, 'RECALL', (_from, to) => {
    if (to !== store) return false
    later(0, () => {
      for (const other of cluster.persistence.filter((host) => host !== store)) {
        cluster.network.block(other, store)
        later(lasts, () => cluster.network.unblock(other, store))
      }
    })
    return true
  })
}
