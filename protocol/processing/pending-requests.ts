// Requests of this replica's own clients between their ORDER and their entry in the committed log.
// Every answer comes from the log itself: no client sees an effect of an uncommitted entry (C4),
// none an answer before its predecessors are committed (C8).

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { Entry, Meta } from '../entries/entry.js'
import type { Command } from '../state/decision.js'

export interface PendingRequest {
  readonly link: LinkId
  /** The client's id of it. */
  readonly request: number
  readonly command: Command
  readonly answer: (entry: Entry, meta: Meta) => void
  /** It has a place in an order, which may come to nothing yet. */
  readonly placed: () => void
  /** `ordered`: it had a place in an order, so it may have happened. */
  readonly fail: (ordered: boolean) => void
  /** Which coordinator it was handed to. */
  readonly slot: Slot
}

export class Requests {
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

  add(request: PendingRequest): void {
    this.#pending.set(request.command.origin.id, request)
  }

  /** An ORDER shows which place each command got. Orders already committed have no answer left. */
  place(order: The<'ORDER'>, committedK: number): void {
    if (order.term < this.#term) return
    if (order.term > this.#term) this.enterTerm(order.term)
    const ids = order.commands.map(({ origin }) =>
      origin.slot === this.#self && origin.boot === this.#boot ? origin.id : 0,
    )
    if (order.k <= committedK) for (const id of ids) this.#fail(id, true)
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
    for (const ids of orders) for (const id of ids) this.#fail(id, true)
  }

  /** Refused before they had a place in any order. */
  notTaken(ids: readonly number[]): void {
    for (const id of ids) this.#fail(id, false)
  }

  /** The coordinator that they were handed to is none any more, or cannot be heard. */
  lostCoordinator(slot: Slot): void {
    for (const [id, pending] of [...this.#pending]) if (pending.slot === slot) this.#fail(id, true)
  }

  /** Nobody but this coordinator, and this replica itself, can still answer. */
  answeredBy(coordinator: Slot): void {
    for (const [id, { slot }] of [...this.#pending]) {
      if (slot !== coordinator && slot !== this.#self) this.#fail(id, true)
    }
  }

  #fail(id: number, ordered: boolean): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.fail(ordered)
  }
}
