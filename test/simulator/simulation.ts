// One run: a cluster, a workload and faults, all from one seed. The storm of faults comes first,
// then the calm.

import { Calm } from './calm.js'
import { Cluster, type Machines } from './cluster.js'
import { Storm, swarm, type Rates } from './faults/storm.js'
import { Random } from './random.js'
import { hasTinyFrames, settingOf, type Sizes } from './setting.js'
import { Transcript } from './transcript.js'
import { Violation } from './violation.js'

export interface Workload extends Machines {
  /** Whether the workload begins new work; false near the end of a run. */
  busy: boolean
  /** Number of entries that are always in memory, where a repeated order is looked up. */
  readonly leastTail: number
  /** Every request of the clients has its answer, and a good one. */
  settled(cluster: Cluster): boolean
}

/**
 * usual: faults within the fault model, and every promise must hold. beyond: more breaks than that;
 * progress is not promised, but nothing may be silently wrong.
 */
export type Mode = 'usual' | 'beyond'

export interface Options {
  readonly seed: number
  readonly sizes: Sizes
  readonly workload: Workload
  readonly mode?: Mode
  /** Rates in place of the swarm's choice. */
  readonly rates?: Rates
  /** Names of the only strikes of faults that happen, such as crash#3; absent: all. */
  readonly strikes?: ReadonlySet<string>
  readonly stormMs?: number
  readonly print?: (line: string) => void
}

export interface Outcome {
  readonly seed: number
  readonly hash: number
  readonly violation: Violation | null
  readonly virtualMs: number
  readonly stormMs: number
  readonly events: number
  readonly entries: number
  /** Milliseconds from the end of the faults to the next committed order, and to equal logs. */
  readonly servedMs: number
  readonly convergedMs: number
  readonly rates: Rates
  /** Strikes of faults that had an effect, in order. */
  readonly strikes: readonly string[]
  readonly reached: ReadonlyMap<string, number>
}

/** Milliseconds for which a run beyond the fault model is watched after the faults. */
const WATCHED_MS = 5_000

class Run {
  readonly #options: Options
  readonly #mode: Mode
  readonly #cluster: Cluster
  readonly #transcript: Transcript
  readonly #storm: Storm
  readonly #rates: Rates
  readonly #stormMs: number
  readonly #calm: Calm

  constructor(options: Options) {
    const { seed, sizes, workload, print, mode = 'usual' } = options
    const plan = new Random(seed, 'plan')
    this.#options = options
    this.#mode = mode
    const setting = settingOf(seed, sizes, mode === 'beyond', plan, workload.leastTail)
    this.#rates = options.rates ?? swarm(plan, mode === 'beyond')
    this.#stormMs = options.stormMs ?? new Random(seed, 'storm').between(2_000, 12_000)
    this.#transcript = new Transcript(print !== undefined, print ?? ((): void => {}))
    const cluster = new Cluster(setting, workload, this.#transcript)
    this.#cluster = cluster
    const tinyFrames = hasTinyFrames(setting.logBounds)
    this.#calm = new Calm(cluster, workload, seed, tinyFrames, (what) => this.#say(what))
    this.#storm = new Storm(cluster, seed, this.#rates, options.strikes, (name, what) => {
      cluster.coverage.reach(`fault ${name}`)
      this.#say(`FAULT   ${what}`)
    })
  }

  run(): Outcome {
    let violation: Violation | null = null
    try {
      this.#course()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      violation = error
      this.#say(`VIOLATION ${error.message}`)
      this.#describe()
    }
    const { timeline, history, coverage } = this.#cluster
    return {
      seed: this.#options.seed,
      hash: this.#transcript.hash,
      violation,
      virtualMs: timeline.now,
      stormMs: this.#stormMs,
      events: timeline.events,
      entries: history.ledger.length - 1,
      servedMs: this.#calm.servedMs,
      convergedMs: this.#calm.convergedMs,
      rates: this.#rates,
      strikes: this.#storm.strikes,
      reached: coverage.reached,
    }
  }

  #say(what: string): void {
    this.#transcript.line(this.#cluster.timeline.now, what)
  }

  /** Adds every replica's own state to the transcript. */
  #describe(): void {
    if (!this.#transcript.traced) return
    for (const { name, machine } of this.#cluster.hosts) {
      for (const word of machine ? ['stat', 'view', 'turn', 'log', 'ring'] : []) {
        const text = machine!.debugWords[word]?.answer()
        if (typeof text === 'string') this.#say(`${name} ${word}: ${text.split('\n').join('; ')}`)
      }
    }
  }

  #course(): void {
    const cluster = this.#cluster
    const { workload } = this.#options
    workload.busy = true
    for (const host of cluster.hosts) cluster.start(host)
    this.#cluster.timeline.pass(this.#stormMs)
    this.#storm.end()
    if (this.#mode === 'beyond') {
      this.#say('CALM    faults are over')
      cluster.heal(cluster.hosts)
      this.#cluster.timeline.pass(WATCHED_MS)
    } else this.#calm.run()
    for (const check of cluster.checks) check.ended?.()
  }
}

export function simulate(options: Options): Outcome {
  return new Run(options).run()
}
