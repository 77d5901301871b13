// The follower's side of a processing replica: it executes orders of the coordinator and votes on
// them; it applies batches of the committed log, which answer clients. Where log and execution
// differ, the log decides.

import { lastOf, type Batch } from '../entries/batch.js'
import type { Message, The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { Leadership } from '../processing/leadership.js'
import type { LogClient } from '../processing/log-client.js'
import type { PendingRequests } from '../processing/pending-requests.js'
import type { Recovery } from '../processing/recovery.js'
import type { SessionRouter } from '../sessions/session-router.js'
import type { Slot } from '../slots.js'
import type { Executed, Executor } from '../state/executor.js'

export interface FollowerParts {
  readonly context: ProcessingContext
  readonly log: LogClient
  readonly executor: Executor
  readonly requests: PendingRequests
  readonly leadership: Leadership
  readonly coordinator: Coordinator
  readonly sessions: SessionRouter
  readonly recovery: Recovery
}

export class Follower {
  readonly #context: ProcessingContext
  readonly #log: LogClient
  readonly #executor: Executor
  readonly #requests: PendingRequests
  readonly #leadership: Leadership
  readonly #coordinator: Coordinator
  readonly #sessions: SessionRouter
  readonly #recovery: Recovery
  /** The replica that gave the newest order: it gets the votes. */
  #orderedBy: Slot = 0

  constructor(parts: FollowerParts) {
    this.#context = parts.context
    this.#log = parts.log
    this.#executor = parts.executor
    this.#requests = parts.requests
    this.#leadership = parts.leadership
    this.#coordinator = parts.coordinator
    this.#sessions = parts.sessions
    this.#recovery = parts.recovery
  }

  onOrder(from: Slot, order: The<'ORDER'>): void {
    if (this.#isOwn(order.term) || !this.#context.believes(order.term)) return
    this.#orderedBy = from
    this.#leadership.seeTerm(order.term)
    this.#requests.place(order, this.#executor.base.committedOrder(order.term))
    const known = this.#executor.executed(order.k)
    if (order.attempt > 1 && (known?.attempt ?? 0) < order.attempt) this.#recovery.rebuild()
    this.#executor.hold(order)
    const again = this.#executor.executed(order.k)
    if (again && again.attempt === order.attempt) this.#vote(again)
    this.run()
  }

  /**
   * Nobody else gives orders in a term that this replica holds. A forged one could make it rebuild
   * its state, and so forget what it has executed and must append.
   */
  #isOwn(term: number): boolean {
    return term === this.#context.holds
  }

  /**
   * The coordinator counts its own vote; the others send theirs to the replica that gave the order.
   */
  run(): void {
    if (this.#context.role === 'coordinator') this.#coordinator.run()
    else for (const executed of this.#executor.run()) this.#vote(executed)
  }

  #vote({ k, attempt, hash, time, latest }: Executed): void {
    const { term } = this.#executor
    const { clocks, now, outbox } = this.#context
    if (!clocks.allows(time, latest)) {
      const leadMs = time - now.wall
      if (clocks.warns) outbox.log('error', 'order-time-ahead', { term, k, leadMs })
      return
    }
    this.#context.send(this.#orderedBy, { type: 'VOTE', term, k, attempt, hash })
  }

  /** The log has another result than this replica had: its state is rebuilt from the log. */
  #disagrees({ term, k }: Batch): void {
    this.#context.outbox.log('error', 'outvoted', { term, k })
    this.#recovery.rebuild()
  }

  /** The state is one of this log: what waited for that goes on. */
  placed(): void {
    const { term } = this.#executor.base.fence
    if (term > this.#context.newestTerm) this.#leadership.seeTerm(term)
    this.#sessions.caughtUp()
    this.#leadership.applied()
    this.run()
  }

  /** The message, with what this replica has executed itself in place of the same bytes. */
  recognise(message: Message): Message {
    if (message.type !== 'BATCHES') return message
    return { ...message, batches: message.batches.map((one) => this.#executor.withOwnHead(one)) }
  }

  onBatches({ batches }: The<'BATCHES'>): void {
    let disputed: Batch | null = null
    for (const batch of batches) {
      const { base } = this.#executor
      if (lastOf(batch) <= base.index) continue
      // A gap: the batch was sent before a rebuild or by the old home; the requested stretch
      // follows.
      if (batch.first !== base.index + 1) break
      if (this.#executor.differs(batch)) disputed = batch
      this.#executor.apply(batch, (entry) => {
        this.#requests.resolve(entry)
        this.#sessions.committed(entry)
      })
      if (batch.term > this.#context.newestTerm) this.#leadership.seeTerm(batch.term)
      this.#requests.resolved(batch)
      if (disputed) break
    }
    this.#sessions.caughtUp()
    if (disputed) this.#disagrees(disputed)
    this.#leadership.applied()
    this.run()
    this.#log.applied()
  }
}
