// The narrow waist, seen from the processing tier: CLAIM, APPEND, FEED and READ at a persistence
// home. Whatever is unanswered goes again, in order, to the next home or on a new connection: terms
// and k make that harmless.

import type { LinkId, Slot } from '../machine.js'
import type { Message, The } from '../messages/catalogue.js'
import type { Draft } from '../log/entry.js'
import { Questions } from './questions.js'
import type { RingStanding } from './standing.js'
import { Stores } from './stores.js'

export interface OrderAppend {
  readonly term: number
  readonly k: number
  readonly time: number
  readonly drafts: readonly Draft[]
}

interface Append extends OrderAppend {
  readonly id: number
}

export interface HomeEvents {
  /** Entries of the committed log, in order. */
  entries(message: The<'ENTRIES'>): void
  appended(k: number, runs: The<'APPENDED'>['runs']): void
  claimed(message: The<'CLAIMED'>): void
  /** The term is over. */
  fenced(term: number): void
  /** A larger part of the ring asks to lead. */
  resign(term: number): void
  /** The append can never be done in this term. */
  refused(reason: 'conflict' | 'too-old'): void
}

export class Home {
  readonly #s: RingStanding
  readonly #events: HomeEvents
  readonly stores: Stores
  readonly #storeOf = new Map<LinkId, { slot: Slot; lane: 'main' | 'bulk' }>()
  home: Slot = 0
  /** Since when there has been no home that can commit, monotonic ms; null: there is one. */
  #homelessSince: number | null = 0
  /** When the home last answered, or was first asked, monotonic ms. */
  #answeredAt = 0
  #next = 0
  #unanswered: Append[] = []
  readonly #wentBackTo = new Set<number>()
  #cursors: {
    readonly id: number
    readonly drafts: readonly Draft[]
  } | null = null
  #claim: Omit<The<'CLAIM'>, 'size'> | null = null
  /** TIP and READ, on the bulk lane. */
  readonly questions: Questions
  #applied: () => number
  bodies = false
  #retryAt = 0

  constructor(standing: RingStanding, applied: () => number, events: HomeEvents) {
    this.#s = standing
    this.stores = new Stores(standing)
    this.#applied = applied
    this.questions = new Questions(standing, {
      askable: () => this.#askable(),
      quorate: () => this.stores.anyQuorate,
      ask: (slot, message) => standing.outbox.send(this.stores.get(slot)!.bulk!, message),
    })
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
    const waits = this.#unanswered.length > 0 || this.#claim !== null
    const since = Math.min(this.#homelessSince ?? Infinity, waits ? this.#answeredAt : Infinity)
    return Math.max(0, this.#s.now.monotonic - since)
  }

  /** After a stall of our own nobody else is late. */
  freshen(): void {
    this.stores.freshen()
    this.#answered()
  }

  /** Something is asked of the home where nothing was, or the home has answered. */
  #answered(): void {
    this.#answeredAt = this.#s.now.monotonic
  }

  get unanswered(): number {
    return this.#unanswered.length
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
    this.#sendClaim()
    for (const append of this.#unanswered) this.#sendAppend(append)
    this.#sendCursors()
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

  claim(expected: number, nonce: string): void {
    const { boot, now } = this.#s
    this.#answered()
    this.#claim = { type: 'CLAIM', expected, boot, nonce, time: now.wall }
    this.#sendClaim()
  }

  /** It weighs what this replica weighs now, not what it did where it was sent before. */
  #sendClaim(): void {
    if (this.#claim) this.#toHome({ ...this.#claim, size: this.#s.size })
  }

  /** Nonce of the claim under way; empty: none. */
  get claiming(): string {
    return this.#claim?.nonce ?? ''
  }

  dropClaim(): void {
    this.#claim = null
  }

  append(order: OrderAppend): void {
    const append = { ...order, id: ++this.#next }
    if (this.#unanswered.length === 0) this.#answered()
    this.#unanswered.push(append)
    this.#sendAppend(append)
  }

  #sendAppend({ id, term, k, time, drafts }: Append): void {
    this.#toHome({ type: 'APPEND', id, term, k, part: 1, parts: drafts.length, time, drafts })
  }

  /** The term is over or given up: nothing of it is sent again. */
  dropAppends(): void {
    this.#unanswered = []
    this.#wentBackTo.clear()
  }

  /** Cursors, outside the term; one entry at a time. False: the last is still under way. */
  appendCursors(draft: Draft): boolean {
    if (this.#cursors || !this.serves) return false
    this.#cursors = { id: ++this.#next, drafts: [draft] }
    this.#sendCursors()
    return true
  }

  #sendCursors(): void {
    if (!this.#cursors) return
    const { id, drafts } = this.#cursors
    const time = this.#s.now.wall
    this.#toHome({ type: 'APPEND', id, term: 0, k: 0, part: 1, parts: 1, time, drafts })
  }

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
      nonce: this.claiming,
      size,
      newestTerm,
    })
  }

  sayHeartbeats(): void {
    for (const slot of this.stores.linked) this.sayHeartbeat(slot)
  }

  tick(): void {
    const { now } = this.#s
    this.choose()
    this.questions.tick()
    if (this.#retryAt > 0 && now.monotonic >= this.#retryAt) {
      this.#retryAt = 0
      this.#resume()
    }
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
        if (known.slot === this.home && known.lane === 'main') this.#fromHome(message)
    }
  }

  #fromHome(message: Message): void {
    switch (message.type) {
      case 'ENTRIES':
        this.#events.entries(message)
        return
      case 'CLAIMED':
        if (message.nonce !== this.#claim?.nonce) return
        if (message.outcome === 'not-serving') this.#retrySoon()
        else this.#events.claimed(message)
        return
      case 'APPENDED':
        this.#onAppended(message)
        return
      case 'FENCED':
        if (this.#unanswered.some(({ id }) => id === message.id)) this.#events.fenced(message.term)
        return
      case 'GAP':
        this.#goBack(message)
        return
      case 'NOT_APPENDED':
        this.#onNotAppended(message)
        return
      default:
        return
    }
  }

  #onAppended(message: The<'APPENDED'>): void {
    if (message.id === this.#cursors?.id) {
      this.#cursors = null
      return
    }
    const at = this.#unanswered.findIndex(({ id }) => id === message.id)
    if (at < 0) return
    this.#unanswered.splice(at, 1)
    this.#answered()
    this.#wentBackTo.clear()
    this.#events.appended(message.k, message.runs)
  }

  /** The store lacks an order before this one: from there on again, once for each gap. */
  #goBack(message: The<'GAP'>): void {
    if (!this.#unanswered.some(({ id }) => id === message.id)) return
    if (this.#wentBackTo.has(message.expected)) return
    this.#wentBackTo.add(message.expected)
    for (const append of this.#unanswered) {
      if (append.k >= message.expected) this.#sendAppend(append)
    }
  }

  #onNotAppended(message: The<'NOT_APPENDED'>): void {
    if (message.id === this.#cursors?.id) {
      this.#retrySoon()
      return
    }
    if (!this.#unanswered.some(({ id }) => id === message.id)) return
    if (message.reason === 'conflict' || message.reason === 'too-old') {
      this.#events.refused(message.reason)
    } else {
      this.#retrySoon()
    }
  }

  #retrySoon(): void {
    if (this.#retryAt === 0) this.#retryAt = this.#s.now.monotonic + this.#s.timings.heartbeat
    this.#wentBackTo.clear()
  }
}
