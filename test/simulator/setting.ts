// The setting of a run: sizes, speeds, and the bounds of logs and frames.

import type { LogBounds } from '../../protocol/machine/config.js'
import { KEEP_ALL, type RetentionRule } from '../../protocol/entries/retention.js'
import { Random } from './random.js'

export interface Sizes {
  readonly processing: number
  readonly persistence: number
  readonly clients: number
}

export interface Setting {
  readonly seed: number
  readonly sizes: Sizes
  /** Whether every message is encoded and decoded on its way. */
  readonly wire: boolean
  /** Mean latency in one direction, milliseconds. */
  readonly latency: number
  readonly logBounds: LogBounds
  /** Of every mailbox. */
  readonly retention?: RetentionRule
  /** Every second replica has no retention in its configuration. */
  readonly uneven?: boolean
  /**
   * Whether an assertion of a replica's own may stop it: beyond the fault model that may be all
   * that it can do.
   */
  readonly mayHalt: boolean
  /** Name of a host that sends arbitrary messages beside its work; its own messages may halt it. */
  readonly liar?: string
}

export const hasTinyFrames = ({
  stretch,
  frameBytes,
}: Pick<LogBounds, 'stretch' | 'frameBytes'>): boolean => stretch < 8 || frameBytes < 1_000

const RULES: readonly RetentionRule[] = [
  KEEP_ALL,
  KEEP_ALL,
  { ...KEEP_ALL, age: 1_500 },
  { ...KEEP_ALL, count: 10 },
  { ...KEEP_ALL, bytes: 3_000 },
  { age: 3_000, count: 40, bytes: 20_000 },
]

function retentionOf(random: Random): Pick<Setting, 'retention' | 'uneven'> {
  return { retention: random.pick(RULES), uneven: random.chance(0.15) }
}

/** The setting that the seed chooses. `least`: number of small entries that are always in memory. */
export function settingOf(
  seed: number,
  sizes: Sizes,
  mayHalt: boolean,
  plan: Random,
  least: number,
): Setting {
  const [wire, latency] = [plan.chance(0.15), plan.spread(0.1, 5)]
  const bounds = new Random(seed, 'bounds')
  let tail = bounds.pick([least, 256, 1_024, 8_192])
  const near = bounds.pick([20, 200, 1_000])
  let stretch = bounds.pick([1, 2, 32, 512])
  let frameBytes = bounds.pick([700, 8_192, 160 * 1024, 160 * 1024])
  // Reads from the file then reach back beyond the entries in memory.
  if (bounds.chance(0.3)) [tail, stretch, frameBytes] = [least, 512, 160 * 1024]
  const bytes = bounds.pick([least * 1_000, 64 * 1_024, 4 * 1_024 * 1_024])
  const logBounds = {
    ...{ tail: { entries: tail, bytes }, stretch, frameBytes },
    // A view waits while its members fetch the entries that they lack: some tens of frames at most.
    near: hasTinyFrames({ stretch, frameBytes }) ? Math.min(near, 60) : near,
  }
  return {
    seed,
    sizes,
    wire,
    latency,
    logBounds,
    mayHalt,
    ...retentionOf(new Random(seed, 'retention')),
  }
}
