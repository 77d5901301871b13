// A stand-in for a processing replica, for clusters of persistence alone. It uses the log service
// (CLAIM, APPEND, FEED, READ) as a processing replica would, pipelines orders, claims terms in
// competition, adds marks, and checks the answers.

import type { Effect, Input, LinkId, Machine, Now } from '../../../protocol/machine/machine.js'
import type { Slot } from '../../../protocol/slots.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import {
  CHAIN_ZERO,
  entriesOf,
  lastOf,
  packDrafts,
  type Contents,
} from '../../../protocol/entries/batch.js'
import { KIND, plainMeta } from '../../../protocol/entries/entry.js'
import { decodeTerm } from '../../../protocol/entries/fence.js'
import { encodeMarks } from '../../../protocol/entries/marks.js'
import type { Start } from '../host.js'
import { Random } from '../random.js'
import { Violation } from '../violation.js'
import { Drafts } from './drafts.js'
import { Stores } from './stores.js'

const CURSORS_AT_ONCE = 4

interface Order {
  readonly k: number
  readonly id: number
  readonly contents: Contents
  readonly time: number
}

type Role = 'follower' | 'claimant' | 'coordinator'

export class Writer implements Machine {
  readonly #slot: Slot
  readonly #random: Random
  readonly #stores: Stores
  readonly #drafts: Drafts
  readonly #busy: () => boolean
  readonly #inFlight: number
  /** Probability of another order at each tick. */
  readonly #pace: number
  readonly #urgent: boolean
  #effects: Effect[] = []
  #now: Now = { monotonic: 0, wall: 0 }
  #home: Slot = 0
  #role: Role = 'follower'
  #term = 0
  #nonce = ''
  #expected = 0
  #newestTerm = 0
  #applied = 0
  #chain: Uint8Array = CHAIN_ZERO
  #wonAt = 0
  #k = 0
  #unanswered: Order[] = []
  #ids = 0
  #resendAt = Infinity
  #claimAt = 0
  #heartbeatAt = 0
  #cursorAt = 0
  #burst = 0
  #heardOfTerm = 0
  #readAt = 0
  #homeAt = 0
  #answeredAt = 0

  constructor(slot: Slot, start: Start, stores: number, busy: () => boolean) {
    this.#slot = slot
    this.#random = new Random(Buffer.from(start.entropy(4)).readUInt32BE())
    this.#drafts = new Drafts(this.#random)
    this.#stores = new Stores(slot, stores)
    this.#busy = busy
    this.#inFlight = this.#random.pick([1, 4, 16])
    this.#pace = this.#random.pick([0.05, 0.2, 0.5])
    this.#urgent = this.#random.chance(0.5)
  }

  /** Every request has its answer. */
  get idle(): boolean {
    return this.#unanswered.length === 0
  }

  get applied(): number {
    return this.#applied
  }

  step(input: Input, now: Now): Effect[] {
    this.#now = now
    if (input.type === 'link-up' && input.peer.role === 'persistence') {
      this.#stores.at(input.peer.slot)[input.peer.lane] = input.link
    }
    if (input.type === 'link-down' && this.#stores.lost(input.link) === this.#home) this.#home = 0
    if (input.type === 'message') this.#hear(input.link, input.message)
    this.#move(input.type === 'tick')
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #say(message: Message): void {
    const link = this.#home === 0 ? null : this.#stores.at(this.#home).main
    if (link !== null) this.#effects.push({ type: 'send', link, message })
  }

  // ---- own initiative -------------------------------------------------------------------------

  #move(tick: boolean): void {
    const { monotonic } = this.#now
    if (monotonic >= this.#heartbeatAt) this.#heartbeat()
    this.#chooseHome()
    if (this.#home !== 0) this.#homeAt = monotonic
    // A writer without persistence for too long gives up its term, so that the term keeps nobody
    // else from leading.
    const waits = this.#role === 'claimant' || this.#unanswered.length > 0
    const since = waits ? Math.min(this.#homeAt, this.#answeredAt) : this.#homeAt
    const homeless = monotonic - since > TIMINGS.coordinatorPatience
    if (homeless && this.#role !== 'follower') this.#follow()
    if (this.#home === 0) return
    if (monotonic >= this.#resendAt) this.#resend()
    if (monotonic >= this.#readAt) this.#read()
    if (!this.#busy()) return
    if (this.#role === 'follower' && monotonic >= this.#claimAt) this.#claim()
    if (tick && this.#role === 'coordinator' && this.#applied >= this.#wonAt) this.#write()
    if (monotonic >= this.#cursorAt) this.#cursors()
  }

  #chooseHome(): void {
    const { monotonic } = this.#now
    if (this.#home !== 0 && !this.#random.chance(0.0005)) {
      if (this.#stores.serves(this.#home, monotonic)) return
    }
    const fit = this.#stores.slots.filter((slot) => this.#stores.serves(slot, monotonic))
    const next = fit.length > 0 ? this.#random.pick(fit) : 0
    if (next === this.#home) return
    this.#home = next
    if (next === 0) return
    this.#say({
      type: 'FEED',
      after: this.#applied,
      chain: this.#chain,
      bodies: true,
      step: 'begin',
      urgent: this.#urgent,
    })
    this.#heartbeat()
    if (this.#role === 'claimant') this.#sayClaim()
    this.#resend()
  }

  #heartbeat(): void {
    this.#heartbeatAt = this.#now.monotonic + 100
    const message: Message = {
      type: 'HOME_HEARTBEAT',
      holds: this.#role === 'follower' ? 0 : this.#term,
      nonce: this.#role === 'follower' ? '' : this.#nonce,
      weight: this.#random.between(1, 3),
    }
    for (const link of this.#stores.mains) this.#effects.push({ type: 'send', link, message })
  }

  #claim(): void {
    // A writer that hears of a live coordinator mostly does not claim.
    const quiet = this.#now.monotonic - this.#heardOfTerm > 1_000
    if (!quiet && !this.#random.chance(0.3)) return this.#backOff()
    this.#role = 'claimant'
    this.#answeredAt = this.#now.monotonic
    this.#expected = this.#newestTerm
    this.#term = this.#expected + 1
    this.#nonce = this.#random.hex(8)
    this.#heartbeat()
    this.#sayClaim()
  }

  #sayClaim(): void {
    const [expected, nonce] = [this.#expected, this.#nonce]
    const weight = this.#random.between(1, 3)
    this.#say({ type: 'CLAIM', expected, nonce, weight })
  }

  #backOff(): void {
    this.#claimAt = this.#now.monotonic + this.#random.between(200, 3_000)
  }

  #follow(): void {
    this.#role = 'follower'
    this.#unanswered = []
    this.#resendAt = Infinity
    this.#backOff()
  }

  #write(): void {
    while (this.#unanswered.length < this.#inFlight && this.#random.chance(this.#pace)) {
      const long = this.#inFlight === 1 && this.#random.chance(0.1)
      const count = long ? 40 : this.#random.between(1, 4)
      const contents = packDrafts(
        Array.from({ length: count }, () => this.#drafts.next(this.#applied)),
      )
      const order = { k: ++this.#k, id: ++this.#ids, contents, time: this.#now.wall }
      if (this.#unanswered.length === 0) this.#answeredAt = this.#now.monotonic
      this.#unanswered.push(order)
      // An order is held back now and then: GAP must bring it.
      if (!this.#random.chance(0.01)) this.#append(order)
      else this.#resendAt = this.#now.monotonic + 2_000
    }
  }

  #append({ k, id, contents, time }: Order): void {
    this.#say({ type: 'APPEND', id, term: this.#term, k, time, ...contents })
  }

  #resend(): void {
    this.#resendAt = Infinity
    for (const order of this.#unanswered) this.#append(order)
  }

  #cursors(): void {
    // Marks come a few at once, so that the homes of several writers want the turn in turn; they
    // are few on the whole, so that a repeated order is still in memory.
    this.#burst = this.#burst > 0 ? this.#burst - 1 : this.#random.between(0, CURSORS_AT_ONCE)
    const wait = this.#burst > 0 ? this.#random.spread(1, 30) : 170 * this.#stores.slots.length
    this.#cursorAt = this.#now.monotonic + wait
    const at = this.#random.u32()
    const body = encodeMarks([['somebody', { delivered: at, read: at }]])
    const draft = { meta: plainMeta(KIND.marks), body }
    const [id, time] = [++this.#ids, this.#now.wall]
    this.#say({ type: 'APPEND', id, term: 0, k: 0, time, ...packDrafts([draft]) })
  }

  #read(): void {
    this.#readAt = this.#now.monotonic + this.#random.between(20, 400)
    const link = this.#stores.at(this.#random.pick(this.#stores.slots)).bulk
    if (!link) return
    const request = ++this.#ids
    const after = this.#random.below(this.#applied + 1)
    const mailbox = this.#drafts.mailbox()
    const message: Message = this.#random.chance(0.3)
      ? { type: 'TIP', request }
      : { type: 'READ', request, mailbox, after, limit: this.#random.between(1, 100) }
    this.#effects.push({ type: 'send', link, message })
  }

  // ---- messages -------------------------------------------------------------------------------

  #hear(link: LinkId, message: Message): void {
    const from = this.#stores.hear(link, message, this.#now.monotonic)
    if (from === 0 || from !== this.#home) return
    switch (message.type) {
      case 'BATCHES':
        return this.#feed(message)
      case 'CLAIMED':
        return this.#claimed(message)
      case 'APPENDED':
        return this.#appended(message)
      case 'FENCED':
        return this.#fenced(message)
      case 'GAP':
        return this.#gap(message)
      case 'RESIGN':
        if (this.#role !== 'follower' && message.term === this.#term) this.#follow()
        return
      case 'NOT_APPENDED':
        return this.#refused(message)
    }
  }

  #feed(message: The<'BATCHES'>): void {
    for (const batch of message.batches) {
      // Batches of an earlier subscription to this home do not follow on.
      if (batch.first !== this.#applied + 1) continue
      this.#applied = lastOf(batch)
      this.#chain = batch.chain
      if (batch.term > 0) this.#heardOfTerm = this.#now.monotonic
      if (batch.term <= this.#newestTerm) continue
      this.#newTerm(batch.term, decodeTerm(entriesOf(batch)[0]!.body).nonce)
    }
    this.#say({
      type: 'FEED',
      after: this.#applied,
      chain: this.#chain,
      bodies: true,
      step: 'acknowledge',
      urgent: this.#urgent,
    })
  }

  #newTerm(term: number, nonce: string): void {
    this.#newestTerm = term
    const mine = this.#role !== 'follower' && nonce === this.#nonce
    if (!mine && this.#role !== 'follower' && term >= this.#term) this.#follow()
  }

  #claimed(message: The<'CLAIMED'>): void {
    this.#newestTerm = Math.max(this.#newestTerm, message.term)
    if (this.#role !== 'claimant' || message.nonce !== this.#nonce) return
    if (message.outcome !== 'won' || this.#newestTerm > message.term) return this.#follow()
    this.#role = 'coordinator'
    this.#term = message.term
    this.#wonAt = message.index
    this.#drafts.begin()
    this.#k = 0
  }

  #appended(message: The<'APPENDED'>): void {
    if (this.#role !== 'coordinator') return
    this.#answeredAt = this.#now.monotonic
    this.#unanswered = this.#unanswered.filter((order) => order.id !== message.id)
  }

  #fenced(message: The<'FENCED'>): void {
    this.#newestTerm = Math.max(this.#newestTerm, message.term)
    if (this.#unanswered.some(({ id }) => id === message.id)) this.#follow()
  }

  /** Repeats all unanswered orders in order, once for each expected value. */
  #gap(message: The<'GAP'>): void {
    if (this.#role !== 'coordinator') return
    if (!this.#unanswered.some(({ id }) => id === message.id)) return
    this.#resendAt = Math.min(this.#resendAt, this.#now.monotonic + 50)
  }

  #refused(message: The<'NOT_APPENDED'>): void {
    const order = this.#unanswered.find((one) => one.id === message.id)
    if (!order) return
    if (message.reason === 'conflict' || message.reason === 'too-old') {
      throw new Violation('C2', `p${this.#slot}: ${this.#term}/${order.k} is a ${message.reason}`)
    }
    this.#resendAt = Math.min(this.#resendAt, this.#now.monotonic + this.#random.between(50, 500))
  }

  readonly debugWords = {}

  metrics(): Record<string, number> {
    return { role: this.#role === 'coordinator' ? 1 : 0, unanswered: this.#unanswered.length }
  }
}
