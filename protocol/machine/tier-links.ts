// The links to the other replicas of the own tier: one for each slot, the newest. A silent replica
// is given up, unless this process itself stood still: then the others' silence means nothing, and
// suspicions start afresh.

import type { LinkId, Now } from './machine.js'
import type { Slot } from '../slots.js'
import type { Timings } from './config.js'

export interface TierPeer<Heartbeat> {
  readonly link: LinkId
  readonly boot: string
  /** When a frame last came, monotonic ms. */
  heard: number
  /** The last heartbeat; null until the first. */
  heartbeat: Heartbeat | null
}

export interface TierContext<Heartbeat> {
  readonly peers: Map<Slot, TierPeer<Heartbeat>>
  readonly timings: Timings
  readonly now: Now
}

export class TierLinks<Heartbeat> {
  readonly #context: TierContext<Heartbeat>
  readonly #slotOf = new Map<LinkId, Slot>()
  #tickedAt: number | null = null

  constructor(context: TierContext<Heartbeat>) {
    this.#context = context
  }

  /** Replaces the link that the slot had. */
  up(link: LinkId, slot: Slot, boot: string): void {
    this.#slotOf.set(link, slot)
    this.#context.peers.set(slot, {
      link,
      boot,
      heard: this.#context.now.monotonic,
      heartbeat: null,
    })
  }

  /**
   * The slot that is no longer linked; undefined: the link is another tier's, or has been replaced.
   */
  down(link: LinkId): Slot | undefined {
    const slot = this.current(link)
    this.#slotOf.delete(link)
    if (slot !== undefined) this.#context.peers.delete(slot)
    return slot
  }

  /** The slot whose link it is now; undefined: no slot's, and its frames are ignored. */
  current(link: LinkId): Slot | undefined {
    const slot = this.#slotOf.get(link)
    return slot !== undefined && this.#context.peers.get(slot)?.link === link ? slot : undefined
  }

  /** True: this process has stood still. */
  tick(): boolean {
    const { now, timings, peers } = this.#context
    const stalled = this.#tickedAt !== null && now.monotonic - this.#tickedAt > timings.suspect / 2
    this.#tickedAt = now.monotonic
    if (stalled) for (const peer of peers.values()) peer.heard = now.monotonic
    return stalled
  }

  /** Links to be given up: nothing has come over them for too long. */
  get silent(): LinkId[] {
    const { now, timings, peers } = this.#context
    return [...peers.values()]
      .filter(({ heard }) => now.monotonic - heard > 3 * timings.suspect)
      .map(({ link }) => link)
  }
}
