// What waits for the own log: a log-in for all that was acknowledged before it, a page for the
// streams, keys and deletions that it rests on.

import type { Executor } from '../state/executor.js'

export class LogWaiters {
  readonly #executor: Executor
  #waiting: { readonly index: number; readonly then: () => void }[] = []
  #furthest = 0

  constructor(executor: Executor) {
    this.#executor = executor
  }

  /** All that was ever applied here: while the state is built again, more than is applied. */
  get furthest(): number {
    return this.#furthest
  }

  /** Runs `then` once the log is applied through `index`: at once, where it is. */
  through(index: number, then: () => void): void {
    if (index <= this.#executor.base.index) return then()
    this.#waiting.push({ index, then })
  }

  /** Through all that was ever applied here: later only while the state is built again. */
  again(then: () => void): void {
    this.through(this.#furthest, then)
  }

  /** The log has been applied further. */
  advance(): void {
    const { index } = this.#executor.base
    this.#furthest = Math.max(this.#furthest, index)
    const ready = this.#waiting.filter((waiting) => waiting.index <= index)
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter((waiting) => waiting.index > index)
    for (const { then } of ready) then()
  }
}
