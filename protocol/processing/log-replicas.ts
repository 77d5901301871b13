// The persistence replicas as this processing replica hears them: which are linked, which are in a
// view, which view can commit, and which replica is the home.

import { compareEpochs } from '../entries/epoch.js'
import type { LinkId } from '../machine/machine.js'
import type { Message, The } from '../messages/catalogue.js'
import type { Slot } from '../slots.js'
import type { ProcessingContext } from './context.js'

export type Lane = 'main' | 'bulk'

export interface LogReplica {
  main: LinkId | null
  bulk: LinkId | null
  /** When a frame last came over the main lane, monotonic ms. */
  heard: number
  heartbeat: The<'STORE_HEARTBEAT'> | null
}

export class LogReplicas {
  readonly #context: ProcessingContext
  readonly #bySlot = new Map<Slot, LogReplica>()
  readonly #ownerOf = new Map<LinkId, { readonly slot: Slot; readonly lane: Lane }>()
  /** All slots in the order of preference: this replica's own number first, then round. */
  readonly slots: readonly Slot[]
  /** The replica that gets claims and orders, and sends the feed; 0: none. */
  home: Slot = 0

  constructor(context: ProcessingContext) {
    const { self, stores } = context
    this.#context = context
    this.slots = Array.from({ length: stores }, (_, i) => ((self - 1 + i) % stores) + 1)
  }

  // ---- links ----------------------------------------------------------------------------------

  get(slot: Slot): LogReplica | undefined {
    return this.#bySlot.get(slot)
  }

  get linked(): readonly Slot[] {
    return [...this.#bySlot.keys()]
  }

  owns(link: LinkId): boolean {
    return this.#ownerOf.has(link)
  }

  slotOf(link: LinkId): Slot | undefined {
    return this.#ownerOf.get(link)?.slot
  }

  linkUp(link: LinkId, slot: Slot, lane: Lane): void {
    const replica = this.#bySlot.get(slot) ?? { main: null, bulk: null, heard: 0, heartbeat: null }
    this.#bySlot.set(slot, replica)
    replica[lane] = link
    this.#ownerOf.set(link, { slot, lane })
    if (lane === 'bulk') return
    replica.heard = this.#context.now.monotonic
    replica.heartbeat = null
    if (this.home === slot) this.home = 0
  }

  /** Slot and lane of the lost link; undefined: the link had been replaced. */
  linkDown(link: LinkId): { readonly slot: Slot; readonly lane: Lane } | undefined {
    const owner = this.#current(link)
    this.#ownerOf.delete(link)
    if (!owner) return undefined
    const replica = this.#bySlot.get(owner.slot)!
    replica[owner.lane] = null
    if (owner.lane === 'main') replica.heartbeat = null
    return owner
  }

  #current(link: LinkId): { readonly slot: Slot; readonly lane: Lane } | undefined {
    const owner = this.#ownerOf.get(link)
    return owner && this.#bySlot.get(owner.slot)?.[owner.lane] === link ? owner : undefined
  }

  /** Notes that a frame came; undefined: the link has been replaced, so the frame is ignored. */
  heard(link: LinkId): { readonly slot: Slot; readonly lane: Lane } | undefined {
    const owner = this.#current(link)
    // An open bulk lane says nothing of the lane that orders go by.
    if (owner?.lane === 'main') this.#bySlot.get(owner.slot)!.heard = this.#context.now.monotonic
    return owner
  }

  sendMain(slot: Slot, message: Message): void {
    const link = this.#bySlot.get(slot)?.main
    if (link) this.#context.outbox.send(link, message)
  }

  sendHome(message: Message): void {
    this.sendMain(this.home, message)
  }

  sendBulk(slot: Slot, message: Message): void {
    const link = this.#bySlot.get(slot)?.bulk
    if (link) this.#context.outbox.send(link, message)
  }

  /** After a stall of this process, the silence of other replicas means nothing. */
  freshen(): void {
    for (const replica of this.#bySlot.values()) replica.heard = this.#context.now.monotonic
  }

  // ---- what is known of each ------------------------------------------------------------------

  hears(slot: Slot): boolean {
    const replica = this.#bySlot.get(slot)
    if (!replica || replica.main === null) return false
    const { now, timings } = this.#context
    return now.monotonic - replica.heard <= timings.suspect
  }

  /** The replica is heard and hears this one: a path may be open one way only. */
  #linked(slot: Slot): boolean {
    return (
      this.hears(slot) && this.get(slot)!.heartbeat?.hears.includes(this.#context.self) === true
    )
  }

  normal(slot: Slot): boolean {
    return this.#linked(slot) && this.get(slot)?.heartbeat?.status === 'normal'
  }

  /** The replica is in a view, or between two: it queues appends. */
  works(slot: Slot): boolean {
    const changing = this.#linked(slot) && this.get(slot)?.heartbeat?.status === 'changing'
    return changing || this.normal(slot)
  }

  reachesMajority(slot: Slot): boolean {
    return (this.get(slot)?.heartbeat?.reaches.length ?? 0) > this.#context.stores / 2
  }

  /** Whether a replica is in a view or between two, and reaches a majority of all. */
  get anyQuorate(): boolean {
    return this.slots.some((slot) => this.works(slot) && this.reachesMajority(slot))
  }

  /**
   * In a view that can commit: the replica reaches a majority, and no replica is heard in a newer
   * view.
   */
  commits(slot: Slot): boolean {
    if (!this.normal(slot) || !this.reachesMajority(slot)) return false
    const { epoch } = this.get(slot)!.heartbeat!
    return !this.slots.some(
      (other) => this.normal(other) && compareEpochs(this.get(other)!.heartbeat!.epoch, epoch) > 0,
    )
  }

  /** The disk was full when the replica was last heard. */
  isFull(slot: Slot): boolean {
    return this.get(slot)?.heartbeat?.full === true
  }

  /**
   * Replicas that can be queried: the home first, then the others; each is heard and has a bulk
   * link.
   */
  get askable(): readonly Slot[] {
    return [this.home, ...this.slots].filter(
      (slot) => this.hears(slot) && this.get(slot)!.bulk !== null,
    )
  }
}
