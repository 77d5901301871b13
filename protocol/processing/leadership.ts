// Who coordinates: ring election, then a term from persistence (compare-and-set), then the own TERM
// applied. Who stopped coordinating for any reason never sends another order in that term.

import { Ring } from '../election/ring.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { Home } from './log-client.js'
import type { RingStanding } from './context.js'

export interface LeadershipEvents {
  /** The own TERM is won and applied: the first order may be given. */
  coordinate(term: number): void
  /** Not the coordinator any more. */
  stopped(reason: string): void
  /** The known coordinator has changed; 0: none. */
  coordinator(slot: Slot): void
  /** There is no term above this one, whatever was said. */
  refuted(term: number): void
}

/** The log as far as it is applied here. */
export interface AppliedLog {
  readonly index: number
  /** Its newest term. */
  readonly fence: { readonly term: number }
}

export class Leadership {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #log: () => AppliedLog
  readonly #events: LeadershipEvents
  readonly #ring: Ring
  /** Won, waiting for the own TERM to be applied. */
  #won: { readonly term: number; readonly index: number } | null = null
  /** A term that a store knows nothing of: through `index` the log tells whether it ever was. */
  #doubted: { readonly term: number; readonly index: number } | null = null
  #claimNonce = ''
  #expected = 0
  /** A failed claim disqualifies until then, monotonic ms. */
  #disqualifiedUntil = 0
  #known: Slot = 0
  /** Since when the only coordinator known is one that is not linked here, monotonic ms; null: it is not so. */
  #vainSince: number | null = null
  /**
   * Claims that are still put without an election. Owners of the term may be resigning for them, one after
   * the other: an election in between would give the term to the next of those.
   */
  #insist = 0
  elections = 0

  constructor(standing: RingStanding, home: Home, log: () => AppliedLog, events: LeadershipEvents) {
    this.#s = standing
    this.#home = home
    this.#log = log
    this.#events = events
    const port = {
      successor: () => standing.successor,
      send: (to: Slot, message: { round: number; candidate: Slot; hops: number }) =>
        standing.send(to, { type: 'ELECTION', ...message }),
      eligible: () => this.#eligible,
      random: () => standing.random(),
    }
    this.#ring = new Ring(standing.self, standing.slots, port, {
      roundMs: standing.timings.patience / 4,
    })
  }

  /** Only who reaches a persistence member whose view can commit offers its id. */
  get #eligible(): boolean {
    return this.#home.commits && this.#s.now.monotonic >= this.#disqualifiedUntil
  }

  /**
   * The live coordinator: this replica, or one heard to say "I hold term t", or, for as long as nobody
   * waits for it in vain, one that a neighbour vouches for, t not below any term known here. 0: none.
   */
  get coordinator(): Slot {
    const { holds, self, newestTerm, now, timings } = this.#s
    if (holds > 0) return self
    for (const [slot, peer] of this.#s.peers) {
      const held = peer.heartbeat?.holds ?? 0
      if (held > 0 && held >= newestTerm && this.#s.hears(slot)) return slot
    }
    const vain = this.#vainSince !== null && now.monotonic - this.#vainSince > timings.suspect
    return vain || this.#insist > 0 ? 0 : this.#hearsay
  }

  /** Whom a neighbour vouches for; 0: nobody. */
  get #hearsay(): Slot {
    const { self, newestTerm } = this.#s
    for (const [slot, peer] of this.#s.peers) {
      const { vouchesFor = 0, vouchedTerm = 0 } = peer.heartbeat ?? {}
      if (vouchesFor === self || vouchesFor === 0 || vouchedTerm < newestTerm) continue
      if (this.#s.hears(slot)) return vouchesFor
    }
    return 0
  }

  /** Clients wait here, and nothing can be passed on to a coordinator known by hearsay alone. */
  #noteHearsay(): void {
    const { wanted, now } = this.#s
    const vain = wanted && this.vouched.slot === 0 && this.#hearsay !== 0
    this.#vainSince = vain ? (this.#vainSince ?? now.monotonic) : null
  }

  /** What the own heartbeat vouches for: only a coordinator heard directly. */
  get vouched(): { readonly slot: Slot; readonly term: number } {
    const { holds, self, newestTerm } = this.#s
    if (holds > 0) return { slot: self, term: holds }
    for (const [slot, peer] of this.#s.peers) {
      const held = peer.heartbeat?.holds ?? 0
      if (held > 0 && held >= newestTerm && this.#s.hears(slot)) return { slot, term: held }
    }
    return { slot: 0, term: 0 }
  }

  describe(): string {
    const successor = this.#s.successor
    const known = this.coordinator
    return [
      `role: ${this.#s.role}`,
      `coordinator: ${known ? `p${known}` : '-'}`,
      `holds term: ${this.#s.holds}`,
      `newest term: ${this.#s.newestTerm}`,
      `successor: ${successor ? `p${successor}` : '-'}`,
      `round: ${this.#ring.round}`,
      `live: ${this.#s.live.map((slot) => `p${slot}`).join(' ')}`,
    ].join('\n')
  }

  // ---- course ---------------------------------------------------------------------------------

  /** Called on ticks and whenever links or heartbeats have changed. */
  maintain(): void {
    const { now, timings, role, holds } = this.#s
    const tooLong = this.#home.homelessMs > timings.coordinatorPatience
    if (role !== 'follower' && role !== 'participant' && tooLong) this.stop('no persistence')
    if (holds > 0 && this.#s.newestTerm > holds) this.stop('a newer term')
    this.#noteHearsay()
    const known = this.coordinator
    if (known !== this.#known) {
      this.#known = known
      this.#events.coordinator(known)
    }
    if (known !== 0) {
      this.#insist = 0
      this.#ring.rest()
      if (this.#s.role === 'participant') this.#s.role = 'follower'
      return
    }
    if (this.#s.role === 'claimant') return
    if (this.#insist > 0) {
      if (this.#eligible) this.#claim()
      return
    }
    if (this.#ring.elect(now.monotonic)) this.#claim()
    else this.#s.role = this.#ring.participant ? 'participant' : 'follower'
  }

  /** A link of the ring is gone. */
  linkLost(): void {
    this.#ring.broken()
    this.maintain()
  }

  onElection(message: The<'ELECTION'>): void {
    // No election while a live coordinator is known; its heartbeats and ours say who.
    if (this.coordinator !== 0 || this.#s.role === 'claimant') return
    if (this.#ring.onElection(message, this.#s.now.monotonic)) this.#claim()
    else if (this.#ring.participant) this.#s.role = 'participant'
  }

  #claim(): void {
    this.elections++
    this.#s.role = 'claimant'
    this.#claimNonce = this.#s.nonce()
    this.#expected = this.#s.newestTerm
    this.#s.outbox.log('info', 'claiming', { expected: this.#expected })
    this.#home.unanswered.claim(this.#expected, this.#claimNonce)
    this.#home.sayHeartbeats()
  }

  onClaimed(message: The<'CLAIMED'>): void {
    if (this.#s.role !== 'claimant' || message.nonce !== this.#claimNonce) return
    const { outcome, term, index, newestTerm } = message
    if (outcome === 'lost' && newestTerm < this.#expected) this.#doubt(this.#expected)
    this.seeTerm(newestTerm)
    if (outcome === 'won' && term >= this.#s.newestTerm) {
      this.#won = { term, index }
      this.applied()
      return
    }
    this.#insist = (this.#insist > 0 ? this.#insist : this.#s.slots + 1) - 1
    // Who it is serves others, and gives way to nobody here: for a while it is believed again.
    if (this.#insist === 0) this.#vainSince = null
    this.#disqualify(outcome)
  }

  #disqualify(reason: string): void {
    const { now, timings } = this.#s
    this.#s.outbox.log('info', 'claim-failed', { reason })
    this.#disqualifiedUntil = now.monotonic + timings.heartbeat * (0.5 + this.#s.random())
    this.#becomeFollower()
  }

  #becomeFollower(): void {
    this.#s.role = 'follower'
    this.#s.holds = 0
    this.#won = null
    this.#claimNonce = ''
    this.#home.unanswered.dropClaim()
    this.#ring.rest()
  }

  /** The log has been applied further: with the own TERM in it, coordination begins. */
  applied(): void {
    this.#refute()
    const won = this.#won
    if (!won || this.#s.role !== 'claimant' || this.#log().index < won.index) return
    if (won.term < this.#s.newestTerm) {
      this.#disqualify('a newer term')
      return
    }
    this.#won = null
    this.#insist = 0
    this.#s.role = 'coordinator'
    this.#s.holds = won.term
    this.#home.unanswered.dropClaim()
    this.#s.outbox.log('info', 'coordinator', { term: won.term })
    const { self, boot } = this.#s
    const successor = this.#s.successor
    const message = { type: 'COORDINATOR', term: won.term, slot: self, boot, hops: 1 } as const
    if (successor !== undefined) this.#s.send(successor, message)
    this.#home.sayHeartbeats()
    this.#events.coordinate(won.term)
  }

  onCoordinator(message: The<'COORDINATOR'>): void {
    const { term, slot, hops } = message
    if (!this.#s.believes(term)) return
    this.seeTerm(term)
    const successor = this.#s.successor
    if (slot === this.#s.self || successor === undefined || successor === slot) return
    if (hops < this.#s.slots) this.#s.send(successor, { ...message, hops: hops + 1 })
  }

  /** Who does not know it may be out of date: the log tells, through all that is acknowledged by now. */
  #doubt(term: number): void {
    this.#home.questions.tip((index) => {
      if (index === null) return
      this.#doubted = { term, index }
      this.#refute()
    })
  }

  /**
   * The log has every term that there is. A higher one was said by a replica that is wrong: believed for
   * ever, it would keep everybody from every term to come.
   */
  #refute(): void {
    const { index, fence } = this.#log()
    if (!this.#doubted || index < this.#doubted.index) return
    const { term } = this.#doubted
    this.#doubted = null
    if (fence.term >= term || this.#s.newestTerm !== term) return
    this.#s.outbox.log('error', 'term-refuted', { term, newest: fence.term })
    this.#s.refuted = term
    this.#s.newestTerm = fence.term
    this.#events.refuted(fence.term)
  }

  /** A term seen anywhere: who holds or claims a lower one stops. */
  seeTerm(term: number): void {
    if (term <= this.#s.newestTerm) return
    this.#s.newestTerm = term
    if (this.#s.holds > 0 && this.#s.holds < term) this.stop('a newer term')
  }

  /** Somebody weighs more: long enough for that claim this replica does not offer its id. */
  resign(): void {
    this.stop('a larger part of the ring asks to lead')
    const { now, timings } = this.#s
    this.#disqualifiedUntil = now.monotonic + timings.suspect * (1 + this.#s.random())
  }

  /** Gives up the term, or the claim. */
  stop(reason: string): void {
    const held = this.#s.holds
    this.#becomeFollower()
    const { now, timings } = this.#s
    this.#disqualifiedUntil = now.monotonic + timings.heartbeat * (1 + this.#s.random())
    this.#home.unanswered.dropAppends()
    this.#home.sayHeartbeats()
    if (held > 0) {
      this.#s.outbox.log('warn', 'stopped-coordinating', { term: held, reason })
      this.#events.stopped(reason)
    }
  }
}
