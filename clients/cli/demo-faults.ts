// The faults of the demo: kills a replica with SIGKILL while messages are under way, and waits
// until it has recovered.

import type { ClusterStatus } from '../cluster-status.js'
import type { ReplicaPorts } from './cluster-file.js'
import { askDebugPort } from './debug-port.js'

const POLL_MS = 25
const BACK_MS = 60_000

export interface Kill {
  readonly name: string
  readonly atMs: number
  /** Time until the replica answers and has every committed entry, in ms; null: not yet. */
  recoveredMs: number | null
}

export function kill(name: string, pid: number): Kill {
  process.kill(pid, 'SIGKILL')
  return { name, atMs: performance.now(), recoveredMs: null }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

const ask = (replica: ReplicaPorts, word: string): Promise<string> =>
  askDebugPort(replica.debugPort, word).catch(() => '')

/** Asks the persistence replicas until one holds the turn; null after `withinMs`. */
export async function findHolder(
  stores: readonly ReplicaPorts[],
  withinMs: number,
): Promise<ReplicaPorts | null> {
  const until = performance.now() + withinMs
  while (performance.now() < until) {
    const answers = await Promise.all(stores.map((store) => ask(store, 'turn')))
    const holder = stores.find((_, i) => /^holding/i.test(answers[i]!))
    if (holder) return holder
    await pause(POLL_MS)
  }
  return null
}

/** Resolves when the restarted replica answers and has caught up. */
export async function recovered(
  killed: Kill,
  replica: ReplicaPorts,
  status: () => Promise<ClusterStatus>,
): Promise<void> {
  const tier = replica.name.startsWith('p') ? 'processing' : 'persistence'
  const slot = Number(replica.name.slice(1))
  while (performance.now() - killed.atMs < BACK_MS) {
    await pause(POLL_MS * 4)
    if ((await ask(replica, 'ruok')) !== 'imok') continue
    const seen = await status().catch(() => null)
    if (!seen) continue
    const committed = Math.max(...seen.replicas.map((other) => other.committed))
    const own = seen.replicas.find((other) => other.tier === tier && other.slot === slot)
    if (!own?.reachable || own.committed < committed) continue
    killed.recoveredMs = performance.now() - killed.atMs
    return
  }
  throw new Error(`${replica.name} was killed and has not caught up within ${BACK_MS / 1000} s`)
}

/** The longest time without a receipt that touches `fromMs` to `toMs`, in ms. */
export function longestGap(receiptsAtMs: readonly number[], fromMs: number, toMs: number): number {
  let longest = 0
  for (let i = 1; i < receiptsAtMs.length; i++) {
    const [before, after] = [receiptsAtMs[i - 1]!, receiptsAtMs[i]!]
    if (after >= fromMs && before <= toMs) longest = Math.max(longest, after - before)
  }
  return longest
}
