// The faults that strike during a run, and when. Every run turns on a random subset, at random
// rates ("swarm", Groce et al. 2012). Each strike has a name, such as crash#3, and random numbers
// of its own, so leaving some strikes out does not change the others: that is how a failing run is
// made smaller.

import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import { Random } from '../random.js'
import { leftAlone } from './lone-writer.js'
import { ambush, obsession } from './ambush.js'
import * as clocks from './clocks.js'
import { echoAfter, echoBefore } from './echoes.js'
import * as files from './files.js'
import * as paths from './paths.js'
import * as processes from './processes.js'
import * as snapshots from './snapshots.js'
import type { Fault } from './strike.js'

export const FAULTS = {
  crash: processes.crash,
  'crash-all': processes.crashAll,
  'crash-holder': processes.crashHolder,
  'client-crash': processes.clientCrash,
  drain: processes.drain,
  pause: processes.pause,
  reset: paths.reset,
  'half-open': paths.halfOpen,
  'late-frames': paths.lateFrames,
  duplicate: paths.duplicate,
  partition: paths.partition,
  'one-way': paths.oneWay,
  bridge: paths.bridge,
  flap: paths.flap,
  'slow-path': paths.slowPath,
  ambush,
  obsession,
  'echo-before': echoBefore,
  'echo-after': echoAfter,
  'slow-disk': files.slowDisk,
  'stuck-disk': files.stuckDisk,
  'full-disk': files.fullDisk,
  'fsync-error': files.fsyncError,
  'lost-file': files.lostFile,
  'rolled-back': files.rolledBack,
  'bit-flip': files.bitFlip,
  'wall-clock': clocks.wallClock,
  strobe: clocks.strobe,
  'wrong-bytes': processes.wrongBytes,
  'lost-files': files.lostFiles,
  'bit-flips': files.bitFlips,
  'wrong-majority': processes.wrongMajority,
  'lost-and-found': files.lostAndFound,
  'left-alone': leftAlone,
  'lost-twice': files.lostTwice,
  'bad-snapshot': snapshots.badSnapshot,
  'old-snapshot': snapshots.oldSnapshot,
  'hard-snapshot': snapshots.hardSnapshot,
} as const satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS
/** Mean milliseconds between two strikes; absent: off. */
export type Rates = Partial<Record<FaultName, number>>

const NAMES = Object.keys(FAULTS) as FaultName[]
const isBeyond = (name: FaultName): boolean => (FAULTS[name] as Fault).beyond === true

/**
 * Faults that keep no replica from voting in time. Wrong bytes go with these alone, because a replica
 * alone in L decides alone. Clocks are not among them: a replica whose clock is behind gives no vote.
 */
const RING_WHOLE: readonly FaultName[] = [
  'client-crash',
  'lost-file',
  'lost-files',
  'bit-flip',
  'bit-flips',
]

/**
 * Faults after which a file does not count for a while. Few files may be so at once, so each of
 * these faults keeps the others away.
 */
const ROBBERS: readonly FaultName[] = [
  'lost-file',
  'rolled-back',
  'bit-flip',
  'lost-and-found',
  'lost-twice',
]

export function swarm(random: Random, beyond = false): Rates {
  const wrong = random.chance(beyond ? 0.3 : 0.15)
  const wrongly = beyond ? 'wrong-majority' : 'wrong-bytes'
  const pace = (name: FaultName): number => FAULTS[name].every * random.spread(0.15, 4)
  const rates: Rates = {}
  if (wrong) rates[wrongly] = 2_000
  for (const name of NAMES) {
    if (name.startsWith('wrong-') || (isBeyond(name) && !beyond)) continue
    if (wrong && !RING_WHOLE.includes(name)) continue
    if (random.chance(0.4)) rates[name] = pace(name)
  }
  if (!wrong && random.chance(0.5)) {
    const alone = random.pick(ROBBERS)
    for (const name of ROBBERS) delete rates[name]
    rates[alone] = pace(alone)
  }
  return rates
}

export class Storm {
  /** Names of the strikes that had an effect, in order. */
  readonly strikes: string[] = []
  readonly #cluster: Cluster
  readonly #seed: number
  readonly #keep: ReadonlySet<string> | undefined
  readonly #tell: (name: FaultName, what: string) => void
  #over = false

  /** `keep`: names of the only strikes that happen; absent: all. */
  constructor(
    cluster: Cluster,
    seed: number,
    rates: Rates,
    keep: ReadonlySet<string> | undefined,
    tell: (name: FaultName, what: string) => void,
  ) {
    this.#cluster = cluster
    this.#seed = seed
    this.#keep = keep
    this.#tell = tell
    for (const name of NAMES) {
      const every = rates[name]
      if (every !== undefined) this.#again(name, every, new Random(seed, `every ${name}`), 1)
    }
  }

  #again(name: FaultName, every: number, random: Random, n: number): void {
    this.#later(random.exponential(every), () => {
      const id = `${name}#${n}`
      if (!this.#keep || this.#keep.has(id)) this.#strike(name, id)
      this.#again(name, every, random, n + 1)
    })
  }

  #later(delay: number, run: () => void): void {
    this.#cluster.timeline.after(delay, () => {
      if (!this.#over) run()
    })
  }

  #strike(name: FaultName, id: string): void {
    FAULTS[name].strike({
      cluster: this.#cluster,
      random: new Random(this.#seed, id),
      theme: new Random(this.#seed, `${name} theme`),
      tell: (what) => {
        if (!this.strikes.includes(id)) this.strikes.push(id)
        this.#tell(name, `${id} ${what}`)
      },
      later: (delay, run) => this.#later(delay, run),
      restart: (host) => this.#restart(host),
    })
  }

  #restart(host: Host): void {
    host.crashAfterEffects = -1
    if (!host.up) this.#cluster.start(host)
  }

  /** Ends the storm; the effects of its strikes stay. */
  end(): void {
    this.#over = true
  }
}
