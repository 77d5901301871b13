// The lease of a term's owner, as its heartbeats to this replica state it. A lease only avoids
// duels between claimants; the term does the fencing.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { PersistenceContext } from './context.js'

interface Statement {
  readonly slot: Slot
  readonly boot: string
  readonly holds: number
  readonly nonce: string
  readonly weight: number
  readonly heard: number
}

export class Leases {
  readonly #context: PersistenceContext
  readonly #statements = new Map<LinkId, Statement>()
  /** The owner of this term is asked to resign; heartbeats tell it to all members. 0: none. */
  resign = 0

  constructor(context: PersistenceContext) {
    this.#context = context
  }

  hear(link: LinkId, slot: Slot, boot: string, message: The<'HOME_HEARTBEAT'>): void {
    const { holds, nonce, weight } = message
    const heard = this.#context.now.monotonic
    // Only the newest boot of a slot counts: a hello with another boot nonce ends the statements
    // of the old process.
    for (const [other, said] of this.#statements) {
      if (said.slot === slot && said.boot !== boot) this.#statements.delete(other)
    }
    this.#statements.set(link, { slot, boot, holds, nonce, weight, heard })
  }

  forget(link: LinkId): void {
    this.#statements.delete(link)
  }

  /**
   * Weight that the owner of the log's newest term stated to this replica; 0: it has no lease here.
   */
  get ownWeight(): number {
    const { now, log, timings } = this.#context
    const { term, owner } = log.fence
    if (!owner) return 0
    for (const said of this.#statements.values()) {
      if (said.slot !== owner.slot || said.boot !== owner.boot) continue
      if (now.monotonic - said.heard > timings.suspect) continue
      if (said.holds === term || said.nonce === owner.nonce) return said.weight
    }
    return 0
  }

  /** Highest weight of that owner over all members of the view, as their heartbeats say. */
  get weight(): number {
    const { peers, otherMembers, log } = this.#context
    let weight = this.ownWeight
    for (const slot of otherMembers) {
      const heartbeat = peers.get(slot)?.heartbeat
      if (!heartbeat || !this.#context.hears(slot)) continue
      if (heartbeat.term === log.fence.term) weight = Math.max(weight, heartbeat.leaseWeight)
    }
    return weight
  }

  /** Asks the owner of `term` to resign, whichever member has stated its lease. */
  askToResign(term: number): void {
    this.passResign(term)
    this.resign = term
  }

  /** Asks the owner of `term` to resign, if its lease is stated to this replica. */
  passResign(term: number): void {
    const { log, outbox } = this.#context
    if (term === 0 || term !== log.fence.term || this.ownWeight === 0) return
    for (const [link, said] of this.#statements) {
      if (said.slot === log.fence.owner?.slot) outbox.send(link, { type: 'RESIGN', term })
    }
  }
}
