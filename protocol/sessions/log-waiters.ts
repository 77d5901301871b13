// Callbacks that wait for the own log: a log-in waits for all that was acknowledged before it, a
// page for the streams, keys and deletions that it rests on.

import type { Executor } from '../state/executor.js'

export class LogWaiters {
  readonly #executor: Executor
  #waiting: { readonly index: number; readonly then: () => void }[] = []
  #furthest = 0

  constructor(executor: Executor) {
    this.#executor = executor
  }

  /**
   * Highest index ever applied here. While the state is rebuilt, it is above the index applied now.
   */
  get furthest(): number {
    return this.#furthest
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Runs `then` once the log is applied through `index`, at once if it already is. */
  through(index: number, then: () => void): void {
    if (this.#executor.placed && index <= this.#executor.base.index) return then()
    this.#waiting.push({ index, then })
  }

  /** Runs `then` at the highest index ever applied here: later only while the state is rebuilt. */
  again(then: () => void): void {
    this.through(this.#furthest, then)
  }

  /** The log has been applied further. */
  advance(): void {
    if (!this.#executor.placed) return
    const { index } = this.#executor.base
    this.#furthest = Math.max(this.#furthest, index)
    const ready = this.#waiting.filter((waiting) => waiting.index <= index)
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter((waiting) => waiting.index > index)
    for (const { then } of ready) then()
  }
}
