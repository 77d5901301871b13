// A whole cluster on virtual time in which one replica of a tier, or a client, says anything at all
// beside its work. Nothing that it says may end another's process.

import type { Machine } from '../../protocol/machine/machine.js'
import { LOG_BOUNDS } from '../../protocol/machine/config.js'
import type { Disk } from '../simulator/disk.js'
import { Cluster } from '../simulator/cluster.js'
import { Random } from '../simulator/random.js'
import { Transcript } from '../simulator/transcript.js'
import { Violation } from '../simulator/violation.js'
import { Whole } from '../simulator/workload/whole.js'
import { Rogue } from './rogue.js'

/** Within this a cluster serves again whose rogue has fallen silent, virtual time. */
const SERVED_MS = 20_000
const SIZES = { processing: 3, persistence: 3, clients: 2 }

export type Kind = 'persistence' | 'processing' | 'client'

export interface Course {
  /** Frames of the rogue. */
  readonly sent: number
  /** What a machine halted or threw with; null: none did. */
  readonly end: string | null
  /** Once the rogue is quiet, orders are committed again. */
  readonly serves: boolean
  readonly orders: number
  /** Names of test/simulator/coverage. */
  readonly reached: ReadonlySet<string>
}

/**
 * Another history than the own, below what is committed or in one epoch: then one of the two is wrong,
 * and which one cannot be told. A replica halts, whoever says it (docs/SECURITY.md).
 */
export const DELIBERATE = /: P[23]: /

/** The highest slot of its kind is the rogue. */
export function runMachines(seed: number, kind: Kind, ms: number): Course {
  const rogues: Rogue[] = []
  let quiet = false
  const product = new Whole()
  const last = SIZES[kind === 'client' ? 'clients' : kind]
  const orRogue = (of: Kind, slot: number, machine: Machine): Machine => {
    if (of !== kind || slot !== last) return machine
    const rogue = new Rogue(kind, machine, new Random(seed, `rogue ${rogues.length}`))
    rogue.quiet = quiet
    rogues.push(rogue)
    return rogue
  }
  const machines = {
    persistence: (config: Parameters<Whole['persistence']>[0]) =>
      orRogue('persistence', config.self, product.persistence(config)),
    processing: (...of: Parameters<Whole['processing']>) =>
      orRogue('processing', of[0], product.processing(...of)),
    client: (...of: Parameters<Whole['client']>) => orRogue('client', of[0], product.client(...of)),
  }
  const setting = { seed, sizes: SIZES, wire: true, latency: 0.5, logBounds: LOG_BOUNDS }
  const liar = `${{ client: 'c', processing: 'p', persistence: 's' }[kind]}${last}`
  const silent = new Transcript(false, () => {})
  const cluster = new Cluster({ ...setting, mayHalt: false, liar }, machines, silent)
  // They hold everybody to the protocol: here it is only about who falls over what is said.
  cluster.checks.splice(0, cluster.checks.length, cluster.coverage)
  let [end, serves]: [string | null, boolean] = [null, false]
  const { timeline, disks } = cluster
  try {
    for (const host of cluster.hosts) cluster.start(host)
    while (timeline.now < ms && timeline.step());
    quiet = true
    for (const rogue of rogues) rogue.quiet = true
    const before = ordersIn(disks)
    while (timeline.now < ms + SERVED_MS && !serves && timeline.step()) {
      serves = ordersIn(disks) > before
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    end = error.message
  }
  const sent = rogues.reduce((sum, one) => sum + one.sent, 0)
  const reached = new Set(cluster.coverage.reached.keys())
  return { sent, end, serves, orders: ordersIn(disks), reached }
}

/** Terms count too: more of this is a cluster at work. */
function ordersIn(disks: readonly Disk[]): number {
  return Math.max(...disks.map(({ last }) => last.fence.term * 2 ** 20 + last.fence.k))
}
