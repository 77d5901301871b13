// View change, the acceptor's side and the decision to begin: promises that never go down (P4), one
// INSTALL per epoch (P8), applied once. After Viewstamped Replication (Liskov & Cowling 2012) and
// Paxos: only promises of a majority of all slots decide.

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { compareEpochs, formatEpoch, maxEpoch, sameEpoch, type Epoch } from '../entries/epoch.js'
import type { Appender } from '../persistence/appender.js'
import type { EpochGate } from '../persistence/epoch-gate.js'
import type { Puller } from '../persistence/pull.js'
import type { Reads } from '../persistence/reads.js'
import type { Incarnations } from './incarnations.js'
import type { DurableState } from '../machine/storage.js'
import { compareIncarnations, type Member } from '../entries/incarnation.js'
import { Installation } from './installation.js'
import { Joining } from './joining.js'
import { Membership } from './membership.js'
import { Proposal } from './proposal.js'
import type { PersistenceContext } from '../persistence/context.js'

export class ViewChange {
  readonly #context: PersistenceContext
  readonly #puller: Puller
  readonly #appender: Appender
  readonly #gate: EpochGate
  readonly #incarnations: Incarnations
  readonly #reads: Reads
  readonly #membership: Membership
  readonly joining: Joining
  readonly installation: Installation
  #proposal: Proposal | null = null
  #changingSince = 0
  #wantedSince: number | null = null
  #delay = 0
  #notBefore = 0
  /** An attempt of this replica failed, so it must make another. */
  #owesProposal = false
  /** Views proposed since the start. */
  proposals = 0
  #promise: { readonly epoch: Epoch; readonly durable: DurableState } | null = null

  constructor(
    context: PersistenceContext,
    puller: Puller,
    appender: Appender,
    gate: EpochGate,
    incarnations: Incarnations,
    reads: Reads,
  ) {
    this.#context = context
    this.#puller = puller
    this.#appender = appender
    this.#gate = gate
    this.#incarnations = incarnations
    this.#reads = reads
    this.#membership = new Membership(context, appender)
    this.joining = new Joining(context, puller)
    this.installation = new Installation(context, puller, appender, incarnations, {
      begins: () => (this.#promise = null),
      installed: (epoch) => {
        this.joining.joined()
        appender.installed()
        gate.installed()
        this.#sayInstalled(epoch)
      },
    })
  }

  /** In a view, and no other is wanted. */
  get calm(): boolean {
    return this.#context.status === 'normal' && !this.#proposal && this.#wantedSince === null
  }

  get proposing(): string {
    return this.#proposal?.phase ?? 'no'
  }

  // ---- when to begin -------------------------------------------------------------------------

  /** Called on ticks and whenever heartbeats or links of the peers have changed. */
  maintain(): void {
    if (this.#context.incarnation.counter === 0) return
    if (this.#proposal) {
      this.#proposal.tick()
      return
    }
    if (this.#context.status === 'outside' || this.#context.status === 'learner')
      this.joining.join()
    this.#giveUpChanging()
    if (!this.#wantsChange() || !this.#context.votes) {
      this.#wantedSince = null
      return
    }
    const target = this.#membership.target()
    if (target.length < this.#context.majority || this.#context.now.monotonic < this.#notBefore)
      return
    if (this.#wantedSince === null) {
      this.#wantedSince = this.#context.now.monotonic
      const { patience } = this.#context.timings
      // A view change has a proposer already, which gets the time that it needs.
      const underWay =
        this.#context.status === 'normal' && this.#membership.viewFault() === 'changing'
      this.#delay =
        (underWay ? patience : 0) +
        this.#membership.rank() * patience * (0.5 + this.#context.random())
    }
    if (this.#context.now.monotonic - this.#wantedSince >= this.#delay) this.#propose(target)
  }

  /**
   * A learner whose promised view does not come leaves it and asks to join again; it no longer
   * enters that view.
   */
  #giveUpChanging(): void {
    const waited = this.#context.now.monotonic - this.#changingSince
    if (
      this.#context.status === 'changing' &&
      !this.#context.votes &&
      waited > 4 * this.#context.timings.patience
    ) {
      this.leave()
    }
  }

  #wantsChange(): boolean {
    const { status, now, timings } = this.#context
    if (status === 'normal')
      return (
        this.#owesProposal || this.#membership.viewFault() !== null || this.#membership.canGrow()
      )
    if (status === 'changing') {
      return this.#owesProposal || now.monotonic - this.#changingSince > timings.patience
    }
    if (status === 'learner') return false
    const busy = [...this.#context.peers].some(
      ([slot, peer]) => this.#context.hears(slot) && peer.heartbeat?.active,
    )
    if (!busy) return true
    return this.joining.unheard
  }

  // ---- ASK ------------------------------------------------------------------------------------

  onAsk(from: Slot, message: The<'ASK'>): void {
    const reason = this.#objection(from, message)
    const granted = reason === ''
    this.#context.send(from, { type: 'CONSENT', epoch: message.epoch, granted, reason })
  }

  #objection(from: Slot, message: The<'ASK'>): string {
    const linked = message.members.every((slot) => this.#context.hears(slot))
    if (!linked) return 'not linked to all proposed members'
    if (this.#proposal && this.#context.self < from) return 'proposing'
    if (
      this.#context.status !== 'normal' ||
      this.#membership.viewFault() !== null ||
      this.#membership.lacksInstalled()
    )
      return ''
    const grows =
      message.members.length > this.#context.view.members.length &&
      this.#context.memberSlots.every((slot) => message.members.includes(slot))
    return grows ? '' : 'the view is healthy'
  }

  // ---- PREPARE, PROMISE -----------------------------------------------------------------------

  #propose(target: readonly Slot[]): void {
    const epoch: Epoch = { counter: this.#context.seen.counter + 1, slot: this.#context.self }
    this.#context.noteEpoch(epoch)
    this.#wantedSince = null
    this.#owesProposal = false
    this.proposals++
    this.#context.outbox.log('info', 'view-proposed', {
      epoch: formatEpoch(epoch),
      members: target.join(' '),
    })
    this.#proposal = new Proposal(this.#context, this.#puller, epoch, target, {
      promise: (then) => this.#promiseTo(epoch, this.#context.incarnationList, then),
      install: (message) => this.onInstall(this.#context.self, message),
      done: (last) => {
        this.#proposal = null
        this.#context.outbox.log('info', 'view-active', { epoch: formatEpoch(epoch), last })
        this.#appender.onActive(last)
      },
      failed: (reason, blamed, backOff) => this.#failed(epoch, reason, blamed, backOff),
    })
    this.#proposal.begin()
  }

  #failed(epoch: Epoch, reason: string, blamed: readonly Slot[], backOff: number): void {
    const { now, timings } = this.#context
    this.#context.outbox.log('info', 'view-proposal-failed', { epoch: formatEpoch(epoch), reason })
    this.#proposal = null
    this.#notBefore = now.monotonic + backOff * (0.5 + this.#context.random())
    for (const slot of blamed) this.#membership.blame(slot, now.monotonic + 2 * timings.suspect)
    // If the own promise is given, or the view is incomplete, no other replica may have cause to
    // begin.
    this.#owesProposal = sameEpoch(this.#context.promised, epoch)
  }

  #dropProposal(reason: string): void {
    this.#proposal?.drop()
    if (this.#proposal) this.#failed(this.#proposal.epoch, reason, [], 0)
    this.#owesProposal = false
  }

  /**
   * Persists the promise behind all queued writes; `then` gets the state that its transaction read.
   */
  #promiseTo(epoch: Epoch, named: readonly Member[], then: (durable: DurableState) => void): void {
    for (const { slot, incarnation } of named) this.#context.noteIncarnation(slot, incarnation)
    const newest = this.#context.incarnations.get(this.#context.self)!
    if (compareIncarnations(newest, this.#context.incarnation) > 0) {
      this.startAnew()
      return
    }
    this.#context.promised = epoch
    this.#context.promisedSinceStart = epoch
    this.#context.noteEpoch(epoch)
    this.#context.status = 'changing'
    this.#changingSince = this.#context.now.monotonic
    this.installation.giveUp()
    this.#promise = null
    this.#puller.cancel()
    this.#leftView()
    const batch = { promised: epoch, incarnations: this.#context.incarnationList }
    this.#context.persist(batch, (result) => {
      if (result.outcome !== 'written') return
      this.#context.durablePromised = maxEpoch(this.#context.durablePromised, epoch)
      if (!sameEpoch(this.#context.promised, epoch)) return
      this.#promise = { epoch, durable: result.durable }
      then(result.durable)
    })
  }

  onPrepare(from: Slot, message: The<'PREPARE'>): void {
    const { epoch } = message
    if (this.#context.isAbovePromise(epoch)) {
      this.#dropProposal('a higher epoch')
      this.#promiseTo(epoch, message.incarnations, () => this.#sendPromise(from, epoch))
      return
    }
    const again =
      sameEpoch(epoch, this.#context.promised) &&
      this.#promise !== null &&
      sameEpoch(this.#promise.epoch, epoch) &&
      compareEpochs(this.#context.epoch, epoch) < 0 &&
      !this.#proposal
    if (again) this.#sendPromise(from, epoch)
    else if (!sameEpoch(epoch, this.#context.promised))
      this.#context.send(from, { type: 'STALE', epoch })
  }

  #sendPromise(to: Slot, epoch: Epoch): void {
    const { logView, last, chain, commit } = this.#promise!.durable
    this.#context.send(to, {
      type: 'PROMISE',
      epoch,
      logView,
      last: { index: last, chain },
      commit,
      incarnations: this.#context.incarnationList,
      learner: !this.#context.votes,
    })
  }

  onConsent(from: Slot, message: The<'CONSENT'>): void {
    this.#proposal?.onConsent(from, message)
  }

  onPromise(from: Slot, message: The<'PROMISE'>): void {
    for (const known of message.incarnations) {
      this.#context.noteIncarnation(known.slot, known.incarnation)
    }
    this.#proposal?.onPromise(from, message)
  }

  onStale(message: The<'STALE'>): void {
    if (!this.#proposal || !sameEpoch(message.epoch, this.#proposal.epoch)) return
    if (compareEpochs(message.promised, message.epoch) > 0) this.#proposal.fail('stale', [], 50)
  }

  // ---- INSTALL --------------------------------------------------------------------------------

  onInstall(from: Slot, message: The<'INSTALL'>): void {
    const { epoch } = message
    if (sameEpoch(this.#context.epoch, epoch)) {
      this.#sayInstalled(epoch)
      return
    }
    this.installation.begin(from, message)
  }

  #sayInstalled(epoch: Epoch): void {
    if (!sameEpoch(this.#context.promised, epoch)) return
    if (epoch.slot === this.#context.self) this.#proposal?.onInstalled(this.#context.self, epoch)
    else this.#context.send(epoch.slot, { type: 'INSTALLED', epoch })
  }

  onInstalled(from: Slot, message: The<'INSTALLED'>): void {
    this.#proposal?.onInstalled(from, message.epoch)
  }

  // ---- links ----------------------------------------------------------------------------------

  /** A header names an installed view above the own one, to which this replica has not promised. */
  onHigherView(): void {
    if (this.#context.status !== 'normal' && this.#context.status !== 'changing') return
    this.#dropProposal('a higher view')
    this.leave()
  }

  /** Leaves the view as a restart would: only a new view takes this replica in again. */
  leave(): void {
    this.#dropProposal('left')
    this.#context.standOutside()
    this.#context.promisedSinceStart = null
    this.installation.giveUp()
    this.#promise = null
    this.#puller.cancel()
    this.#leftView()
  }

  /** No message of the old view leaves this replica from here on. */
  #leftView(): void {
    this.#appender.leftView()
    this.#gate.promised()
  }

  /**
   * A newer incarnation of this slot is known, or the file was rolled back: the own one is over
   * (P9).
   */
  startAnew(): void {
    this.leave()
    this.#incarnations.startAnew()
    this.#reads.abandon()
  }

  reconnected(peer: Slot): void {
    this.#proposal?.reconnected(peer)
  }

  lost(peer: Slot): void {
    this.#proposal?.lost(peer)
  }
}
