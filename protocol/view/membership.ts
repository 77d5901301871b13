// Who is well and who is not, as the heartbeats say, and so whom a view should have.

import type { Slot } from '../slots.js'
import { compareEpochs } from '../entries/epoch.js'
import type { Appender } from '../persistence/appender.js'
import { bestClique } from './clique.js'
import type { PersistenceContext } from '../persistence/context.js'

export class Membership {
  readonly #context: PersistenceContext
  readonly #appender: Pick<Appender, 'stuckOn'>
  /** Left out of the next proposals until then, monotonic ms. */
  readonly #blamed = new Map<Slot, number>()

  constructor(context: PersistenceContext, appender: Pick<Appender, 'stuckOn'>) {
    this.#context = context
    this.#appender = appender
  }

  blame(slot: Slot, until: number): void {
    this.#blamed.set(slot, until)
  }

  /** 0 for the lowest live slot that votes: it proposes first. */
  rank(): number {
    return this.#context.reached.filter(
      (slot) =>
        slot < this.#context.self && this.#context.peers.get(slot)?.heartbeat?.status !== 'learner',
    ).length
  }

  /**
   * What is wrong with a member: silent, restarted, stuck, or not reached by another member; or only
   * on its way to another view.
   */
  viewFault(): 'lost' | 'changing' | null {
    const { now, timings, self, peers } = this.#context
    const stuck = this.#appender.stuckOn
    // Whom nobody has heard for a while is not apart from somebody, but dead, as will show at once.
    const fresh = (slot: Slot): boolean =>
      slot === self || now.monotonic - (peers.get(slot)?.heard ?? 0) <= timings.suspect / 2
    let trouble: 'changing' | null = null
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
      if (compareEpochs(promised, this.#context.epoch) > 0) trouble = 'changing'
    }
    return trouble
  }

  /** Somebody more can be taken in, and all members stay. */
  canGrow(): boolean {
    const target = this.target()
    const members = this.#context.memberSlots
    return target.length > members.length && members.every((slot) => target.includes(slot))
  }

  /** Whom a view proposed now should have; empty where this replica itself is not fit. */
  target(): Slot[] {
    const { self, majority } = this.#context
    const all = this.#fit([])
    if (!all.includes(self)) return []
    const free = this.#fit(this.#appender.stuckOn)
    // Who is far behind or stuck stays out, unless too few of the others reach each other: then they are
    // what there is.
    let clique: Slot[] = []
    for (const candidates of [this.#near(free), free, this.#near(all), all]) {
      clique = bestClique(self, candidates, (a, b) => this.#reaches(a, b))
      if (clique.length >= majority) break
    }
    return clique
  }

  /** By what is committed: a tail that nobody else has makes no one else far behind. */
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

  /** A member promised this view and never installed it: it cannot serve, and says so by ASK. */
  lacksInstalled(): boolean {
    return this.#context.otherMembers.some((slot) => {
      const heartbeat = this.#context.peers.get(slot)?.heartbeat
      return heartbeat && compareEpochs(heartbeat.installed, this.#context.epoch) < 0
    })
  }
}
