// The links to the other replicas of the own tier: one a slot, the newest. Who falls silent is given up,
// unless it was this process that stood still: then others' silence means nothing, and suspicions start
// afresh.

import type { LinkId, Now } from './machine.js'
import type { Slot } from '../slots.js'
import type { Timings } from './config.js'

export interface TierPeer<Heartbeat> {
  readonly link: LinkId
  readonly boot: string
  /** When a frame last came, monotonic ms. */
  heard: number
  /** What its last heartbeat said; null until the first. */
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

  /** In place of the one that there was. */
  up(link: LinkId, slot: Slot, boot: string): void {
    this.#slotOf.set(link, slot)
    this.#context.peers.set(slot, {
      link,
      boot,
      heard: this.#context.now.monotonic,
      heartbeat: null,
    })
  }

  /** Who is not linked any more; undefined: the link is another tier's, or has been replaced. */
  down(link: LinkId): Slot | undefined {
    const slot = this.current(link)
    this.#slotOf.delete(link)
    if (slot !== undefined) this.#context.peers.delete(slot)
    return slot
  }

  /** Whose link it is now; undefined: nobody's, and its frames are ignored. */
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

  /** Links to be given up. */
  get silent(): LinkId[] {
    const { now, timings, peers } = this.#context
    return [...peers.values()]
      .filter(({ heard }) => now.monotonic - heard > 3 * timings.suspect)
      .map(({ link }) => link)
  }
}
