// The way to coordination: Ring election, then a term from persistence (compare-and-set), then the
// own TERM applied. A replica that stopped coordinating never sends another order in that term.

import { Ring } from '../election/ring.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { LogClient } from './log-client.js'
import type { LogQueries } from './log-queries.js'
import type { LogWrites } from './log-writes.js'
import type { ProcessingContext } from './context.js'
import type { Executor } from '../state/executor.js'

export interface LeadershipEvents {
  /** The own TERM is won and applied: the first order may be given. */
  coordinate(term: number): void
  /** This replica coordinates no more. */
  stopped(reason: string): void
  /** The known coordinator has changed; 0: none. */
  coordinator(slot: Slot): void
  /** No term above this one exists, contrary to what messages said. */
  refuted(term: number): void
}

export class Leadership {
  readonly #context: ProcessingContext
  readonly #log: LogClient
  readonly #writes: LogWrites
  readonly #queries: LogQueries
  readonly #executor: Executor
  readonly #events: LeadershipEvents
  readonly #ring: Ring
  /** A claim that is won; its TERM is not applied here yet. */
  #won: { readonly term: number; readonly index: number } | null = null
  /**
   * A term that a persistence replica does not know. The log through `index` shows whether the term
   * exists.
   */
  #doubted: { readonly term: number; readonly index: number } | null = null
  #claimNonce = ''
  #expected = 0
  /** After a failed claim this replica is no candidate until then, monotonic ms. */
  #disqualifiedUntil = 0
  #announced: Slot = 0
  /**
   * Since when the only known coordinator is one without a link to here, monotonic ms; null: it is
   * not so.
   */
  #unreachableSince: number | null = null
  /**
   * Claims still to be made without an election. Owners of the term may resign for these claims,
   * one after the other; an election in between would give the term to the next such owner.
   */
  #claimsLeft = 0
  elections = 0

  constructor(
    context: ProcessingContext,
    log: LogClient,
    writes: LogWrites,
    queries: LogQueries,
    executor: Executor,
    events: LeadershipEvents,
  ) {
    this.#context = context
    this.#log = log
    this.#writes = writes
    this.#queries = queries
    this.#executor = executor
    this.#events = events
    const port = {
      successor: () => context.successor,
      send: (to: Slot, message: { round: number; candidate: Slot; hops: number }) =>
        context.send(to, { type: 'ELECTION', ...message }),
      eligible: () => this.#eligible,
      random: () => context.random(),
    }
    this.#ring = new Ring(context.self, context.slots, port, {
      roundMs: context.timings.patience / 4,
    })
  }

  /**
   * Only a replica that reaches a persistence member whose view can commit is a candidate, and only
   * if it will soon have applied the TERM that it claims: it would give up the term otherwise.
   */
  get #eligible(): boolean {
    const qualified = this.#context.now.monotonic >= this.#disqualifiedUntil
    return qualified && this.#log.commits && this.#log.isNear
  }

  /**
   * The live coordinator, its term not below any term known here; 0: none. It is this replica, or a
   * replica that is heard and holds a term, or one that a neighbour vouches for. Hearsay counts
   * only until clients here have waited too long for a coordinator without a link to here.
   */
  get coordinator(): Slot {
    const { holds, self, newestTerm, now, timings } = this.#context
    if (holds > 0) return self
    for (const [slot, peer] of this.#context.peers) {
      const held = peer.heartbeat?.holds ?? 0
      if (held > 0 && held >= newestTerm && this.#context.hears(slot)) return slot
    }
    const since = this.#unreachableSince
    const unreachable = since !== null && now.monotonic - since > timings.suspect
    return unreachable || this.#claimsLeft > 0 ? 0 : this.#hearsay
  }

  /** The coordinator that a neighbour vouches for; 0: none. */
  get #hearsay(): Slot {
    const { self, newestTerm } = this.#context
    for (const [slot, peer] of this.#context.peers) {
      const { vouchesFor = 0, vouchedTerm = 0 } = peer.heartbeat ?? {}
      if (vouchesFor === self || vouchesFor === 0 || vouchedTerm < newestTerm) continue
      if (this.#context.hears(slot)) return vouchesFor
    }
    return 0
  }

  /** Clients wait here, and no command can be forwarded to a coordinator known by hearsay alone. */
  #noteUnreachable(): void {
    const { hasClients, now } = this.#context
    const unreachable = hasClients && this.vouched.slot === 0 && this.#hearsay !== 0
    this.#unreachableSince = unreachable ? (this.#unreachableSince ?? now.monotonic) : null
  }

  /**
   * The coordinator that the own heartbeat vouches for: this replica, or one that it hears
   * directly.
   */
  get vouched(): { readonly slot: Slot; readonly term: number } {
    const { holds, self, newestTerm } = this.#context
    if (holds > 0) return { slot: self, term: holds }
    for (const [slot, peer] of this.#context.peers) {
      const held = peer.heartbeat?.holds ?? 0
      if (held > 0 && held >= newestTerm && this.#context.hears(slot)) return { slot, term: held }
    }
    return { slot: 0, term: 0 }
  }

  describe(): string {
    const successor = this.#context.successor
    const known = this.coordinator
    return [
      `role: ${this.#context.role}`,
      `coordinator: ${known ? `p${known}` : '-'}`,
      `holds term: ${this.#context.holds}`,
      `newest term: ${this.#context.newestTerm}`,
      `successor: ${successor ? `p${successor}` : '-'}`,
      `round: ${this.#ring.round}`,
      `live: ${this.#context.live.map((slot) => `p${slot}`).join(' ')}`,
      `clock: ${(this.#context.clocks.lead / 1_000).toFixed(1)} s ahead of a majority`,
    ].join('\n')
  }

  // ---- course ---------------------------------------------------------------------------------

  /** Called on ticks and whenever links or heartbeats have changed. */
  maintain(): void {
    const { now, timings, role, holds } = this.#context
    const tooLong = this.#log.homelessMs > timings.coordinatorPatience
    if (role !== 'follower' && role !== 'participant' && tooLong) this.stop('no persistence')
    if (holds > 0 && this.#context.newestTerm > holds) this.stop('a newer term')
    this.#noteUnreachable()
    const known = this.coordinator
    if (known !== this.#announced) {
      this.#announced = known
      this.#events.coordinator(known)
    }
    if (known !== 0) {
      this.#claimsLeft = 0
      this.#ring.rest()
      if (this.#context.role === 'participant') this.#context.role = 'follower'
      return
    }
    if (this.#context.role === 'claimant') return
    if (this.#claimsLeft > 0) {
      if (this.#eligible) this.#claim()
      return
    }
    if (this.#ring.elect(now.monotonic)) this.#claim()
    else this.#context.role = this.#ring.participant ? 'participant' : 'follower'
  }

  /** A link of the ring is gone. */
  linkLost(): void {
    this.#ring.broken()
    this.maintain()
  }

  onElection(message: The<'ELECTION'>): void {
    // No election while a live coordinator is known: its heartbeats and this replica's name it.
    if (this.coordinator !== 0 || this.#context.role === 'claimant') return
    if (this.#ring.onElection(message, this.#context.now.monotonic)) this.#claim()
    else if (this.#ring.participant) this.#context.role = 'participant'
  }

  #claim(): void {
    this.elections++
    this.#context.role = 'claimant'
    this.#claimNonce = this.#context.nonce()
    this.#expected = this.#context.newestTerm
    this.#context.outbox.log('info', 'claiming', { expected: this.#expected })
    this.#writes.claim(this.#expected, this.#claimNonce)
    this.#log.sayHeartbeats()
  }

  onClaimed(message: The<'CLAIMED'>): void {
    if (this.#context.role !== 'claimant' || message.nonce !== this.#claimNonce) return
    const { outcome, term, index } = message
    if (outcome === 'lost' && term < this.#expected) this.#doubt(this.#expected)
    this.seeTerm(term)
    if (outcome === 'won' && term >= this.#context.newestTerm) {
      this.#won = { term, index }
      this.applied()
      return
    }
    this.#claimsLeft = (this.#claimsLeft > 0 ? this.#claimsLeft : this.#context.slots + 1) - 1
    // Every claim was refused, so the coordinator has a valid lease: hearsay about that coordinator
    // counts again for a while.
    if (this.#claimsLeft === 0) this.#unreachableSince = null
    this.#disqualify(outcome)
  }

  #disqualify(reason: string): void {
    const { now, timings } = this.#context
    this.#context.outbox.log('info', 'claim-failed', { reason })
    this.#disqualifiedUntil = now.monotonic + timings.retry * (0.5 + this.#context.random())
    this.#becomeFollower()
  }

  #becomeFollower(): void {
    this.#context.role = 'follower'
    this.#context.holds = 0
    this.#won = null
    this.#claimNonce = ''
    this.#writes.dropClaim()
    this.#ring.rest()
  }

  /** The log has been applied further. Once the own TERM is applied, coordination begins. */
  applied(): void {
    this.#refute()
    const won = this.#won
    if (!won || this.#context.role !== 'claimant' || this.#executor.base.index < won.index) return
    if (won.term < this.#context.newestTerm) {
      this.#disqualify('a newer term')
      return
    }
    this.#won = null
    this.#claimsLeft = 0
    this.#context.role = 'coordinator'
    this.#context.holds = won.term
    this.#writes.dropClaim()
    this.#context.outbox.log('info', 'coordinator', { term: won.term })
    const { self } = this.#context
    const successor = this.#context.successor
    const message = { type: 'COORDINATOR', term: won.term, slot: self, hops: 1 } as const
    if (successor !== undefined) this.#context.send(successor, message)
    this.#log.sayHeartbeats()
    this.#events.coordinate(won.term)
  }

  onCoordinator(message: The<'COORDINATOR'>): void {
    const { term, slot, hops } = message
    if (!this.#context.believes(term)) return
    this.seeTerm(term)
    const successor = this.#context.successor
    if (slot === this.#context.self || successor === undefined || successor === slot) return
    if (hops < this.#context.slots) this.#context.send(successor, { ...message, hops: hops + 1 })
  }

  /**
   * A persistence replica that does not know the term may be out of date. The log decides, applied
   * through all that is acknowledged by now.
   */
  #doubt(term: number): void {
    this.#queries.tip((index) => {
      if (index === null) return
      this.#doubted = { term, index }
      this.#refute()
    })
  }

  /**
   * The log has every term that exists, so a higher one is the error of some replica. A term that
   * is believed wrongly and for ever would keep all replicas from every term to come.
   */
  #refute(): void {
    const { index, fence } = this.#executor.base
    if (!this.#doubted || index < this.#doubted.index) return
    const { term } = this.#doubted
    this.#doubted = null
    if (fence.term >= term || this.#context.newestTerm !== term) return
    this.#context.outbox.log('error', 'term-refuted', { term, newest: fence.term })
    this.#context.refuted = term
    this.#context.newestTerm = fence.term
    this.#events.refuted(fence.term)
  }

  /** A term seen anywhere: a replica that holds a lower one gives it up. */
  seeTerm(term: number): void {
    if (term <= this.#context.newestTerm) return
    this.#context.newestTerm = term
    if (this.#context.holds > 0 && this.#context.holds < term) this.stop('a newer term')
  }

  /**
   * Another replica is to lead. This replica stays out of elections long enough for the claim of another
   * one to win.
   */
  resign(reason: string): void {
    this.stop(reason)
    const { now, timings } = this.#context
    this.#disqualifiedUntil = now.monotonic + timings.suspect * (1 + this.#context.random())
  }

  /** Gives up the term, or the claim. */
  stop(reason: string): void {
    const held = this.#context.holds
    this.#becomeFollower()
    const { now, timings } = this.#context
    this.#disqualifiedUntil = now.monotonic + timings.retry * (1 + this.#context.random())
    this.#writes.dropAppends()
    this.#log.sayHeartbeats()
    if (held > 0) {
      this.#context.outbox.log('warn', 'stopped-coordinating', { term: held, reason })
      this.#events.stopped(reason)
    }
  }
}
