// View change, the acceptor's side and the decision to begin: promises that never go down (P4),
// one INSTALL per epoch (P8), applied once. After Viewstamped Replication (Liskov & Cowling 2012)
// and Paxos: what a majority of all has promised to is what counts.

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { compareEpochs, formatEpoch, maxEpoch, sameEpoch, type Epoch } from '../entries/epoch.js'
import type { Puller } from '../persistence/pull.js'
import type { Durable, Remembered } from '../machine/storage.js'
import { compareIncarnations, type Member } from '../entries/incarnation.js'
import { Installation } from './installation.js'
import { Joining } from './joining.js'
import { Membership } from './membership.js'
import { Proposal } from './proposal.js'
import type { Standing } from '../persistence/context.js'

export interface ViewEvents {
  /** Nothing of the old view leaves from here on. */
  left(): void
  installed(): void
  /** A view is active through `last`. */
  active(last: number): void
  /** Members whose permission has been missing for too long. */
  stuckOn(): readonly Slot[]
  remembered(): readonly Remembered[]
  /** A newer life of this slot is known: this one counts no more (P9). */
  superseded(): void
}

export class ViewChange {
  readonly #s: Standing
  readonly #puller: Puller
  readonly #events: ViewEvents
  readonly #membership: Membership
  readonly #joining: Joining
  readonly installation: Installation
  #proposal: Proposal | null = null
  #changingSince = 0
  #wantedSince: number | null = null
  #delay = 0
  #notBefore = 0
  /** An attempt of this replica failed: it owes another. */
  #owing = false
  /** Views proposed since the start. */
  proposals = 0
  #promise: { readonly epoch: Epoch; readonly durable: Durable } | null = null

  constructor(standing: Standing, puller: Puller, events: ViewEvents) {
    this.#s = standing
    this.#puller = puller
    this.#events = events
    this.#membership = new Membership(standing, () => events.stuckOn())
    this.#joining = new Joining(standing, puller)
    this.installation = new Installation(standing, puller, {
      begins: () => (this.#promise = null),
      remembered: () => events.remembered(),
      installed: (epoch) => {
        this.#joining.joined()
        events.installed()
        this.#sayInstalled(epoch)
      },
      active: (last) => events.active(last),
    })
  }

  /** JOIN and JOINING. */
  get joining(): Joining {
    return this.#joining
  }

  get proposing(): string {
    return this.#proposal?.phase ?? 'no'
  }

  // ---- when to begin -------------------------------------------------------------------------

  /** Called on ticks and whenever what is known of the peers has changed. */
  maintain(): void {
    if (this.#s.incarnation.counter === 0) return
    if (this.#proposal) {
      this.#proposal.tick()
      return
    }
    if (this.#s.status === 'outside' || this.#s.status === 'learner') this.#joining.join()
    this.#giveUpChanging()
    if (!this.#wantsChange() || !this.#s.votes) {
      this.#wantedSince = null
      return
    }
    const target = this.#membership.target()
    if (target.length < this.#s.majority || this.#s.now.monotonic < this.#notBefore) return
    if (this.#wantedSince === null) {
      this.#wantedSince = this.#s.now.monotonic
      const { patience } = this.#s.timings
      // Who is changing has a proposer, who is to have the time that it needs.
      const underWay = this.#s.status === 'normal' && this.#membership.trouble() === 'changing'
      this.#delay =
        (underWay ? patience : 0) + this.#membership.rank() * patience * (0.5 + this.#s.random())
    }
    if (this.#s.now.monotonic - this.#wantedSince >= this.#delay) this.#propose(target)
  }

  /** A learner that promised and heard no more of it asks again; that view it does not enter any more. */
  #giveUpChanging(): void {
    const waited = this.#s.now.monotonic - this.#changingSince
    if (this.#s.status === 'changing' && !this.#s.votes && waited > 4 * this.#s.timings.patience) {
      this.leave()
    }
  }

  #wantsChange(): boolean {
    const { status, now, timings } = this.#s
    if (status === 'normal')
      return this.#owing || this.#membership.trouble() !== null || this.#membership.canGrow()
    if (status === 'changing') {
      return this.#owing || now.monotonic - this.#changingSince > timings.patience
    }
    if (status === 'learner') return false
    const busy = [...this.#s.peers].some(
      ([slot, peer]) => this.#s.hears(slot) && peer.heartbeat?.active,
    )
    if (!busy) return true
    return this.#joining.unheard
  }

  // ---- ASK ------------------------------------------------------------------------------------

  onAsk(from: Slot, message: The<'ASK'>): void {
    const reason = this.#objection(from, message)
    const granted = reason === ''
    this.#s.send(from, { type: 'CONSENT', epoch: message.epoch, granted, reason })
  }

  #objection(from: Slot, message: The<'ASK'>): string {
    const linked = message.members.every((slot) => this.#s.hears(slot))
    if (!linked) return 'not linked to all of these'
    if (this.#proposal && this.#s.self < from) return 'proposing'
    if (
      this.#s.status !== 'normal' ||
      this.#membership.trouble() !== null ||
      this.#membership.lacksInstalled()
    )
      return ''
    const grows =
      message.members.length > this.#s.view.members.length &&
      this.#s.memberSlots.every((slot) => message.members.includes(slot))
    return grows ? '' : 'the view is healthy'
  }

  // ---- PREPARE, PROMISE -----------------------------------------------------------------------

  #propose(target: readonly Slot[]): void {
    const epoch: Epoch = { counter: this.#s.seen.counter + 1, slot: this.#s.self }
    this.#s.noteEpoch(epoch)
    this.#wantedSince = null
    this.#owing = false
    this.proposals++
    this.#s.outbox.log('info', 'proposing', {
      epoch: formatEpoch(epoch),
      members: target.join(' '),
    })
    this.#proposal = new Proposal(this.#s, this.#puller, epoch, target, {
      promise: (then) => this.#promiseTo(epoch, this.#s.incarnationList, then),
      install: (message) => this.onInstall(this.#s.self, message),
      done: (last) => {
        this.#proposal = null
        this.#s.outbox.log('info', 'view-active', { epoch: formatEpoch(epoch), last })
        this.#events.active(last)
      },
      failed: (reason, blamed, backOff) => this.#failed(epoch, reason, blamed, backOff),
    })
    this.#proposal.begin()
  }

  #failed(epoch: Epoch, reason: string, blamed: readonly Slot[], backOff: number): void {
    const { now, timings } = this.#s
    this.#s.outbox.log('info', 'proposal-failed', { epoch: formatEpoch(epoch), reason })
    this.#proposal = null
    this.#notBefore = now.monotonic + backOff * (0.5 + this.#s.random())
    for (const slot of blamed) this.#membership.blame(slot, now.monotonic + 2 * timings.suspect)
    // With its own promise given, or its view not complete, nobody else may have cause to begin.
    this.#owing = sameEpoch(this.#s.promised, epoch)
  }

  #dropProposal(reason: string): void {
    this.#proposal?.drop()
    if (this.#proposal) this.#failed(this.#proposal.epoch, reason, [], 0)
    this.#owing = false
  }

  /** Persists the promise behind all queued writes; `then` gets what that transaction saw. */
  #promiseTo(epoch: Epoch, named: readonly Member[], then: (durable: Durable) => void): void {
    for (const { slot, incarnation } of named) this.#s.noteIncarnation(slot, incarnation)
    const newest = this.#s.incarnations.get(this.#s.self)!
    if (compareIncarnations(newest, this.#s.incarnation) > 0) {
      this.#events.superseded()
      return
    }
    this.#s.promised = epoch
    this.#s.promisedSinceStart = epoch
    this.#s.noteEpoch(epoch)
    this.#s.status = 'changing'
    this.#changingSince = this.#s.now.monotonic
    this.installation.giveUp()
    this.#promise = null
    this.#puller.cancel()
    this.#events.left()
    const batch = { promised: epoch, incarnations: this.#s.incarnationList }
    this.#s.persist(batch, (result) => {
      if (result.outcome !== 'written') return
      this.#s.durablePromised = maxEpoch(this.#s.durablePromised, epoch)
      if (!sameEpoch(this.#s.promised, epoch)) return
      this.#promise = { epoch, durable: result.durable }
      then(result.durable)
    })
  }

  onPrepare(from: Slot, message: The<'PREPARE'>): void {
    const { epoch } = message
    if (this.#s.isAbovePromise(epoch)) {
      this.#dropProposal('a higher epoch')
      this.#promiseTo(epoch, message.incarnations, () => this.#sendPromise(from, epoch))
      return
    }
    const again =
      sameEpoch(epoch, this.#s.promised) &&
      this.#promise !== null &&
      sameEpoch(this.#promise.epoch, epoch) &&
      compareEpochs(this.#s.epoch, epoch) < 0 &&
      !this.#proposal
    if (again) this.#sendPromise(from, epoch)
    else if (!sameEpoch(epoch, this.#s.promised)) this.#s.send(from, { type: 'STALE', epoch })
  }

  #sendPromise(to: Slot, epoch: Epoch): void {
    const { logView, last, chain, commit } = this.#promise!.durable
    this.#s.send(to, {
      type: 'PROMISE',
      epoch,
      logView,
      last: { index: last, chain },
      commit,
      incarnations: this.#s.incarnationList,
      learner: !this.#s.votes,
    })
  }

  onConsent(from: Slot, message: The<'CONSENT'>): void {
    this.#proposal?.onConsent(from, message)
  }

  onPromise(from: Slot, message: The<'PROMISE'>): void {
    for (const known of message.incarnations) {
      this.#s.noteIncarnation(known.slot, known.incarnation)
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
    if (sameEpoch(this.#s.epoch, epoch)) {
      this.#sayInstalled(epoch)
      return
    }
    this.installation.begin(from, message)
  }

  #sayInstalled(epoch: Epoch): void {
    if (!sameEpoch(this.#s.promised, epoch)) return
    if (epoch.slot === this.#s.self) this.#proposal?.onInstalled(this.#s.self, epoch)
    else this.#s.send(epoch.slot, { type: 'INSTALLED', epoch })
  }

  onInstalled(from: Slot, message: The<'INSTALLED'>): void {
    this.#proposal?.onInstalled(from, message.epoch)
  }

  // ---- links ----------------------------------------------------------------------------------

  /** A header says that a higher view than ours is installed, and we have not promised to it. */
  onHigherView(): void {
    if (this.#s.status !== 'normal' && this.#s.status !== 'changing') return
    this.#dropProposal('a higher view')
    this.leave()
  }

  /** From here on like a restarted replica: back only by a new view. */
  leave(): void {
    this.#dropProposal('left')
    this.#s.standOutside()
    this.#s.promisedSinceStart = null
    this.installation.giveUp()
    this.#promise = null
    this.#puller.cancel()
    this.#events.left()
  }

  reconnected(peer: Slot): void {
    this.#proposal?.reconnected(peer)
  }

  lost(peer: Slot): void {
    this.#proposal?.lost(peer)
  }
}
