// Judges from heartbeats which members have faults, and which replicas the next view should have.

import type { Slot } from '../slots.js'
import { compareEpochs } from '../entries/epoch.js'
import type { Appender } from '../persistence/appender.js'
import { bestClique } from './clique.js'
import type { PersistenceContext } from '../persistence/context.js'

export class Membership {
  readonly #context: PersistenceContext
  readonly #appender: Pick<Appender, 'stuckOn'>
  /** Until when each slot is left out of proposals, monotonic ms. */
  readonly #blamed = new Map<Slot, number>()

  constructor(context: PersistenceContext, appender: Pick<Appender, 'stuckOn'>) {
    this.#context = context
    this.#appender = appender
  }

  blame(slot: Slot, until: number): void {
    this.#blamed.set(slot, until)
  }

  /** 0 for the lowest live slot that votes: that replica proposes first. */
  rank(): number {
    return this.#context.reached.filter(
      (slot) =>
        slot < this.#context.self && this.#context.peers.get(slot)?.heartbeat?.status !== 'learner',
    ).length
  }

  /**
   * The view's fault: a member is silent, restarted, stuck, or not reached by another member
   * ('lost'), or some member is only on its way to another view ('changing').
   */
  viewFault(): 'lost' | 'changing' | null {
    const { now, timings, self, peers } = this.#context
    const stuck = this.#appender.stuckOn
    // A slot that no replica has heard for a while is dead rather than cut off from one member: the
    // suspicion bound will tell soon.
    const fresh = (slot: Slot): boolean =>
      slot === self || now.monotonic - (peers.get(slot)?.heard ?? 0) <= timings.suspect / 2
    let fault: 'changing' | null = null
    for (const slot of this.#context.otherMembers) {
      const heartbeat = peers.get(slot)?.heartbeat
      if (!this.#context.hears(slot) || stuck.includes(slot)) return 'lost'
      if (!heartbeat) continue
      const { status, oldestWrite, promised, reaches } = heartbeat
      if (status === 'outside' || status === 'learner') return 'lost'
      const apart = this.#context.memberSlots.some(
        (member) => !reaches.includes(member) && fresh(member),
      )
      if (apart) return 'lost'
      if (oldestWrite > 2 * timings.suspect) return 'lost'
      if (compareEpochs(promised, this.#context.epoch) > 0) fault = 'changing'
    }
    return fault
  }

  /** The view can take in more replicas, and keep all its members. */
  canGrow(): boolean {
    const target = this.target()
    const members = this.#context.memberSlots
    return target.length > members.length && members.every((slot) => target.includes(slot))
  }

  /** Slots of a view proposed now; empty: this replica itself is not fit to be a member. */
  target(): Slot[] {
    const { self, majority } = this.#context
    const all = this.#fit([])
    if (!all.includes(self)) return []
    const free = this.#fit(this.#appender.stuckOn)
    // Replicas that are far behind or stuck stay out, unless too few of the others reach each
    // other.
    let clique: Slot[] = []
    for (const candidates of [this.#near(free), free, this.#near(all), all]) {
      clique = bestClique(self, candidates, (a, b) => this.#reaches(a, b))
      if (clique.length >= majority) break
    }
    return clique
  }

  /**
   * Measured against committed entries: a tail that only one replica has leaves no other far
   * behind.
   */
  #near(fit: readonly Slot[]): Slot[] {
    const { self, peers } = this.#context
    const lastOf = (slot: Slot): number =>
      slot === self ? this.#context.log.last : (peers.get(slot)?.heartbeat?.last ?? 0)
    const committedOf = (slot: Slot): number =>
      slot === self ? this.#context.log.commit : (peers.get(slot)?.heartbeat?.committed ?? 0)
    const near = Math.max(...fit.map(committedOf)) - this.#context.bounds.near
    return fit.filter((slot) => slot === self || lastOf(slot) >= near)
  }

  #fit(stuck: readonly Slot[]): Slot[] {
    const { self, peers, now } = this.#context
    return this.#context.reached.filter((slot) => {
      if (slot === self) return this.#context.writable
      const heartbeat = peers.get(slot)?.heartbeat
      const blamed = (this.#blamed.get(slot) ?? 0) > now.monotonic || stuck.includes(slot)
      if (!heartbeat || blamed || heartbeat.incarnation.counter === 0) return false
      return heartbeat.writable && heartbeat.oldestWrite <= 2 * this.#context.timings.suspect
    })
  }

  #reaches(a: Slot, b: Slot): boolean {
    if (a === this.#context.self) return this.#context.hears(b)
    return this.#context.peers.get(a)?.heartbeat?.reaches.includes(b) ?? false
  }

  /**
   * A member promised this view and never installed it: that member cannot serve, and sends ASK.
   */
  lacksInstalled(): boolean {
    return this.#context.otherMembers.some((slot) => {
      const heartbeat = this.#context.peers.get(slot)?.heartbeat
      return heartbeat && compareEpochs(heartbeat.installed, this.#context.epoch) < 0
    })
  }
}
