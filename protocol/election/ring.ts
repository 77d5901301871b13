// Ring election after Chang & Roberts 1979: ids travel to the successor. A replica forwards a
// higher id, replaces a lower one by its own or drops it, and wins when its own id returns. Rounds,
// a hop limit and random time-outs make lost messages and dying members harmless.

import type { Slot } from '../slots.js'

export interface RingPort {
  /** The next slot with a live link; undefined: alone. */
  successor(): Slot | undefined
  send(to: Slot, message: { round: number; candidate: Slot; hops: number }): void
  /** This replica may offer its id: it reaches a persistence member that can work. */
  eligible(): boolean
  /** 0 <= x < 1. */
  random(): number
}

export interface RingTimings {
  /** A round without a winner is given up after this, and up to twice as long. */
  readonly roundMs: number
}

export class Ring {
  readonly #self: Slot
  readonly #slots: number
  readonly #port: RingPort
  readonly #timings: RingTimings
  #participant = false
  #round = 0
  #deadline = 0
  #fruitless = 0

  constructor(self: Slot, slots: number, port: RingPort, timings: RingTimings) {
    this.#self = self
    this.#slots = slots
    this.#port = port
    this.#timings = timings
  }

  get participant(): boolean {
    return this.#participant
  }

  get round(): number {
    return this.#round
  }

  /** A live coordinator is known: no election. */
  rest(): void {
    this.#participant = false
    this.#fruitless = 0
  }

  /** A link of the ring is gone, and perhaps a candidate with it: a new round need not wait. */
  broken(): void {
    this.#participant = false
  }

  /**
   * No live coordinator is known. True: won, or the ring has not closed for two rounds and this
   * replica claims without it (links need not be transitive).
   */
  elect(nowMs: number): boolean {
    if (this.#participant && nowMs < this.#deadline) return false
    if (this.#participant) this.#fruitless++
    this.#participant = false
    if (!this.#port.eligible()) return false
    const successor = this.#port.successor()
    if (successor === undefined || this.#fruitless >= 2) {
      this.#fruitless = 0
      return true
    }
    this.#round++
    this.#join(nowMs)
    this.#port.send(successor, { round: this.#round, candidate: this.#self, hops: 1 })
    return false
  }

  /** True: the own id has come back, and this replica has won. */
  onElection(message: { round: number; candidate: Slot; hops: number }, nowMs: number): boolean {
    const { candidate, hops } = message
    const successor = this.#port.successor()
    if (candidate === this.#self) {
      const won = this.#participant && message.round === this.#round && this.#port.eligible()
      if (won) this.rest()
      return won
    }
    // The id of a candidate that died would go round for ever.
    if (successor === undefined || hops > 2 * this.#slots) return false
    if (candidate > this.#self || !this.#port.eligible()) {
      this.#join(nowMs)
      this.#port.send(successor, { ...message, hops: hops + 1 })
    } else if (!this.#participant) {
      this.#round++
      this.#join(nowMs)
      this.#port.send(successor, { round: this.#round, candidate: this.#self, hops: 1 })
    }
    return false
  }

  #join(nowMs: number): void {
    this.#participant = true
    this.#deadline = nowMs + this.#timings.roundMs * (1 + this.#port.random())
  }
}
