// Requests of this replica's own clients between their ORDER and their entry in the committed log.
// Every answer comes from the log itself: no client sees an effect of an uncommitted entry (C4),
// and no client an answer before the entries before it are committed (C8).

import type { Entry } from '../entries/entry.js'
import type { Slot } from '../slots.js'
import type { Command } from '../state/commands/registry.js'
import type { Order } from '../state/order.js'

/** Outcome of a request: exactly one of `answer` and `fail` is called, once. */
export interface RequestOutcome {
  readonly answer: (entry: Entry) => void
  /** The request has a place in an order, which may still come to nothing. */
  readonly placed: () => void
  readonly fail: (reason: FailureReason) => void
}

/**
 * `unknown`: the request had a place in an order, so it may have happened. With the other reasons
 * it has not.
 */
export type FailureReason = 'unknown' | RejectionReason

/** Why a coordinator rejects a command: it has no room, or it is not the coordinator. */
export type RejectionReason = 'overloaded' | 'not-coordinator'

interface PendingRequest extends RequestOutcome {
  /** The coordinator that the command was handed to. */
  readonly coordinator: Slot
}

export class PendingRequests {
  readonly #boot: string
  readonly #self: Slot
  readonly #pending = new Map<number, PendingRequest>()
  /** By k: the request id of each entry, 0 for the request of another replica. */
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

  /**
   * An ORDER shows the place of each command. An order that is already committed brings no answer
   * any more.
   */
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

  /**
   * An entry of the committed log answers the request that it came from, if this replica made it.
   * `resolved` ends its batch.
   */
  resolve(entry: Entry): void {
    if (entry.term === 0) return
    if (entry.term > this.#term) this.enterTerm(entry.term)
    if (entry.term !== this.#term) return
    const id = this.#placed.get(entry.k)?.[entry.place] ?? 0
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.answer(entry)
  }

  /** All entries of the batch have been resolved. */
  resolved({ term, k }: Pick<Entry, 'term' | 'k'>): void {
    if (term > 0 && term === this.#term) this.#placed.delete(k)
  }

  /** Orders of an older term that are not in the log by now never will be. */
  enterTerm(term: number): void {
    this.#term = term
    const orders = [...this.#placed.values()]
    this.#placed.clear()
    for (const ids of orders) for (const id of ids) this.#fail(id, 'unknown')
  }

  /** The coordinator rejected these requests before they had a place in any order. */
  rejected(ids: readonly number[], reason: RejectionReason): void {
    for (const id of ids) this.#fail(id, reason)
  }

  /** The coordinator of these requests coordinates no more, or cannot be heard. */
  lostCoordinator(slot: Slot): void {
    for (const [id, { coordinator }] of [...this.#pending]) {
      if (coordinator === slot) this.#fail(id, 'unknown')
    }
  }

  /**
   * Only this coordinator and this replica itself can still answer: requests at other replicas
   * fail.
   */
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
