// Faults of files. Within the fault model at most a minority of them is lost, damaged or put back to
// an earlier state: `spared` says when one may be.

import { sameEpoch } from '../../../protocol/log/epoch.js'
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
const LOOKS = 400
const LOOK_MS = 10

/** Puts `earlier` back as soon as it is due and may be. */
function putBack(strike: Strike, store: Host, earlier: File, isDue: (disk: Disk) => boolean): void {
  const { cluster, random, tell, later, restart } = strike
  const disk = store.disk!
  const look = (left: number): void => {
    if (left === 0) return
    if (!isDue(disk) || !mayForget(cluster, disk)) return later(LOOK_MS, () => look(left - 1))
    tell(`${store.name} from ${disk.last.index} to ${earlier.log.length - 1}`)
    store.crash()
    disk.restore(earlier)
    if (random.chance(0.8)) hearLate(strike, store)
    later(random.spread(20, 2_000), () => restart(store))
  }
  look(LOOKS)
}

const sameLife = (disk: Disk, file: File): boolean =>
  disk.file?.incarnation.nonce === file.incarnation.nonce

/** A file is lost; once its slot votes with a new one, the old one turns up and is put back (P9). */
export const lostAndFound: Fault = {
  every: 3_000,
  strike(strike) {
    const { cluster, random, later } = strike
    const store = random.pick(cluster.persistence)
    const disk = store.disk!
    const found = disk.snapshot()
    if (!found || !disk.sound || !spared(cluster, disk)) return
    lose(strike, store)
    later(LOOK_MS, () => {
      putBack(strike, store, found, () => disk.sound && !sameLife(disk, found))
    })
  },
}

/** The others hold all that it does: nothing is lost with it, whoever notices. */
function mayForget(cluster: Cluster, disk: Disk): boolean {
  const held = cluster.disks.every((other) => other.sound && other.holds(disk.last))
  return held && spared(cluster, disk) && oneView(cluster)
}

/**
 * A file comes back as it was some time ago. It may while the others hold all that it forgets: what
 * only it and a dead replica knew is gone, whoever notices.
 */
export const rolledBack: Fault = {
  every: 1_500,
  strike(strike) {
    const { cluster, random, later } = strike
    const store = random.pick(cluster.persistence)
    const disk = store.disk!
    const earlier = disk.snapshot()
    if (!earlier) return
    later(random.spread(100, 5_000), () => {
      putBack(strike, store, earlier, () => sameLife(disk, earlier))
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

function oneView({ disks }: Cluster): boolean {
  const [first, ...others] = disks.map(({ file }) => file!.view.epoch)
  return others.every((epoch) => sameEpoch(epoch, first!))
}
