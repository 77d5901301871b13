// Faults of files. Within the fault model at most a minority of the files is lost, damaged or put
// back to an earlier state: `spared` says whether one more may be.

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

/** fsync fails: it is unknown whether the transaction is on disk, and the process exits. */
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

/** Whether the files that do not count would still be a minority with this one. */
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

/**
 * A file is lost, and lost again once one other replica has heard of the new incarnation; the rest
 * know nothing of that incarnation (P9).
 */
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

/** A bit of the file is flipped; that shows when that part is read. */
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

/** Number of looks for a moment at which a file may be put back, and milliseconds between them. */
const LOOKS = 200
const LOOK_MS = 10

function lookFor({ later }: Strike, isThere: () => boolean, then: (there: boolean) => void): void {
  const look = (left: number): void => {
    if (left === 0 || isThere()) return then(left > 0)
    later(LOOK_MS, () => look(left - 1))
  }
  look(LOOKS)
}

/**
 * A replica ends and comes back with an earlier file as soon as that is allowed, or else with its
 * own.
 */
function putBack(strike: Strike, store: Host, earlier: File): void {
  const { cluster, random, tell, later, restart } = strike
  const disk = store.disk!
  const { bootCount } = store
  store.crash()
  const mayCome = (): boolean =>
    store.up || store.bootCount !== bootCount || mayForget(cluster, disk)
  lookFor(strike, mayCome, (may) => {
    if (store.up || store.bootCount !== bootCount) return
    if (may) {
      tell(`${store.name} from ${disk.last.index} to ${earlier.log.length - 1}`)
      disk.restore(earlier)
      if (random.chance(0.8)) hearLate(strike, store)
    }
    later(random.spread(20, 2_000), () => restart(store))
  })
}

const sameIncarnation = (disk: Disk, file: File): boolean =>
  disk.file?.incarnation.nonce === file.incarnation.nonce

/** A file is lost; once its slot votes with a new file, the old one is found and put back (P9). */
export const lostAndFound: Fault = {
  every: 3_000,
  strike(strike) {
    const { cluster, random } = strike
    const store = random.pick(cluster.persistence)
    const disk = store.disk!
    const found = disk.snapshot()
    if (!found || !disk.sound || !spared(cluster, disk)) return
    lose(strike, store)
    const votesAnew = (): boolean => disk.sound && !sameIncarnation(disk, found)
    lookFor(strike, votesAnew, (votes) => {
      if (votes) putBack(strike, store, found)
    })
  },
}

/**
 * The others hold every entry of the disk and have promised and installed its epochs, so nothing is
 * lost with it. State that it shared only with a dead replica would be lost.
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
  // A file lost meanwhile does not tell what it held.
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
    const hasMore = (): boolean =>
      sameIncarnation(disk, earlier) && disk.last.index > earlier.last.index
    later(random.spread(100, 5_000), () => {
      lookFor(strike, hasMore, (has) => {
        if (has && store.up) putBack(strike, store, earlier)
      })
    })
  },
}

/**
 * The replica hears late of those who know that its file is old: it is at work before it learns of
 * that.
 */
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
