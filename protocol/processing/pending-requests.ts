// Requests of this replica's own clients between their ORDER and their entry in the committed log.
// Every answer comes from the log itself: no client sees an effect of an uncommitted entry (C4),
// none an answer before its predecessors are committed (C8).

import type { Entry, Meta } from '../entries/entry.js'
import type { Slot } from '../slots.js'
import type { Command } from '../state/commands/registry.js'
import type { Order } from '../state/order.js'

/** What becomes of a request; exactly one of `answer` and `fail` is called, once. */
export interface RequestOutcome {
  readonly answer: (entry: Entry, meta: Meta) => void
  /** It has a place in an order, which may come to nothing yet. */
  readonly placed: () => void
  readonly fail: (reason: FailureReason) => void
}

/** `unknown`: it had a place in an order, so it may have happened; the others are definite. */
export type FailureReason = 'unknown' | RejectionReason

/** Why a coordinator takes no command: it has no room, or it is none. */
export type RejectionReason = 'overloaded' | 'not-coordinator'

interface PendingRequest extends RequestOutcome {
  /** Which coordinator it was handed to. */
  readonly coordinator: Slot
}

export class PendingRequests {
  readonly #boot: string
  readonly #self: Slot
  readonly #pending = new Map<number, PendingRequest>()
  /** By order: the request of each part, 0 where it is another replica's. */
  readonly #placed = new Map<number, readonly number[]>()
  #term = 0

  constructor(self: Slot, boot: string) {
    this.#self = self
    this.#boot = boot
  }

  get size(): number {
    return this.#pending.size
  }

  add(command: Command, coordinator: Slot, outcome: RequestOutcome): void {
    this.#pending.set(command.origin.id, { ...outcome, coordinator })
  }

  /** An ORDER shows which place each command got. Orders already committed have no answer left. */
  place(order: Order, committedK: number): void {
    if (order.term < this.#term) return
    if (order.term > this.#term) this.enterTerm(order.term)
    const ids = order.commands.map(({ origin }) =>
      origin.slot === this.#self && origin.boot === this.#boot ? origin.id : 0,
    )
    if (order.k <= committedK) for (const id of ids) this.#fail(id, 'unknown')
    else this.#take(order.k, ids)
  }

  /** The same order may come again, and in another attempt. */
  #take(k: number, ids: readonly number[]): void {
    const isNew = !this.#placed.has(k)
    this.#placed.set(k, ids)
    if (isNew) for (const id of ids) this.#pending.get(id)?.placed()
  }

  /** An entry of the committed log: answers the request that it came from, if it was one of ours. */
  resolve(entry: Entry, meta: Meta): void {
    if (entry.term === 0) return
    if (entry.term > this.#term) this.enterTerm(entry.term)
    const ids = this.#placed.get(entry.k)
    if (!ids || entry.term !== this.#term) return
    const id = ids[entry.part - 1] ?? 0
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (entry.part === entry.parts) this.#placed.delete(entry.k)
    pending?.answer(entry, meta)
  }

  /** Orders of an older term that are not in the log by now never will be. */
  enterTerm(term: number): void {
    this.#term = term
    const orders = [...this.#placed.values()]
    this.#placed.clear()
    for (const ids of orders) for (const id of ids) this.#fail(id, 'unknown')
  }

  /** Refused before they had a place in any order. */
  rejected(ids: readonly number[], reason: RejectionReason): void {
    for (const id of ids) this.#fail(id, reason)
  }

  /** The coordinator that they were handed to coordinates no more, or cannot be heard. */
  lostCoordinator(slot: Slot): void {
    for (const [id, { coordinator }] of [...this.#pending]) {
      if (coordinator === slot) this.#fail(id, 'unknown')
    }
  }

  /** Nobody but this coordinator, and this replica itself, can still answer. */
  answeredBy(slot: Slot): void {
    for (const [id, { coordinator }] of [...this.#pending]) {
      if (coordinator !== slot && coordinator !== this.#self) this.#fail(id, 'unknown')
    }
  }

  #fail(id: number, reason: FailureReason): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.fail(reason)
  }
}
