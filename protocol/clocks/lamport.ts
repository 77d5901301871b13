// Lamport 1978: a counter that grows along every message and every local event, so that stamps
// order causes before effects (P6).

/**
 * A stamp that is this far ahead is an error of its sender: one bad peer must not exhaust all
 * clocks.
 */
export const MAX_JUMP = 2 ** 40

export class LamportClock {
  #now: number

  constructor(start = 0) {
    this.#now = start
  }

  get now(): number {
    return this.#now
  }

  /** A local event or a send. */
  tick(): number {
    return ++this.#now
  }

  /** A receipt: max + 1. False, and no change: the stamp is more than MAX_JUMP ahead. */
  receive(stamp: number): boolean {
    if (stamp > this.#now + MAX_JUMP) return false
    this.#now = Math.max(this.#now, stamp) + 1
    return true
  }

  /** The clock is never below a stamp that is in the log. */
  raise(stamp: number): void {
    this.#now = Math.max(this.#now, stamp)
  }
}
