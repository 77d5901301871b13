// One client's sends: which are unanswered, in which order they are (re)sent, and what may be said
// of one that is given up. Pure: no socket, no clock. A place (seq) in the open stream is given at
// the first write and never holds another message after.
// Source: Troca's replication design, "Streams: once, in order".

import type { Seal } from './inbox-message.js'
import { invariant } from '../protocol/assert.js'
import { ERRORS, errorName } from '../protocol/errors.js'
import { refusedBeforeOrder, type Refusal } from './errors.js'

export interface Letter<T> {
  /** 0: not written in the open stream. */
  seq: number
  readonly to: string
  readonly text: string
  /** The service sees only what this makes of the text; null: it seals the text itself. */
  readonly seal: Seal | null
  /** What was made; null: not yet. The same bytes for as long as the letter keeps its place. */
  envelope: Uint8Array | null
  /** Whoever waits for the answer; null: given up, but still owed to the stream. */
  waiting: T | null
  /** Tries written to a socket and not known to be refused before the order. */
  openTries: number
  /** Request id of the newest try. */
  request: number
}

export type Verdict<T> =
  | { readonly kind: 'ignore' }
  /** Everything unanswered is to be written again, from the lowest seq, after `afterMs`. */
  | { readonly kind: 'resend'; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly letter: Letter<T> }

/** Unanswered sends of one stream at the most. */
const MAX_UNANSWERED = 256
const UNPLACED = { seq: 0, envelope: null, openTries: 0, request: 0 }
/** A refusal that names no time is tried again after this. */
const RETRY_MS = 20

const worthAnotherTry = (code: number): boolean => {
  const name = errorName(code)
  return name !== undefined && ERRORS[name].retriable
}

export class StreamWindow<T> {
  #limit = MAX_UNANSWERED
  /** No place is given any more: no stream is open yet, or one was left. */
  #sealed = true
  #nextSeq = 1
  /** Those with a seq, ascending. */
  #unanswered: Letter<T>[] = []
  #unwritten: Letter<T>[] = []
  /** Tries on the current connection, by request id. */
  readonly #tries = new Map<number, Letter<T>>()
  /** This many of #unanswered, from the lowest, were written since the last rewind. */
  #written = 0

  setLimit(limit: number): void {
    this.#limit = Math.max(1, Math.min(limit, MAX_UNANSWERED))
  }

  get size(): number {
    return this.#unanswered.length + this.#unwritten.length
  }

  /** There is something to send, and a stream must be opened first. */
  get wantsStream(): boolean {
    return this.#sealed && this.#unanswered.length === 0 && this.#unwritten.length > 0
  }

  streamOpened(): void {
    invariant(this.#unanswered.length === 0, 'C3: a stream was left with sends unanswered')
    this.#sealed = false
    this.#nextSeq = 1
    // Answers to what was written in the one that was left say nothing of what comes now.
    this.#tries.clear()
  }

  add(to: string, text: string, waiting: T, seal: Seal | null = null): Letter<T> {
    const letter = { ...UNPLACED, to, text, seal, waiting }
    this.#unwritten.push(letter)
    return letter
  }

  /** The next letter to put on the wire, which has its place now; undefined: nothing, or no room. */
  next(): Letter<T> | undefined {
    const placed = this.#unanswered[this.#written]
    if (placed) return placed
    if (this.#sealed || this.#unanswered.length >= this.#limit) return undefined
    const letter = this.#unwritten.shift()
    if (!letter) return undefined
    letter.seq = this.#nextSeq++
    this.#unanswered.push(letter)
    return letter
  }

  /** Puts the next letter on the wire, under this request id. */
  take(request: number): Letter<T> | undefined {
    const letter = this.next()
    if (!letter) return undefined
    this.#written++
    letter.openTries++
    letter.request = request
    this.#tries.set(request, letter)
    return letter
  }

  /** The connection is gone, and with it every answer that was to come over it. */
  disconnected(): void {
    this.#tries.clear()
    this.#written = 0
  }

  /** undefined: it is answered, or its stream was left since. */
  writtenBy(request: number): Letter<T> | undefined {
    const letter = this.#tries.get(request)
    return letter && letter.seq > 0 && this.#unanswered.includes(letter) ? letter : undefined
  }

  /** Stored. Any try's receipt settles the letter; undefined: it was settled before. */
  receipt(request: number): Letter<T> | undefined {
    const letter = this.#tries.get(request)
    this.#tries.delete(request)
    return letter && this.#settle(letter) ? letter : undefined
  }

  error(request: number, refusal: Refusal): Verdict<T> {
    const letter = this.#tries.get(request)
    if (!letter) return { kind: 'ignore' }
    this.#tries.delete(request)
    // Its stream was left since: it is as if it had never been written.
    const left = letter.seq === 0
    if (refusedBeforeOrder(refusal) && !left) letter.openTries--
    // To wait is no help: whoever sends it is to decide. It has not consumed its seq.
    if (refusal.code === ERRORS.MAILBOX_FULL.code && this.#takeOut(letter)) {
      return { kind: 'refused', letter }
    }
    if (!worthAnotherTry(refusal.code)) {
      return this.#settle(letter) ? { kind: 'refused', letter } : { kind: 'ignore' }
    }
    // Says nothing new when a later try is under way or everything is to be written again anyhow.
    const at = this.#unanswered.indexOf(letter)
    if (letter.request !== request || at < 0 || at >= this.#written) return { kind: 'ignore' }
    this.#written = 0
    return { kind: 'resend', afterMs: refusal.retryAfter ?? RETRY_MS }
  }

  /**
   * The sender stops waiting; true: it is certainly not stored and never will be. If no try of it
   * can have entered the order, none after it can have been stored (a stream has no gaps): then the
   * stream is left there, and what came after goes on in another. Otherwise the letter keeps its
   * place until it is answered.
   */
  giveUp(letter: Letter<T>): boolean {
    letter.waiting = null
    return this.#takeOut(letter)
  }

  #takeOut(letter: Letter<T>): boolean {
    const queued = this.#unwritten.indexOf(letter)
    if (queued >= 0) {
      this.#unwritten.splice(queued, 1)
      return true
    }
    const at = this.#unanswered.indexOf(letter)
    if (at < 0 || letter.openTries > 0) return false
    const left = this.#unanswered.splice(at)
    this.#written = Math.min(this.#written, at)
    this.#sealed = true
    for (const other of left) Object.assign(other, UNPLACED)
    this.#unwritten.unshift(...left.filter((other) => other !== letter && other.waiting !== null))
    return true
  }

  /** Takes out everything, for the end. */
  drop(): Letter<T>[] {
    const all = [...this.#unanswered, ...this.#unwritten]
    this.#unanswered = []
    this.#unwritten = []
    this.#sealed = true
    this.disconnected()
    return all
  }

  #settle(letter: Letter<T>): boolean {
    // Answers come in order, so it is nearly always the first.
    const at = this.#unanswered[0] === letter ? 0 : this.#unanswered.indexOf(letter)
    if (at < 0) return false
    this.#unanswered.splice(at, 1)
    if (at < this.#written) this.#written--
    return true
  }
}
