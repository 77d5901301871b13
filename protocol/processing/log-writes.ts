// Requests to the persistence home that are not answered: the claim, the appends of the term and
// the marks. All are sent again, in order, to the next home or on a new connection: terms and k
// make that harmless.

import { packDrafts, type Contents } from '../entries/batch.js'
import type { Draft } from '../entries/entry.js'
import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from './context.js'
import type { LogReplicas } from './log-replicas.js'

export interface OrderAppend {
  readonly term: number
  readonly k: number
  readonly time: number
  readonly contents: Contents
}

interface Append extends OrderAppend {
  readonly id: number
}

export class LogWrites {
  readonly #context: ProcessingContext
  readonly #replicas: LogReplicas
  /** When the home last answered, or was first asked, monotonic ms. */
  #answeredAt = 0
  #next = 0
  #appends: Append[] = []
  readonly #wentBackTo = new Set<number>()
  #marks: { readonly id: number; readonly contents: Contents } | null = null
  #claim: Omit<The<'CLAIM'>, 'weight'> | null = null
  #retryAt = 0

  constructor(context: ProcessingContext, replicas: LogReplicas) {
    this.#context = context
    this.#replicas = replicas
  }

  /**
   * Since when the claim or an append has had no answer, monotonic ms; Infinity: all are answered.
   */
  get since(): number {
    const waits = this.#appends.length > 0 || this.#claim !== null
    return waits ? this.#answeredAt : Infinity
  }

  /** Every request is answered. */
  get idle(): boolean {
    return this.since === Infinity && this.#marks === null && this.#retryAt === 0
  }

  /** The wait for an answer counts from now. */
  freshen(): void {
    this.#answeredAt = this.#context.now.monotonic
  }

  // ---- what is asked --------------------------------------------------------------------------

  claim(expected: number, nonce: string): void {
    this.freshen()
    this.#claim = { type: 'CLAIM', expected, nonce }
    this.#sendClaim()
  }

  /** The weight is the one of now: it may have changed since the claim was sent before. */
  #sendClaim(): void {
    if (this.#claim) this.#replicas.sendHome({ ...this.#claim, weight: this.#context.weight })
  }

  /** Nonce of the pending claim; empty: none. */
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

  #sendAppend({ id, term, k, time, contents }: Append): void {
    this.#replicas.sendHome({ type: 'APPEND', id, term, k, time, ...contents })
  }

  /** The term is over or given up: its appends are not sent again. */
  dropAppends(): void {
    this.#appends = []
    this.#wentBackTo.clear()
  }

  /** Appends marks outside the term, one entry at a time. False: the last one is still pending. */
  appendMarks(draft: Draft): boolean {
    if (this.#marks) return false
    this.#marks = { id: ++this.#next, contents: packDrafts([draft]) }
    this.#sendMarks()
    return true
  }

  #sendMarks(): void {
    if (!this.#marks) return
    const { id, contents } = this.#marks
    const time = this.#context.now.wall
    this.#replicas.sendHome({ type: 'APPEND', id, term: 0, k: 0, time, ...contents })
  }

  sendAgain(): void {
    this.#sendClaim()
    for (const append of this.#appends) this.#sendAppend(append)
    this.#sendMarks()
  }

  /** True once when all requests are due again: the home could not serve one, a while ago. */
  takeRetry(): boolean {
    if (this.#retryAt === 0 || this.#context.now.monotonic < this.#retryAt) return false
    this.#retryAt = 0
    return true
  }

  // ---- what is answered -----------------------------------------------------------------------

  /** Whether a pending append has this id. */
  has(append: number): boolean {
    return this.#appends.some(({ id }) => id === append)
  }

  /** Whether the message decides the pending claim. */
  onClaimed({ nonce, outcome }: The<'CLAIMED'>): boolean {
    if (nonce !== this.#claim?.nonce) return false
    if (outcome !== 'not-serving') return true
    this.#retrySoon()
    return false
  }

  /** The k of the order that is committed; null: the answer was to marks, or to nothing pending. */
  onAppended({ id, k }: The<'APPENDED'>): number | null {
    if (id === this.#marks?.id) {
      this.#marks = null
      return null
    }
    const at = this.#appends.findIndex((append) => append.id === id)
    if (at < 0) return null
    this.#appends.splice(at, 1)
    this.freshen()
    this.#wentBackTo.clear()
    return k
  }

  /**
   * The home's log lacks an order before this one: the appends from that order on go again, once
   * for each gap.
   */
  onGap({ id, expected }: The<'GAP'>): void {
    if (!this.has(id) || this.#wentBackTo.has(expected)) return
    this.#wentBackTo.add(expected)
    for (const append of this.#appends) if (append.k >= expected) this.#sendAppend(append)
  }

  /** Why the append can never succeed in this term; null: it is tried again. */
  onNotAppended({ id, reason }: The<'NOT_APPENDED'>): 'conflict' | 'too-old' | null {
    if (id !== this.#marks?.id) {
      if (!this.has(id)) return null
      if (reason === 'conflict' || reason === 'too-old') return reason
    }
    this.#retrySoon()
    return null
  }

  #retrySoon(): void {
    const { now, timings } = this.#context
    if (this.#retryAt === 0) this.#retryAt = now.monotonic + timings.retry
    this.#wentBackTo.clear()
  }
}
