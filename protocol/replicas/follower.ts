// The follower's side of a processing replica: it executes orders of the coordinator and votes on
// them; it applies entries of the committed log, which answer clients. Where log and execution
// differ, the log decides.

import { sameBytes } from '../bytes.js'
import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { Leadership } from '../processing/leadership.js'
import type { LogClient } from '../processing/log-client.js'
import type { PendingRequests } from '../processing/pending-requests.js'
import type { SessionRouter } from '../sessions/session-router.js'
import type { Slot } from '../slots.js'
import type { Executed, Executor } from '../state/executor.js'

/** An order is refused if its time is this far ahead of the own clock, ms. */
const MAX_CLOCK_LEAD_MS = 3_600_000

export interface FollowerParts {
  readonly context: ProcessingContext
  readonly log: LogClient
  readonly executor: Executor
  readonly requests: PendingRequests
  readonly leadership: Leadership
  readonly coordinator: Coordinator
  readonly sessions: SessionRouter
}

export class Follower {
  readonly #context: ProcessingContext
  readonly #log: LogClient
  readonly #executor: Executor
  readonly #requests: PendingRequests
  readonly #leadership: Leadership
  readonly #coordinator: Coordinator
  readonly #sessions: SessionRouter
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
  }

  onOrder(from: Slot, order: The<'ORDER'>): void {
    if (!this.#context.believes(order.term)) return
    this.#orderedBy = from
    this.#leadership.seeTerm(order.term)
    this.#requests.place(order, this.#executor.base.progress(order.term).k)
    if (order.time > this.#context.now.wall + MAX_CLOCK_LEAD_MS) {
      const { term, k } = order
      this.#context.outbox.log('error', 'coordinator-clock-ahead', { term, k })
      return
    }
    const known = this.#executor.executed(order.k)
    if (order.attempt > 1 && (known?.attempt ?? 0) < order.attempt) this.#rebuild()
    this.#executor.hold(order)
    const again = this.#executor.executed(order.k)
    if (again && again.attempt === order.attempt) this.#vote(again)
    this.#run()
  }

  /**
   * The coordinator counts its own vote; the others send theirs to the replica that gave the order.
   */
  #run(): void {
    if (this.#context.role === 'coordinator') this.#coordinator.run()
    else for (const executed of this.#executor.run()) this.#vote(executed)
  }

  #vote({ k, attempt, hash }: Executed): void {
    const { term } = this.#executor
    this.#context.send(this.#orderedBy, { type: 'VOTE', term, k, attempt, hash })
  }

  onCommitted({ term, k, hash }: The<'COMMITTED'>): void {
    if (!this.#context.believes(term)) return
    this.#leadership.seeTerm(term)
    const own = this.#executor.executed(k)
    if (!own || sameBytes(own.hash, hash)) return
    this.#context.outbox.log('error', 'voted-otherwise', { term, k })
    this.#rebuild()
  }

  /** Rebuilds the state from the log. */
  #rebuild(): void {
    this.#executor.reset()
    this.#log.follow()
  }

  onEntries({ entries, bodyBytes }: The<'ENTRIES'>): void {
    for (const [i, entry] of entries.entries()) {
      const { base } = this.#executor
      if (entry.index <= base.index) continue
      // A gap: the entry was sent before a rebuild or by the old home; the requested stretch
      // follows.
      if (entry.index > base.index + 1) break
      const meta = this.#executor.apply(entry, bodyBytes[i] ?? 0)
      if (entry.term > this.#context.newestTerm) this.#leadership.seeTerm(entry.term)
      this.#requests.resolve(entry, meta)
      this.#sessions.committed(entry, meta)
    }
    this.#sessions.caughtUp()
    this.#leadership.applied()
    this.#run()
    this.#log.applied()
  }
}
