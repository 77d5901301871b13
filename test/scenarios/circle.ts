// Replicas that elect in a circle. The test says in which order the ids sit, who starts and what
// arrives; `said` is the transcript: "1 → 2 ELECTION 3".

import { Ring } from '../../protocol/election/ring.js'
import type { Slot } from '../../protocol/slots.js'

interface InFlight {
  readonly to: Slot
  readonly message: { round: number; candidate: Slot; hops: number }
}

export const ROUND_MS = 100

export class Circle {
  readonly #rings = new Map<Slot, Ring>()
  #order: readonly Slot[]
  readonly ineligible = new Set<Slot>()
  readonly winners: Slot[] = []
  #flight: InFlight[] = []
  #said: string[] = []
  now = 0

  /** `order`: the slots around the circle, each next to its successor. */
  constructor(order: readonly Slot[]) {
    this.#order = order
    for (const slot of order) {
      const port = {
        successor: () => this.#successor(slot),
        send: (to: Slot, message: InFlight['message']) => {
          this.#said.push(`${slot} → ${to} ELECTION ${message.candidate}`)
          this.#flight.push({ to, message })
        },
        eligible: () => !this.ineligible.has(slot),
        random: () => 0,
      }
      this.#rings.set(slot, new Ring(slot, order.length, port, { roundMs: ROUND_MS }))
    }
  }

  #successor(slot: Slot): Slot | undefined {
    const at = this.#order.indexOf(slot)
    const next = this.#order[(at + 1) % this.#order.length]
    return next === slot ? undefined : next
  }

  at(slot: Slot): Ring {
    return this.#rings.get(slot)!
  }

  start(...slots: readonly Slot[]): void {
    for (const slot of slots) if (this.at(slot).elect(this.now)) this.winners.push(slot)
  }

  /**
   * Takes a replica out of the circle: its neighbours become each other's, and messages on their
   * way to it are lost.
   */
  die(slot: Slot): void {
    this.#order = this.#order.filter((other) => other !== slot)
    this.#flight = this.#flight.filter(({ to }) => to !== slot)
  }

  loseAll(): void {
    this.#flight = []
  }

  deliver(): void {
    const next = this.#flight.shift()!
    if (this.at(next.to).onElection(next.message, this.now)) this.winners.push(next.to)
  }

  deliverAll(): void {
    for (let left = 10_000; this.#flight.length > 0; left--) {
      if (left === 0) throw new Error('the election goes round for ever')
      this.deliver()
    }
  }

  said(): string[] {
    const said = this.#said
    this.#said = []
    return said
  }
}
