// Who is well and who is not, as the heartbeats say, and so whom a view should have.

import type { Slot } from '../slots.js'
import { compareEpochs } from '../entries/epoch.js'
import { bestClique } from './clique.js'
import type { Standing } from '../persistence/context.js'

export class Membership {
  readonly #s: Standing
  readonly #stuckOn: () => readonly Slot[]
  /** Left out of the next proposals until then, monotonic ms. */
  readonly #blamed = new Map<Slot, number>()

  /** `stuckOn`: members whose permission has been missing for too long. */
  constructor(standing: Standing, stuckOn: () => readonly Slot[]) {
    this.#s = standing
    this.#stuckOn = stuckOn
  }

  blame(slot: Slot, until: number): void {
    this.#blamed.set(slot, until)
  }

  /** 0 for the lowest live slot that votes: it proposes first. */
  rank(): number {
    return this.#s.reached.filter(
      (slot) => slot < this.#s.self && this.#s.peers.get(slot)?.heartbeat?.status !== 'learner',
    ).length
  }

  /**
   * What is wrong with a member: silent, restarted, stuck, or not reached by another member; or only
   * on its way to another view.
   */
  trouble(): 'lost' | 'changing' | null {
    const { now, timings, self, peers } = this.#s
    const stuck = this.#stuckOn()
    // Whom nobody has heard for a while is not apart from somebody, but dead, as will show at once.
    const fresh = (slot: Slot): boolean =>
      slot === self || now.monotonic - (peers.get(slot)?.heard ?? 0) <= timings.suspect / 2
    let trouble: 'changing' | null = null
    for (const slot of this.#s.otherMembers) {
      const heartbeat = peers.get(slot)?.heartbeat
      if (!this.#s.hears(slot) || stuck.includes(slot)) return 'lost'
      if (!heartbeat) continue
      const { status, oldestWrite, promised, reaches } = heartbeat
      if (status === 'outside' || status === 'learner') return 'lost'
      const apart = this.#s.memberSlots.some((member) => !reaches.includes(member) && fresh(member))
      if (apart) return 'lost'
      if (oldestWrite > 2 * timings.suspect) return 'lost'
      if (compareEpochs(promised, this.#s.epoch) > 0) trouble = 'changing'
    }
    return trouble
  }

  /** Somebody more can be taken in, and all members stay. */
  canGrow(): boolean {
    const target = this.target()
    const members = this.#s.memberSlots
    return target.length > members.length && members.every((slot) => target.includes(slot))
  }

  /** Whom a view proposed now should have; empty where this replica itself is not fit. */
  target(): Slot[] {
    const { self, majority } = this.#s
    const all = this.#fit([])
    if (!all.includes(self)) return []
    const free = this.#fit(this.#stuckOn())
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
    const { self, peers } = this.#s
    const lastOf = (slot: Slot): number =>
      slot === self ? this.#s.log.last : (peers.get(slot)?.heartbeat?.last ?? 0)
    const committedOf = (slot: Slot): number =>
      slot === self ? this.#s.log.commit : (peers.get(slot)?.heartbeat?.committed ?? 0)
    const near = Math.max(...fit.map(committedOf)) - this.#s.bounds.near
    return fit.filter((slot) => slot === self || lastOf(slot) >= near)
  }

  #fit(stuck: readonly Slot[]): Slot[] {
    const { self, peers, now } = this.#s
    return this.#s.reached.filter((slot) => {
      if (slot === self) return this.#s.writable
      const heartbeat = peers.get(slot)?.heartbeat
      const blamed = (this.#blamed.get(slot) ?? 0) > now.monotonic || stuck.includes(slot)
      if (!heartbeat || blamed || heartbeat.incarnation.counter === 0) return false
      return heartbeat.writable && heartbeat.oldestWrite <= 2 * this.#s.timings.suspect
    })
  }

  #reaches(a: Slot, b: Slot): boolean {
    if (a === this.#s.self) return this.#s.hears(b)
    return this.#s.peers.get(a)?.heartbeat?.reaches.includes(b) ?? false
  }

  /** A member promised this view and never installed it: it cannot serve, and says so by ASK. */
  lacksInstalled(): boolean {
    return this.#s.otherMembers.some((slot) => {
      const heartbeat = this.#s.peers.get(slot)?.heartbeat
      return heartbeat && compareEpochs(heartbeat.installed, this.#s.epoch) < 0
    })
  }
}
