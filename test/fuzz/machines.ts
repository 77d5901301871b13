// A cluster on virtual time in which one replica of a tier, or one client, sends arbitrary messages
// beside its work. Invariant: none of them ends another's process.

import type { Machine } from '../../protocol/machine/machine.js'
import { LOG_BOUNDS } from '../../protocol/machine/config.js'
import type { Disk } from '../simulator/disk.js'
import { Cluster } from '../simulator/cluster.js'
import { Random } from '../simulator/random.js'
import { Transcript } from '../simulator/transcript.js'
import { Violation } from '../simulator/violation.js'
import { Whole } from '../simulator/workload/whole.js'
import { Rogue } from './rogue.js'

/** Longest virtual time until a cluster serves again after its rogue falls silent. */
const SERVED_MS = 20_000
const SIZES = { processing: 3, persistence: 3, clients: 2 }

export type Kind = 'persistence' | 'processing' | 'client'

export interface Course {
  /** Frames that the rogue sent. */
  readonly sent: number
  /** Message of a machine's halt or exception; null: none halted. */
  readonly end: string | null
  /** Whether orders are committed again once the rogue is quiet. */
  readonly serves: boolean
  readonly orders: number
  /** Names of the states reached, from test/simulator/coverage. */
  readonly reached: ReadonlySet<string>
}

/**
 * Deliberate halts. A history that differs below the commit index or within one epoch means that
 * one of two replicas is wrong. A replica cannot decide which one, so it halts (docs/SECURITY.md).
 */
export const DELIBERATE = /: P[23]: /

/** Runs a cluster for `ms` of virtual time. The rogue is the highest slot of `kind`. */
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
  // The other checks expect that all follow the protocol, which the rogue does not.
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

/** Progress of the log in terms and orders; a working cluster increases it. */
function ordersIn(disks: readonly Disk[]): number {
  return Math.max(...disks.map(({ last }) => last.fence.term * 2 ** 20 + last.fence.k))
}
