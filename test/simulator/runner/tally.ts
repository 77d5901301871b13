// The sums over the runs of a campaign.

import { knownNames } from '../coverage/known.js'
import type { Plan } from './plan.js'
import { failed, type Failure, type Result } from './result.js'

interface Recovery {
  readonly ms: number
  readonly plan: Plan
}

/** Number of the slowest recoveries that are kept. */
const SLOWEST = 3

export class Tally {
  readonly failures: Failure[] = []
  readonly reached = new Map<string, number>()
  /** The slowest recoveries after the faults: to the next committed order, and to equal logs. */
  readonly served: Recovery[] = []
  readonly converged: Recovery[] = []
  seeds = 0
  virtualMs = 0
  entries = 0
  readonly #begun = performance.now()

  add(result: Result): void {
    const { plan, servedMs, convergedMs } = result
    this.seeds++
    this.virtualMs += result.virtualMs
    this.entries += result.entries
    for (const [what, count] of result.reached) {
      this.reached.set(what, (this.reached.get(what) ?? 0) + count)
    }
    if (failed(result)) this.failures.push(result)
    else if (plan.mode === 'usual') {
      this.#slow(this.served, { ms: servedMs, plan })
      this.#slow(this.converged, { ms: convergedMs, plan })
    }
  }

  #slow(list: Recovery[], recovery: Recovery): void {
    list.push(recovery)
    list.sort((a, b) => b.ms - a.ms)
    list.length = Math.min(list.length, SLOWEST)
  }

  get seconds(): number {
    return (performance.now() - this.#begun) / 1000
  }

  get faults(): number {
    let faults = 0
    for (const [name, count] of this.reached) if (name.startsWith('fault ')) faults += count
    return faults
  }

  /** Known states that no run reached. */
  get holes(): string[] {
    return knownNames().filter((name) => !this.reached.has(name))
  }

  get progress(): string {
    const known = knownNames().length
    return [
      `${this.seeds} seeds`,
      `${this.failures.length} failed`,
      `${(this.virtualMs / 3_600_000).toFixed(2)} virtual hours`,
      `${(this.virtualMs / 1000 / this.seconds).toFixed(0)} virtual s per s`,
      `${this.faults} faults`,
      `${known - this.holes.length} of ${known} states`,
      `${this.entries} entries`,
    ].join(', ')
  }
}
