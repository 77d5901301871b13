// What was asked of the persistence home and is not answered: the claim, the appends of the term and the
// cursors. All of it goes again, in order, to the next home or on a new connection: terms and k make that
// harmless.

import type { Message, The } from '../messages/catalogue.js'
import type { Draft } from '../entries/entry.js'
import type { RingStanding } from './context.js'

export interface OrderAppend {
  readonly term: number
  readonly k: number
  readonly time: number
  readonly drafts: readonly Draft[]
}

interface Append extends OrderAppend {
  readonly id: number
}

export interface UnansweredEvents {
  appended(k: number, runs: The<'APPENDED'>['runs']): void
  claimed(message: The<'CLAIMED'>): void
  /** The term is over. */
  fenced(term: number): void
  /** The append can never be done in this term. */
  refused(reason: 'conflict' | 'too-old'): void
}

export interface UnansweredPort {
  send(message: Message): void
  /** The home could not do it: it is to be followed anew, and asked again. */
  resume(): void
}

export class Unanswered {
  readonly #s: RingStanding
  readonly #port: UnansweredPort
  readonly #events: UnansweredEvents
  /** When the home last answered, or was first asked, monotonic ms. */
  #answeredAt = 0
  #next = 0
  #appends: Append[] = []
  readonly #wentBackTo = new Set<number>()
  #cursors: {
    readonly id: number
    readonly drafts: readonly Draft[]
  } | null = null
  #claim: Omit<The<'CLAIM'>, 'size'> | null = null
  #retryAt = 0

  constructor(standing: RingStanding, port: UnansweredPort, events: UnansweredEvents) {
    this.#s = standing
    this.#port = port
    this.#events = events
  }

  /** Since when nothing was answered, monotonic ms; Infinity: the home owes nothing. */
  get since(): number {
    const waits = this.#appends.length > 0 || this.#claim !== null
    return waits ? this.#answeredAt : Infinity
  }

  /** From here on it is late anew. */
  freshen(): void {
    this.#answeredAt = this.#s.now.monotonic
  }

  // ---- what is asked --------------------------------------------------------------------------

  claim(expected: number, nonce: string): void {
    const { boot, now } = this.#s
    this.freshen()
    this.#claim = { type: 'CLAIM', expected, boot, nonce, time: now.wall }
    this.#sendClaim()
  }

  /** It weighs what this replica weighs now, not what it did where it was sent before. */
  #sendClaim(): void {
    if (this.#claim) this.#port.send({ ...this.#claim, size: this.#s.size })
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
    if (this.#appends.length === 0) this.freshen()
    this.#appends.push(append)
    this.#sendAppend(append)
  }

  #sendAppend({ id, term, k, time, drafts }: Append): void {
    this.#port.send({ type: 'APPEND', id, term, k, part: 1, parts: drafts.length, time, drafts })
  }

  /** The term is over or given up: nothing of it is sent again. */
  dropAppends(): void {
    this.#appends = []
    this.#wentBackTo.clear()
  }

  /** Outside the term; one entry at a time. False: the last is still under way. */
  appendCursors(draft: Draft): boolean {
    if (this.#cursors) return false
    this.#cursors = { id: ++this.#next, drafts: [draft] }
    this.#sendCursors()
    return true
  }

  #sendCursors(): void {
    if (!this.#cursors) return
    const { id, drafts } = this.#cursors
    const time = this.#s.now.wall
    this.#port.send({ type: 'APPEND', id, term: 0, k: 0, part: 1, parts: 1, time, drafts })
  }

  sendAgain(): void {
    this.#sendClaim()
    for (const append of this.#appends) this.#sendAppend(append)
    this.#sendCursors()
  }

  tick(): void {
    if (this.#retryAt === 0 || this.#s.now.monotonic < this.#retryAt) return
    this.#retryAt = 0
    this.#port.resume()
  }

  // ---- what is answered -----------------------------------------------------------------------

  onMessage(message: Message): void {
    switch (message.type) {
      case 'CLAIMED':
        if (message.nonce !== this.#claim?.nonce) return
        if (message.outcome === 'not-serving') this.#retrySoon()
        else this.#events.claimed(message)
        return
      case 'APPENDED':
        this.#onAppended(message)
        return
      case 'FENCED':
        if (this.#has(message.id)) this.#events.fenced(message.term)
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

  #has(append: number): boolean {
    return this.#appends.some(({ id }) => id === append)
  }

  #onAppended(message: The<'APPENDED'>): void {
    if (message.id === this.#cursors?.id) {
      this.#cursors = null
      return
    }
    const at = this.#appends.findIndex(({ id }) => id === message.id)
    if (at < 0) return
    this.#appends.splice(at, 1)
    this.freshen()
    this.#wentBackTo.clear()
    this.#events.appended(message.k, message.runs)
  }

  /** The store lacks an order before this one: from there on again, once for each gap. */
  #goBack({ id, expected }: The<'GAP'>): void {
    if (!this.#has(id) || this.#wentBackTo.has(expected)) return
    this.#wentBackTo.add(expected)
    for (const append of this.#appends) if (append.k >= expected) this.#sendAppend(append)
  }

  #onNotAppended({ id, reason }: The<'NOT_APPENDED'>): void {
    if (id === this.#cursors?.id) this.#retrySoon()
    else if (!this.#has(id)) return
    else if (reason === 'conflict' || reason === 'too-old') this.#events.refused(reason)
    else this.#retrySoon()
  }

  #retrySoon(): void {
    if (this.#retryAt === 0) this.#retryAt = this.#s.now.monotonic + this.#s.timings.heartbeat
    this.#wentBackTo.clear()
  }
}
