// Makes a failing run smaller while it breaks the same invariant: fewer strikes of faults (ddmin,
// Zeller & Hildebrandt 2002), a shorter storm, fewer clients and replicas.

import type { Plan } from './plan.js'
import { failed, type Failure, type Result } from './result.js'

export interface Shrunk {
  readonly from: Failure
  readonly to: Failure
  readonly runs: number
}

/** Smaller clusters, the smallest first. */
const SMALLER = [
  { processing: 1, persistence: 1 },
  { processing: 2, persistence: 3 },
  { processing: 3, persistence: 3 },
] as const

class Shrinking {
  readonly #run: (plan: Plan) => Result
  readonly #tell: (text: string) => void
  best: Failure
  runs = 0

  constructor(from: Failure, run: (plan: Plan) => Result, tell: (text: string) => void) {
    this.best = from
    this.#run = run
    this.#tell = tell
  }

  /** Whether the run still fails with this change; then it is the best so far. */
  #still(change: Partial<Plan>): boolean {
    this.runs++
    const result = this.#run({ ...this.best.plan, ...change })
    if (!failed(result) || result.violation.invariant !== this.best.violation.invariant)
      return false
    this.best = result
    const { strikes, stormMs, plan } = result
    const { processing, persistence, clients } = plan.sizes
    this.#tell(
      `${this.runs} runs: ${strikes.length} strikes in ${stormMs} ms, ` +
        `${processing} + ${persistence} replicas, ${clients} clients`,
    )
    return true
  }

  fewerStrikes(): void {
    const { plan, strikes } = this.best
    // Strikes without effect need not be named.
    if (plan.strikes?.length !== strikes.length) this.#still({ strikes })
    if (this.best.strikes.length > 0 && this.#still({ strikes: [] })) return
    for (let parts = 2; this.best.strikes.length > 1;) {
      const { length } = this.best.strikes
      const size = Math.ceil(length / parts)
      if (this.#without(size)) parts = Math.max(2, parts - 1)
      else if (size === 1) return
      else parts = Math.min(length, 2 * parts)
    }
  }

  /**
   * Leaves out one stretch of `size` strikes without which the run still fails; false: there is
   * none.
   */
  #without(size: number): boolean {
    const { strikes } = this.best
    for (let start = 0; start < strikes.length; start += size) {
      if (this.#still({ strikes: strikes.toSpliced(start, size) })) return true
    }
    return false
  }

  shorterStorm(): void {
    const end = Math.ceil(this.best.virtualMs)
    if (end < this.best.stormMs) this.#still({ stormMs: end })
    for (let step = this.best.stormMs / 2; step >= 50; step /= 2) {
      const stormMs = Math.round(this.best.stormMs - step)
      if (stormMs >= 0) this.#still({ stormMs })
    }
  }

  fewerHosts(): void {
    for (let clients = 1; clients < this.best.plan.sizes.clients; clients++) {
      if (this.#still({ sizes: { ...this.best.plan.sizes, clients } })) break
    }
    for (const sizes of SMALLER) {
      const { processing, persistence, clients } = this.best.plan.sizes
      if (sizes.processing + sizes.persistence >= processing + persistence) return
      if (this.#still({ sizes: { ...sizes, clients } })) return
    }
  }
}

/** `tell` gets a line for every smaller run that is found. */
export function shrink(
  from: Failure,
  run: (plan: Plan) => Result,
  tell: (text: string) => void,
): Shrunk {
  const shrinking = new Shrinking(from, run, tell)
  for (;;) {
    const before = shrinking.best
    shrinking.fewerStrikes()
    shrinking.shorterStorm()
    shrinking.fewerHosts()
    if (shrinking.best === before) return { from, to: before, runs: shrinking.runs }
  }
}
