// Append and commit inside one view. The holder of the turn stamps entries, sends them and writes
// them at the same time; an entry durable on a majority of ALL slots is committed. Nothing is said
// before it is on disk (P5); an entry never changes once committed (P3).

import { invariant } from '../assert.js'
import { Durations } from '../durations.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { Turn } from '../mutex/ricart-agrawala.js'
import type { PersistenceContext } from './context.js'
import { lastOf, type Batch } from '../entries/batch.js'
import { sameEpoch } from '../entries/epoch.js'
import type { Place } from '../entries/place.js'
import { cutFrames, takeStretch } from './frames.js'
import { Sequencer } from './sequencer.js'
import type { Leases } from './lease.js'
import type { Puller } from './pull.js'
import { AppendQueue } from './append-queue.js'

/**
 * Transactions of the holder that may wait for the disk; appends that arrive meanwhile form the
 * next.
 */
const GROUPS_IN_FLIGHT = 2

export class Appender {
  readonly #context: PersistenceContext
  readonly #puller: Puller
  readonly turn: Turn
  readonly queue = new AppendQueue()
  readonly #sequencer: Sequencer
  /** By member: the index through which its log is durable in this epoch. */
  readonly acked = new Map<Slot, number>()
  #groupsInFlight = 0
  /** A group has been appended in this turn: a member that waits for the turn comes next. */
  #served = false
  /** Highest index that this replica appended as holder in this view. */
  #ownLast = 0
  /** Highest end of log that a REPLY named: the turn's work begins when the own log reaches it. */
  #required = 0
  /** By member: the commit index that it has been told in this view. */
  readonly #told = new Map<Slot, number>()
  /** Since when the turn is wanted, monotonic ms; 0: it is not wanted. */
  wantingSince = 0
  /** Time from asking for the turn to holding it. */
  readonly turnWaits = new Durations()
  /** Requests no new turn: the replica is being stopped. */
  draining = false

  constructor(context: PersistenceContext, leases: Leases, puller: Puller) {
    this.#context = context
    this.#sequencer = new Sequencer(context, leases, this.queue)
    this.#puller = puller
    this.turn = new Turn(context.self, {
      sendRequest: (to, stamp) =>
        context.send(to, { type: 'REQUEST', epoch: context.epoch, stamp }),
      sendReply: (to, stamp) =>
        context.send(to, { type: 'REPLY', epoch: context.epoch, stamp, last: context.log.last }),
    })
  }

  /** A view has been installed: no member holds a permission, no entry is acknowledged. */
  installed(): void {
    this.turn.install(this.#context.otherMembers)
    this.acked.clear()
    this.#groupsInFlight = 0
    this.#served = false
    this.#ownLast = 0
    this.#required = 0
    const { log, otherMembers } = this.#context
    this.#told.clear()
    for (const slot of otherMembers) this.#told.set(slot, log.commit)
    this.wantingSince = 0
  }

  /**
   * A higher epoch is promised, or the view is left: unanswered appends return to the queue, in
   * order.
   */
  leftView(): void {
    this.turn.install([])
    this.queue.putBack()
    this.wantingSince = 0
  }

  /** Drives the turn and the queue as far as they go; called at the end of every step. */
  pump(): void {
    if (!this.#context.serving) return
    this.#requestTurn()
    if (this.turn.holding) {
      if (this.wantingSince > 0) this.turnWaits.add(this.#context.now.monotonic - this.wantingSince)
      this.wantingSince = 0
      if (this.#context.log.last < this.#required) this.#catchUpTo(this.#required)
      else this.#useTurn()
      this.#requestTurn()
    }
    this.#answer()
    this.#announceCommit()
  }

  /** Members that have withheld the turn from this replica for too long: ground for suspicion. */
  get stuckOn(): readonly Slot[] {
    const { now, timings } = this.#context
    const since = this.wantingSince
    if (since === 0 || now.monotonic - since <= 4 * timings.suspect) return []
    return this.turn.missing
  }

  #requestTurn(): void {
    if (this.queue.waiting === 0 || this.turn.holding || this.turn.wanting || this.draining) return
    this.wantingSince = this.#context.now.monotonic
    this.turn.request(this.#context.clock.tick())
  }

  /** While holding, the log in memory is complete: all members have installed the epoch. */
  #useTurn(): void {
    while (this.queue.waiting > 0 && this.#groupsInFlight < GROUPS_IN_FLIGHT) {
      if (this.turn.awaited && this.#served) break
      this.#appendGroup()
    }
    const idle = this.queue.waiting === 0 || this.#served
    if (this.turn.awaited && idle && this.#context.log.commit >= this.#ownLast) {
      this.#served = false
      this.turn.leave()
    }
  }

  #catchUpTo(index: number): void {
    const heard = this.#context.otherMembers.filter((slot) => this.#context.hears(slot))
    const hasIt = (slot: Slot): boolean =>
      (this.#context.peers.get(slot)?.heartbeat?.last ?? 0) >= index
    const source = heard.find(hasIt) ?? heard[0]
    if (source !== undefined) this.pullFrom(source)
  }

  /** Pulls entries of this view that the own log lacks from a member. */
  pullFrom(member: Slot): void {
    const epoch = this.#context.epoch
    this.#puller.ask(member, false, (pulled) => {
      if (!pulled || !this.#context.serving || !sameEpoch(epoch, this.#context.epoch)) return
      // A member in another view, or on its way to one, may have another log than this view's.
      const inView = sameEpoch(pulled.installed, epoch) && sameEpoch(pulled.promised, epoch)
      if (!inView || !pulled.common) return
      this.#accept(member, pulled.common.index, pulled.batches, pulled.commit)
      // The source may have more. If nothing more is written, no other message makes this replica ask.
      if (pulled.batches.length > 0 && pulled.last > this.#context.log.last) this.pullFrom(member)
    })
  }

  #appendGroup(): void {
    const { log } = this.#context
    const previous = log.place
    const group = this.#sequencer.takeGroup()
    if (group.length === 0) return
    this.#served = true
    this.#ownLast = log.last
    this.#replicate(this.#context.otherMembers, previous, group)
    this.#write(previous, group, undefined)
  }

  #replicate(to: readonly Slot[], previous: Place, batches: readonly Batch[]): void {
    const { log, epoch } = this.#context
    const { commit } = log
    for (const part of cutFrames(previous, batches, this.#context.bounds.frameBytes)) {
      this.#context.broadcast(to, { type: 'REPLICATE', epoch, ...part, commit })
    }
    for (const slot of to) this.#told.set(slot, commit)
  }

  /**
   * `ackTo`: the holder that hears when the group is durable here; undefined: this replica is the
   * holder.
   */
  #write(previous: Place, batches: readonly Batch[], ackTo: Slot | undefined): void {
    const { log, epoch } = this.#context
    if (ackTo === undefined) this.#groupsInFlight++
    const require = { promised: epoch, last: previous }
    this.#context.persist({ require, batches, commit: log.commit }, (result) => {
      const here = sameEpoch(epoch, this.#context.epoch) && this.#context.serving
      if (ackTo === undefined && sameEpoch(epoch, this.#context.epoch)) this.#groupsInFlight--
      if (result.outcome !== 'written') return
      log.durableThrough(result.durable)
      if (!here) return
      if (ackTo === undefined) this.#count()
      else this.#context.send(ackTo, { type: 'ACK', epoch, last: result.durable.last })
    })
  }

  onReplicate(from: Slot, message: The<'REPLICATE'>): void {
    const { log } = this.#context
    const { previous } = message
    const there = log.has(previous)
    if (previous.index > log.last) {
      this.pullFrom(from)
      return
    }
    invariant(there !== false, `P2: other chain at ${previous.index} in the same epoch`)
    this.#accept(from, previous.index, message.batches, message.commit)
  }

  #accept(from: Slot, after: number, batches: readonly Batch[], commit: number): void {
    const { log } = this.#context
    const previous = log.place
    const fresh = takeStretch(log, this.#context.clock, after, batches)
    if (!fresh) return this.#context.distrust(from, 'batches that do not follow from each other')
    const end = batches.at(-1)
    this.#raiseCommit(Math.min(commit, end ? lastOf(end) : after))
    if (fresh.length > 0) this.#write(previous, fresh, from)
    else if (log.durable === log.last) {
      this.#context.send(from, { type: 'ACK', epoch: this.#context.epoch, last: log.durable })
    }
  }

  onAck(from: Slot, message: The<'ACK'>): void {
    this.acked.set(from, Math.max(this.acked.get(from) ?? 0, message.last))
    this.#count()
  }

  onCommit(from: Slot, commit: number): void {
    if (commit > this.#context.log.last) this.pullFrom(from)
    this.#raiseCommit(commit)
  }

  onRequest(from: Slot, message: The<'REQUEST'>): void {
    this.turn.onRequest(from, message.stamp)
  }

  onReply(from: Slot, message: The<'REPLY'>): void {
    if (!this.turn.onReply(from, message.stamp)) return
    this.#required = Math.max(this.#required, message.last)
  }

  /** A view is active: its whole log is committed. */
  onActive(last: number): void {
    this.#raiseCommit(last)
  }

  /** A new connection to a member: messages that the old one may have lost are sent again. */
  reconnected(peer: Slot): void {
    if (!this.#context.serving || !this.#context.isMember(peer)) return
    const { log } = this.#context
    this.turn.reconnected(peer)
    if (!this.turn.holding) return
    const above = log.after(log.commit)
    const previous = log.placeAt(log.commit)
    if (previous && above.length > 0) this.#replicate([peer], previous, above)
    else this.#sayCommit([peer])
  }

  #count(): void {
    const { log, slots, self, majority } = this.#context
    const durable: number[] = []
    for (let slot = 1; slot <= slots; slot++) {
      durable.push(slot === self ? log.durable : (this.acked.get(slot) ?? 0))
    }
    durable.sort((a, b) => b - a)
    this.#raiseCommit(durable[majority - 1]!)
  }

  #raiseCommit(index: number): void {
    if (!this.#context.log.commitThrough(index)) return
    this.#answer()
  }

  #answer(): void {
    for (const { link, message } of this.queue.answered(this.#context.log.commit)) {
      this.#context.outbox.send(link, message)
    }
  }

  /** Members that lack the commit index, of those that a holder has to tell. */
  get untold(): readonly Slot[] {
    const { log, otherMembers } = this.#context
    if (this.#ownLast === 0) return []
    return otherMembers.filter((slot) => (this.#told.get(slot) ?? 0) < log.commit)
  }

  /** A member where nobody waits hears of commits by the next REPLICATE, or the next tick. */
  #announceCommit(): void {
    const { peers } = this.#context
    this.#sayCommit(this.untold.filter((slot) => peers.get(slot)?.heartbeat?.urgent === true))
  }

  tick(): void {
    if (this.#context.serving) this.#sayCommit(this.untold)
  }

  #sayCommit(to: readonly Slot[]): void {
    if (to.length === 0) return
    const { log, epoch } = this.#context
    for (const slot of to) this.#told.set(slot, log.commit)
    this.#context.broadcast(to, { type: 'COMMIT', epoch, commit: log.commit })
  }
}
