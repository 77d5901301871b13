// The persistence replicas as this processing replica hears them: who is there, who is in a view,
// and whose view can commit.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { compareEpochs } from '../entries/epoch.js'
import type { RingStanding } from './context.js'

export interface StorePeer {
  main: LinkId | null
  bulk: LinkId | null
  heard: number
  heartbeat: The<'STORE_HEARTBEAT'> | null
}

export class Stores {
  readonly #s: RingStanding
  readonly #bySlot = new Map<Slot, StorePeer>()
  /** All slots in the order of preference: the own number's, then round. */
  readonly slots: readonly Slot[]

  constructor(standing: RingStanding) {
    const { self, stores } = standing
    this.#s = standing
    this.slots = Array.from({ length: stores }, (_, i) => ((self - 1 + i) % stores) + 1)
  }

  get(slot: Slot): StorePeer | undefined {
    return this.#bySlot.get(slot)
  }

  get linked(): readonly Slot[] {
    return [...this.#bySlot.keys()]
  }

  at(slot: Slot): StorePeer {
    const known = this.#bySlot.get(slot)
    if (known) return known
    const store: StorePeer = { main: null, bulk: null, heard: 0, heartbeat: null }
    this.#bySlot.set(slot, store)
    return store
  }

  /** After a stall of our own, their silence means nothing. */
  freshen(): void {
    for (const store of this.#bySlot.values()) store.heard = this.#s.now.monotonic
  }

  hears(slot: Slot): boolean {
    const store = this.#bySlot.get(slot)
    if (!store || store.main === null) return false
    return this.#s.now.monotonic - store.heard <= this.#s.timings.suspect
  }

  /** Heard, and hears this replica: a path may be open one way only. */
  #linked(slot: Slot): boolean {
    return this.hears(slot) && this.get(slot)!.heartbeat?.hears.includes(this.#s.self) === true
  }

  normal(slot: Slot): boolean {
    return this.#linked(slot) && this.get(slot)?.heartbeat?.status === 'normal'
  }

  /** In a view, or between two: it queues what it is given. */
  works(slot: Slot): boolean {
    const changing = this.#linked(slot) && this.get(slot)?.heartbeat?.status === 'changing'
    return changing || this.normal(slot)
  }

  reachesMajority(slot: Slot): boolean {
    return (this.get(slot)?.heartbeat?.reaches.length ?? 0) > this.#s.stores / 2
  }

  /** Some store is in a view or between two, and reaches a majority of all. */
  get anyQuorate(): boolean {
    return this.slots.some((slot) => this.works(slot) && this.reachesMajority(slot))
  }

  /** In a view that can commit: it reaches a majority, and nobody is heard to be in a newer one. */
  commits(slot: Slot): boolean {
    if (!this.normal(slot) || !this.reachesMajority(slot)) return false
    const { epoch } = this.get(slot)!.heartbeat!
    return !this.slots.some(
      (other) => this.normal(other) && compareEpochs(this.get(other)!.heartbeat!.epoch, epoch) > 0,
    )
  }

  /** It said so when it was last heard. */
  isFull(slot: Slot): boolean {
    return this.get(slot)?.heartbeat?.full === true
  }
}
