// The narrow waist, seen from the processing tier: which persistence replica is the home, where terms are
// claimed and orders appended and whose feed is followed. Another one may be asked questions.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Message, The } from '../messages/catalogue.js'
import { Questions } from './log-queries.js'
import type { RingStanding } from './context.js'
import { Stores } from './log-replicas.js'
import { Unanswered, type UnansweredEvents } from './log-writes.js'

export interface HomeEvents extends UnansweredEvents {
  /** Entries of the committed log, in order. */
  entries(message: The<'ENTRIES'>): void
  /** A larger part of the ring asks to lead. */
  resign(term: number): void
}

export class Home {
  readonly #s: RingStanding
  readonly #events: HomeEvents
  readonly stores: Stores
  readonly #storeOf = new Map<LinkId, { slot: Slot; lane: 'main' | 'bulk' }>()
  home: Slot = 0
  /** Since when there has been no home that can commit, monotonic ms; null: there is one. */
  #homelessSince: number | null = 0
  /** CLAIM and APPEND, on the main lane. */
  readonly unanswered: Unanswered
  /** TIP and READ, on the bulk lane. */
  readonly questions: Questions
  #applied: () => number
  bodies = false

  constructor(standing: RingStanding, applied: () => number, events: HomeEvents) {
    this.#s = standing
    this.stores = new Stores(standing)
    this.#applied = applied
    this.questions = new Questions(standing, {
      askable: () => this.#askable(),
      quorate: () => this.stores.anyQuorate,
      ask: (slot, message) => standing.outbox.send(this.stores.get(slot)!.bulk!, message),
    })
    const port = {
      send: (message: Message) => this.#toHome(message),
      resume: () => this.#resume(),
    }
    this.unanswered = new Unanswered(standing, port, events)
    this.#events = events
  }

  // ---- which home -----------------------------------------------------------------------------

  /** The home is in a view. */
  get serves(): boolean {
    return this.stores.normal(this.home)
  }

  /** The home is in a view that can commit, as far as is known here. */
  get commits(): boolean {
    return this.stores.commits(this.home)
  }

  /** Persistence replicas with a live link to here or to the home. */
  get reached(): Slot[] {
    const overHome = this.stores.get(this.home)?.heartbeat?.reaches ?? []
    return this.stores.slots
      .filter((slot) => this.stores.hears(slot) || overHome.includes(slot))
      .toSorted((a, b) => a - b)
  }

  /** A majority is reached, but so many of its disks are full that nothing more can be stored on one. */
  get full(): boolean {
    const { reached } = this
    const withRoom = reached.filter((slot) => !this.stores.isFull(slot))
    const half = this.#s.stores / 2
    return reached.length > half && withRoom.length <= half
  }

  /** The home is in a view or between two, and reaches a majority of all: what is appended now can be committed. */
  get quorate(): boolean {
    return this.stores.works(this.home) && this.stores.reachesMajority(this.home)
  }

  /** How long there has been no home that can commit, ms. */
  get #homeless(): number {
    return this.#homelessSince === null ? 0 : this.#s.now.monotonic - this.#homelessSince
  }

  /** How long there has been no such home, or none that answers what it was asked, ms. */
  get homelessMs(): number {
    const since = Math.min(this.#homelessSince ?? Infinity, this.unanswered.since)
    return Math.max(0, this.#s.now.monotonic - since)
  }

  /** After a stall of our own nobody else is late. */
  freshen(): void {
    this.stores.freshen()
    this.unanswered.freshen()
  }

  choose(): void {
    const { now, timings } = this.#s
    const { stores } = this
    const best = stores.slots.find((slot) => stores.commits(slot))
    if (!stores.works(this.home)) {
      const next = best ?? stores.slots.find((slot) => stores.normal(slot))
      this.#moveTo(next ?? stores.slots.find((slot) => stores.works(slot)) ?? 0)
    } else if (best && !this.commits && (this.serves || this.#homeless > timings.patience)) {
      // Cut off from the others, it may not know that its view is over, or never get to the next.
      this.#moveTo(best)
    }
    if (this.commits) this.#homelessSince = null
    else this.#homelessSince ??= now.monotonic
  }

  #moveTo(slot: Slot): void {
    if (slot === this.home) return
    this.home = slot
    if (slot === 0) return
    this.#s.outbox.log('info', 'home', { slot })
    this.#resume()
  }

  /** A new home, or a new connection to it: everything that is unanswered again. */
  #resume(): void {
    this.sayHeartbeat(this.home)
    this.follow()
    this.unanswered.sendAgain()
  }

  #toHome(message: Message): void {
    const link = this.stores.get(this.home)?.main
    if (link) this.#s.outbox.send(link, message)
  }

  /** Follows the feed from what is applied here. */
  follow(): void {
    this.#toHome({ type: 'FEED', after: this.#applied(), bodies: this.bodies, start: true })
  }

  acknowledge(): void {
    this.#toHome({ type: 'FEED', after: this.#applied(), bodies: this.bodies, start: false })
  }

  // ---- what is asked --------------------------------------------------------------------------

  /** Whom to ask: the home first, then the others that are heard and have a bulk link. */
  #askable(): Slot[] {
    return [this.home, ...this.stores.slots].filter(
      (slot) => this.stores.hears(slot) && this.stores.get(slot)!.bulk !== null,
    )
  }

  // ---- links and time -------------------------------------------------------------------------

  linkUp(link: LinkId, slot: Slot, lane: 'main' | 'bulk'): void {
    const store = this.stores.at(slot)
    store[lane] = link
    this.#storeOf.set(link, { slot, lane })
    if (lane === 'bulk') return
    store.heard = this.#s.now.monotonic
    store.heartbeat = null
    if (this.home === slot) this.home = 0
    this.sayHeartbeat(slot)
  }

  linkDown(link: LinkId): void {
    const known = this.#storeOf.get(link)
    this.#storeOf.delete(link)
    const store = known && this.stores.get(known.slot)
    if (!known || !store || store[known.lane] !== link) return
    store[known.lane] = null
    if (known.lane === 'main') {
      store.heartbeat = null
      this.choose()
      return
    }
    this.questions.lost(known.slot)
  }

  slotOf(link: LinkId): Slot | undefined {
    return this.#storeOf.get(link)?.slot
  }

  owns(link: LinkId): boolean {
    return this.#storeOf.has(link)
  }

  sayHeartbeat(slot: Slot): void {
    const link = this.stores.get(slot)?.main
    if (!link) return
    const { holds, newestTerm, size } = this.#s
    this.#s.outbox.send(link, {
      type: 'HOME_HEARTBEAT',
      holds,
      nonce: this.unanswered.claiming,
      size,
      newestTerm,
    })
  }

  sayHeartbeats(): void {
    for (const slot of this.stores.linked) this.sayHeartbeat(slot)
  }

  tick(): void {
    this.choose()
    this.questions.tick()
    this.unanswered.tick()
  }

  // ---- what is answered -----------------------------------------------------------------------

  onMessage(link: LinkId, message: Message): void {
    const known = this.#storeOf.get(link)
    const store = known && this.stores.get(known.slot)
    if (!known || !store || store[known.lane] !== link) return
    store.heard = this.#s.now.monotonic
    switch (message.type) {
      case 'STORE_HEARTBEAT':
        store.heartbeat = message
        this.choose()
        return
      case 'READ_PAGE':
      case 'TIP_IS':
        this.questions.answered(message)
        return
      case 'NOT_YET':
        this.questions.notYet(message.request)
        return
      case 'RESIGN':
        this.#events.resign(message.term)
        return
      default:
        if (known.slot !== this.home || known.lane !== 'main') return
        if (message.type === 'ENTRIES') this.#events.entries(message)
        else this.unanswered.onMessage(message)
    }
  }
}
