// The wall clocks of the ring. The time of orders is data that no replica can take back, so one
// clock that is ahead must not own it: a replica votes for an order only if its time is not above
// the own clock by more than LEAD_MS, or is not above that of an order before it. A coordinator
// gives no time that a majority would not vote for, whatever its own clock shows.

import type { Now } from '../machine/machine.js'
import type { Slot } from '../slots.js'

/** The time of an order may be so far ahead of a voter's clock, ms. */
export const LEAD_MS = 10_000
/** So far ahead of a majority's clocks is an order at the most: clocks move after they were heard. */
const GIVEN_LEAD_MS = LEAD_MS / 2
/** A warning about clocks is repeated after so long, ms. */
const WARN_EVERY_MS = 60_000

interface Ring {
  readonly now: Now
  readonly self: Slot
  /** The replicas that are heard, the own one among them. */
  readonly live: readonly Slot[]
}

export class WallClocks {
  readonly #ring: Ring
  /** What each replica's clock showed, and when it was heard. */
  readonly #heard = new Map<Slot, Now>()
  #warnedAt = -Infinity

  constructor(ring: Ring) {
    this.#ring = ring
  }

  /** `wall`: the replica's clock in its heartbeat. */
  hear(slot: Slot, wall: number): void {
    this.#heard.set(slot, { monotonic: this.#ring.now.monotonic, wall })
  }

  forget(slot: Slot): void {
    this.#heard.delete(slot)
  }

  /** What the replica's clock shows by now, as far as it is known: at least that, if it goes right. */
  #wallOf(slot: Slot): number {
    const { now, self } = this.#ring
    const heard = slot === self ? now : (this.#heard.get(slot) ?? now)
    return heard.wall + now.monotonic - heard.monotonic
  }

  /** What a majority of the live clocks has reached. */
  get #majority(): number {
    const { live } = this.#ring
    const latestFirst = live.map((slot) => this.#wallOf(slot)).toSorted((a, b) => b - a)
    return latestFirst[Math.floor(live.length / 2)]!
  }

  /** By how much the own clock is ahead of a majority's, ms; 0: it is not. */
  get lead(): number {
    return Math.max(0, this.#ring.now.wall - this.#majority)
  }

  /** The time of an order that is given now. `latest`: that of the orders before. */
  timeAfter(latest: number): number {
    return Math.max(latest, Math.min(this.#ring.now.wall, this.#majority + GIVEN_LEAD_MS))
  }

  /** Whether the own clock allows a vote. `latest`: the time of the orders before. */
  allows(time: number, latest: number): boolean {
    return time <= Math.max(latest, this.#ring.now.wall + LEAD_MS)
  }

  /** Whether a warning is due, at most one a minute. */
  get warns(): boolean {
    const { monotonic } = this.#ring.now
    if (monotonic - this.#warnedAt < WARN_EVERY_MS) return false
    this.#warnedAt = monotonic
    return true
  }
}
