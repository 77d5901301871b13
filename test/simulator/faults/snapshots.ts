// Faults of snapshots, the files of processing replicas beside the log. None of them may show in
// what users see: a snapshot is a cache.

import type { Host } from '../host.js'
import type { Random } from '../random.js'
import type { SnapshotContent, SnapshotDisk } from '../snapshot-disk.js'
import type { Fault, Strike } from './strike.js'

/** The snapshot of another log, with other records: `ahead` entries further than it was. */
function ofAnotherLog(
  { records, head }: SnapshotContent,
  random: Random,
  ahead = 0,
): SnapshotContent {
  const { place } = head
  // The empty state is one of every log.
  if (place.index + ahead === 0) return { records, head }
  const others = [...records].filter(() => random.chance(0.7))
  const other = { index: place.index + ahead, chain: random.bytes(place.chain.length) }
  return { records: new Map(others), head: { ...head, place: other } }
}

type Blow = (disk: SnapshotDisk, content: SnapshotContent, random: Random) => void

const BLOWS: Readonly<Record<string, Blow>> = {
  'is lost': (disk) => (disk.content = null),
  'is damaged': (disk) => (disk.damaged = true),
  'is of another log': (disk, content, random) => (disk.content = ofAnotherLog(content, random)),
  'is of a longer log': (disk, content, random) => {
    disk.content = ofAnotherLog(content, random, random.between(1, 2_000))
  },
  'is of another cluster': (disk, { records, head }) => {
    disk.content = { records, head: { ...head, clusterId: 'another' } }
  },
  'is of another history': (disk, { records, head }, random) => {
    // The beginning of the log may be the same, so the chain says nothing.
    const others = new Map([...records].filter(() => random.chance(0.7)))
    disk.content = { records: others, head: { ...head, historyId: 'another' } }
  },
  'has another format': (disk, { records, head }) => {
    disk.content = { records, head: { ...head, format: 0 } }
  },
}

function restartWith({ random, later, restart }: Strike, host: Host, change: () => void): void {
  host.crash()
  const { bootCount } = host
  later(random.spread(20, 2_000), () => {
    if (host.up || host.bootCount !== bootCount) return
    change()
    restart(host)
  })
}

/** A replica finds its snapshot lost, damaged, or not one of its log. */
export const badSnapshot: Fault = {
  every: 3_000,
  strike(strike) {
    const { cluster, random, tell } = strike
    const host = random.pick(cluster.processing)
    const disk = host.snapshot
    const how = random.pick(Object.keys(BLOWS))
    if (!disk?.content || !host.up) return
    tell(`${host.name} ${how}`)
    restartWith(strike, host, () => {
      if (disk.content) BLOWS[how]!(disk, disk.content, random)
    })
  },
}

/** A replica finds an earlier version of its snapshot. */
export const oldSnapshot: Fault = {
  every: 2_000,
  strike(strike) {
    const { cluster, random, tell, later } = strike
    const host = random.pick(cluster.processing)
    const disk = host.snapshot
    const earlier = disk?.content
    if (!disk || !earlier) return
    later(random.spread(100, 4_000), () => {
      if (!host.up) return
      tell(host.name)
      restartWith(strike, host, () => (disk.content = earlier))
    })
  },
}

/** Saves are slow, find no room, or find a file that cannot be written. */
export const hardSnapshot: Fault = {
  every: 2_000,
  strike({ cluster, random, tell, later }) {
    const host = random.pick(cluster.processing)
    const disk = host.snapshot
    if (!disk) return
    tell(host.name)
    const kind = random.between(1, 3)
    if (kind === 1) disk.slow = random.spread(3, 200)
    else if (kind === 2) disk.full = true
    else disk.fails = true
    later(random.spread(100, 5_000), () => disk.heal())
  },
}
