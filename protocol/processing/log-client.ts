// The log as a processing replica uses it: chooses a persistence replica as home, follows the feed
// of the home, and states the lease to all persistence replicas. The processing tier knows
// persistence only by CLAIM, APPEND, FEED and READ (messages/log-service.ts).

import type { LinkId } from '../machine/machine.js'
import type { The } from '../messages/catalogue.js'
import type { Executor } from '../state/executor.js'
import type { Slot } from '../slots.js'
import type { ProcessingContext } from './context.js'
import type { LogQueries } from './log-queries.js'
import type { Lane, LogReplicas } from './log-replicas.js'
import type { LogWrites } from './log-writes.js'

/** Entries applied between two acknowledgements of the feed. */
const ACKNOWLEDGE_EVERY = 1_024

export class LogClient {
  readonly #context: ProcessingContext
  readonly #replicas: LogReplicas
  readonly #writes: LogWrites
  readonly #queries: LogQueries
  readonly #executor: Executor
  /** Since when there has been no home that can commit, monotonic ms; null: there is one. */
  #homelessSince: number | null = 0
  /** When the first home may be another than the preferred store, monotonic ms; null: not known. */
  #othersAt: number | null = null
  /** Since when the preferred store could be the home as well, monotonic ms. */
  #preferableSince = Infinity
  /** Somebody here wants the bodies of messages. */
  #wantsBodies = false
  /** The feed carries them. */
  #bodies = false
  #urgent = false
  /** When somebody last waited for the log, monotonic ms. */
  #neededAt = -Infinity
  #acknowledged = 0
  /** The state is not loaded yet: there is no place to follow the log from. */
  waits = false

  constructor(
    context: ProcessingContext,
    replicas: LogReplicas,
    writes: LogWrites,
    queries: LogQueries,
    executor: Executor,
  ) {
    this.#context = context
    this.#replicas = replicas
    this.#writes = writes
    this.#queries = queries
    this.#executor = executor
  }

  // ---- which home -----------------------------------------------------------------------------

  /** The home is in a view. */
  get serves(): boolean {
    return this.#replicas.normal(this.#replicas.home)
  }

  /** The home is in a view that can commit, as far as this replica knows. */
  get commits(): boolean {
    return this.#replicas.commits(this.#replicas.home)
  }

  /** Persistence replicas with a live link to this replica or to the home. */
  get reached(): Slot[] {
    const overHome = this.#replicas.get(this.#replicas.home)?.heartbeat?.reaches ?? []
    return this.#replicas.slots
      .filter((slot) => this.#replicas.hears(slot) || overHome.includes(slot))
      .toSorted((a, b) => a - b)
  }

  /** A majority is reached, but without the full disks it is none: nothing more can be stored. */
  get full(): boolean {
    const { reached } = this
    const withRoom = reached.filter((slot) => !this.#replicas.isFull(slot))
    const half = this.#context.stores / 2
    return reached.length > half && withRoom.length <= half
  }

  /**
   * An append made now can be committed: the home is in a view or between two, and reaches a
   * majority.
   */
  get quorate(): boolean {
    const { home } = this.#replicas
    return this.#replicas.works(home) && this.#replicas.reachesMajority(home)
  }

  /** Entries that the home knows to be committed. */
  get committed(): number {
    return this.#replicas.get(this.#replicas.home)?.heartbeat?.committed ?? 0
  }

  /** Committed entries of the home that are not applied here. */
  get behind(): number {
    return Math.max(0, this.committed - this.#executor.base.index)
  }

  /** The state is near the end of the log, so that the own TERM would soon be applied. */
  get isNear(): boolean {
    return this.#executor.placed && this.behind <= this.#context.near
  }

  /** How long there has been no home that can commit, ms. */
  get #homeless(): number {
    return this.#homelessSince === null ? 0 : this.#context.now.monotonic - this.#homelessSince
  }

  /** How long there has been no home that can commit, or none that answers its requests, ms. */
  get homelessMs(): number {
    const since = Math.min(this.#homelessSince ?? Infinity, this.#writes.since)
    return Math.max(0, this.#context.now.monotonic - since)
  }

  /** After a stall of this process, the silence of other replicas means nothing. */
  freshen(): void {
    this.#replicas.freshen()
    this.#writes.freshen()
  }

  choose(): void {
    const { now, timings } = this.#context
    const replicas = this.#replicas
    const best = replicas.slots.find((slot) => replicas.commits(slot))
    if (this.#awaitsPreferred()) return
    if (!replicas.works(replicas.home)) {
      const next = best ?? replicas.slots.find((slot) => replicas.normal(slot))
      this.#moveTo(next ?? replicas.slots.find((slot) => replicas.works(slot)) ?? 0)
    } else if (best && !this.commits && (this.serves || this.#homeless > timings.patience)) {
      // A home that is cut off from the others may not know that its view is over, or never get to
      // the next.
      this.#moveTo(best)
    } else this.#prefer()
    if (this.commits) this.#homelessSince = null
    else this.#homelessSince ??= now.monotonic
  }

  /**
   * At the start, the preferred store may come a moment later than another. Homes that are spread
   * over the stores share the work of feeding.
   */
  #awaitsPreferred(): boolean {
    const { now, timings } = this.#context
    const preferred = this.#replicas.slots[0]!
    const begins = this.#othersAt === null || now.monotonic < this.#othersAt
    if (begins && this.#replicas.works(preferred)) {
      this.#othersAt = -Infinity
      this.#moveTo(preferred)
    }
    if (this.#othersAt === null && this.#replicas.slots.some((slot) => this.#replicas.works(slot)))
      this.#othersAt = now.monotonic + timings.patience
    return this.#othersAt !== null && now.monotonic < this.#othersAt
  }

  /** A follower with nothing under way goes back to its preferred store, once that stays whole. */
  #prefer(): void {
    const { now, timings, role } = this.#context
    const preferred = this.#replicas.slots[0]!
    const could =
      preferred !== this.#replicas.home &&
      this.#replicas.commits(preferred) &&
      role === 'follower' &&
      this.#writes.idle
    this.#preferableSince = could ? Math.min(this.#preferableSince, now.monotonic) : Infinity
    if (now.monotonic - this.#preferableSince > timings.coordinatorPatience) this.#moveTo(preferred)
  }

  #moveTo(slot: Slot): void {
    if (slot === this.#replicas.home) return
    this.#sayFeed('end')
    this.#replicas.home = slot
    if (slot === 0) return
    this.#context.outbox.log('info', 'home', { slot })
    this.#resume()
  }

  /** A new home, or a new connection to the home, gets every unanswered request again. */
  #resume(): void {
    this.#sayHeartbeat(this.#replicas.home)
    this.follow()
    this.#writes.sendAgain()
  }

  // ---- the feed -------------------------------------------------------------------------------

  /** Follows the feed from the last entry applied here. */
  follow(): void {
    if (this.waits) return
    this.#acknowledged = this.#executor.base.index
    this.#sayFeed('begin')
  }

  /** Acknowledges applied entries, so that the home sends more. */
  applied(): void {
    const { index } = this.#executor.base
    if (index - this.#acknowledged < ACKNOWLEDGE_EVERY) return
    this.#acknowledged = index
    this.#sayFeed('acknowledge')
  }

  /** The feed carries the bodies of messages only while this replica wants them. */
  wantBodies(wanted: boolean): void {
    this.#wantsBodies = wanted
  }

  /**
   * Called at the end of each step: amid a batch, the index of the state and its chain are of two
   * places. `needed`: somebody here waits for the log. A client mostly asks again, so the urgency
   * stays for a while.
   */
  settle(needed: boolean): void {
    const { now, timings } = this.#context
    if (this.#bodies !== this.#wantsBodies) {
      this.#bodies = this.#wantsBodies
      this.follow()
    }
    if (needed) this.#neededAt = now.monotonic
    const urgent = now.monotonic - this.#neededAt <= timings.suspect
    if (urgent === this.#urgent) return
    this.#urgent = urgent
    if (!this.waits) this.#sayFeed('acknowledge')
  }

  #sayFeed(step: The<'FEED'>['step']): void {
    const { index: after, chain } = this.#executor.base
    const [bodies, urgent] = [this.#bodies, this.#urgent]
    this.#replicas.sendHome({ type: 'FEED', after, chain, bodies, step, urgent })
  }

  // ---- links and time -------------------------------------------------------------------------

  linkUp(link: LinkId, slot: Slot, lane: Lane): void {
    this.#replicas.linkUp(link, slot, lane)
    if (lane === 'main') this.#sayHeartbeat(slot)
  }

  linkDown(link: LinkId): void {
    const lost = this.#replicas.linkDown(link)
    if (lost?.lane === 'main') this.choose()
    if (lost?.lane === 'bulk') this.#queries.lost(lost.slot)
  }

  #sayHeartbeat(slot: Slot): void {
    const { holds, weight } = this.#context
    const nonce = this.#writes.claiming
    this.#replicas.sendMain(slot, { type: 'HOME_HEARTBEAT', holds, nonce, weight })
  }

  sayHeartbeats(): void {
    for (const slot of this.#replicas.linked) this.#sayHeartbeat(slot)
  }

  tick(): void {
    this.choose()
    this.#queries.tick()
    if (this.#writes.takeRetry()) this.#resume()
  }
}
