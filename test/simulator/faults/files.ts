// Faults of files. Within the fault model at most a minority of them is lost, damaged or put back to
// an earlier state: `spared` says when one may be.

import { sameEpoch } from '../../../protocol/log/epoch.js'
import type { Cluster } from '../cluster.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import type { Fault, Strike } from './strike.js'

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
  every: 6_000,
  strike(strike) {
    const store = strike.random.pick(strike.cluster.persistence)
    if (spared(strike.cluster, store.disk!)) lose(strike, store)
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

/**
 * A file comes back as it was some time ago. It may while the others hold all that it forgets: what
 * only it and a dead replica knew is gone, whoever notices.
 */
export const rolledBack: Fault = {
  every: 5_000,
  strike(strike) {
    const { cluster, random, tell, later, restart } = strike
    const store = random.pick(cluster.persistence)
    const disk = store.disk!
    const earlier = disk.snapshot()
    later(random.spread(100, 5_000), () => {
      const { file, last } = disk
      if (!earlier || file?.incarnation !== earlier.incarnation) return
      const held = cluster.disks.every((other) => other.sound && other.holds(last))
      if (!held || !spared(cluster, disk) || !oneView(cluster)) return
      tell(`${store.name} from ${disk.last.index} to ${earlier.log.length - 1}`)
      store.crash()
      disk.restore(earlier)
      later(random.spread(20, 2_000), () => restart(store))
    })
  },
}

function oneView({ disks }: Cluster): boolean {
  const [first, ...others] = disks.map(({ file }) => file!.view.epoch)
  return others.every((epoch) => sameEpoch(epoch, first!))
}
