// How a processing replica follows: orders of the coordinator are executed and voted on; entries of
// the committed log are applied, answer clients, and decide wherever the two differ.

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { decodeDrop, drops, isDrop } from '../entries/drop.js'
import { KIND, type Entry, type Meta } from '../entries/entry.js'
import { sameBytes } from '../bytes.js'
import { decodeMarks } from '../entries/bodies.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { Executed, Executor } from '../state/executor.js'
import type { Home } from '../processing/log-client.js'
import type { Leadership } from '../processing/leadership.js'
import type { Requests } from '../processing/pending-requests.js'
import type { RingStanding } from '../processing/context.js'
import type { Sessions } from '../sessions/session-router.js'

/** A coordinator's clock this far ahead of the own is not followed, ms. */
const MAX_CLOCK_LEAD_MS = 3_600_000
/** The feed is acknowledged this often, in entries. */
const ACKNOWLEDGE_EVERY = 1_024

export interface FollowingParts {
  readonly standing: RingStanding
  readonly home: Home
  readonly executor: Executor
  readonly requests: Requests
  readonly leadership: Leadership
  readonly coordinator: Coordinator
  readonly sessions: Sessions
}

export class Following {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #executor: Executor
  readonly #requests: Requests
  readonly #leadership: Leadership
  readonly #coordinator: Coordinator
  readonly #sessions: Sessions
  /** Who gave the newest order: votes go there. */
  #orderedBy: Slot = 0
  #acknowledgedFeed = 0

  constructor(parts: FollowingParts) {
    this.#s = parts.standing
    this.#home = parts.home
    this.#executor = parts.executor
    this.#requests = parts.requests
    this.#leadership = parts.leadership
    this.#coordinator = parts.coordinator
    this.#sessions = parts.sessions
  }

  onOrder(from: Slot, order: The<'ORDER'>): void {
    if (!this.#s.believes(order.term)) return
    this.#orderedBy = from
    this.#leadership.seeTerm(order.term)
    this.#requests.place(order, this.#executor.base.progress(order.term).k)
    if (order.time > this.#s.now.wall + MAX_CLOCK_LEAD_MS) {
      this.#s.outbox.log('error', 'coordinator-clock-ahead', { term: order.term, k: order.k })
      return
    }
    const known = this.#executor.executed(order.k)
    if (order.attempt > 1 && (known?.attempt ?? 0) < order.attempt) this.rebuild()
    this.#executor.hold(order)
    const again = this.#executor.executed(order.k)
    if (again && again.attempt === order.attempt) this.vote([again])
    this.vote(this.#executor.run())
  }

  /** To who gave the order; the coordinator counts its own. */
  vote(executed: readonly Executed[]): void {
    for (const one of executed) {
      const { k, attempt, hash } = one
      if (this.#s.role === 'coordinator') {
        this.#requestsPlace(one)
        this.#coordinator.onExecuted(one)
        continue
      }
      const { term } = this.#executor
      this.#s.send(this.#orderedBy, { type: 'VOTE', term, k, attempt, hash })
    }
  }

  /** The coordinator's own requests get their places as it gives the order. */
  #requestsPlace(executed: Executed): void {
    const order = this.#coordinator.order(executed.k)
    if (order) this.#requests.place(order, this.#executor.base.progress(order.term).k)
  }

  onCommitted(message: The<'COMMITTED'>): void {
    const { term, k, hash } = message
    if (!this.#s.believes(term)) return
    this.#leadership.seeTerm(term)
    const own = this.#executor.executed(k)
    if (!own || sameBytes(own.hash, hash)) return
    this.#s.outbox.log('error', 'voted-otherwise', { term, k })
    this.rebuild()
  }

  /** Builds the state again, from the log. */
  rebuild(): void {
    this.#executor.reset()
    this.#sessions.sends.stored.clear()
    this.#acknowledgedFeed = 0
    this.#home.follow()
  }

  onEntries(message: The<'ENTRIES'>): void {
    const { delivery, receipts, sends } = this.#sessions
    const { stored } = sends
    const marked = new Set<string>()
    let arrived: { entry: Entry; meta: Meta }[] = []
    for (const [i, entry] of message.entries.entries()) {
      const { base } = this.#executor
      if (entry.index <= base.index) continue
      // A gap is left over from before a rebuild or a new home; the stretch asked for comes.
      if (entry.index > base.index + 1) break
      const meta = this.#executor.apply(entry)
      if (entry.term > this.#s.newestTerm) this.#leadership.seeTerm(entry.term)
      this.#requests.resolve(entry, meta)
      if (meta.kind === KIND.account || meta.kind === KIND.closed) {
        this.#sessions.accountChanged(meta.mailbox)
      }
      if (meta.kind === KIND.cursors) {
        for (const [user] of decodeMarks(entry.body)) marked.add(user)
      }
      if (meta.kind === KIND.message)
        stored.add(meta.mailbox, entry.index, message.bodyBytes[i] ?? 0)
      if (meta.kind === KIND.message && !entry.bodyHash) arrived.push({ entry, meta })
      if (isDrop(entry)) {
        const drop = decodeDrop(entry)
        arrived = arrived.filter((one) => !drops(drop, one.entry))
        stored.drop(drop)
        delivery.dropped(drop)
      }
    }
    delivery.arrived(arrived)
    receipts.moved(marked)
    this.#sessions.applied()
    this.#leadership.applied()
    this.vote(this.#executor.run())
    const { index } = this.#executor.base
    if (index - this.#acknowledgedFeed < ACKNOWLEDGE_EVERY) return
    this.#acknowledgedFeed = index
    this.#home.acknowledge()
  }
}
