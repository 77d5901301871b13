// The sends of a client: which are unanswered, in which order they are written again, and whether a
// send that is given up is certainly not stored. Pure: no socket, no clock. Invariant: a letter
// gets its seq at its first write, and this (stream, seq) never holds another message. Source:
// docs/PROTOCOL.md, "Sending", and invariant C3.

import type { Seal } from './inbox-message.js'
import { invariant } from '../protocol/assert.js'
import { ERRORS, errorName } from '../protocol/errors.js'
import { refusedBeforeOrder, type Refusal } from './errors.js'

export interface Letter<T> {
  /** Letters are numbered as they are added, over all streams. */
  readonly number: number
  /** Number in the open stream; 0: not written in it. */
  seq: number
  readonly to: string
  readonly text: string
  /** Seals the text at the client; null: the service seals it. */
  readonly seal: Seal | null
  /** Result of `seal`, the same bytes while the letter keeps its seq; null: not sealed yet. */
  envelope: Uint8Array | null
  /** The waiting caller; null: the send was given up, but its seq must still be filled. */
  waiting: T | null
  /** Number of written tries that were not refused before the order: each may be stored. */
  openTries: number
  /** Request id of the newest try. */
  request: number
}

export type Verdict<T> =
  | { readonly kind: 'ignore' }
  /** The stream has ended: the letter is not stored, and goes into another stream. */
  | { readonly kind: 'moved' }
  /** Write every unanswered letter again after `afterMs`, from the lowest seq on. */
  | { readonly kind: 'resend'; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly letter: Letter<T> }

/** A stream has at most this many unanswered sends. */
const MAX_UNANSWERED = 256
const UNPLACED = { seq: 0, envelope: null, openTries: 0, request: 0 }
/** Wait after a refusal without `retryAfter`. */
const RETRY_MS = 20

const worthAnotherTry = (code: number): boolean => {
  const name = errorName(code)
  return name !== undefined && ERRORS[name].retriable
}

export class StreamWindow<T> {
  #limit = MAX_UNANSWERED
  #added = 0
  /** No seq may be given: no stream is open yet, or the stream was left. */
  #sealed = true
  #nextSeq = 1
  /** Letters with a seq, ascending. */
  #unanswered: Letter<T>[] = []
  #unwritten: Letter<T>[] = []
  /** Tries on the current connection, by request id. */
  readonly #tries = new Map<number, Letter<T>>()
  /** How many of #unanswered, from the lowest seq, were written since the last rewind. */
  #written = 0

  setLimit(limit: number): void {
    this.#limit = Math.max(1, Math.min(limit, MAX_UNANSWERED))
  }

  get size(): number {
    return this.#unanswered.length + this.#unwritten.length
  }

  /** A letter waits, and a stream must be opened before it can be written. */
  get wantsStream(): boolean {
    return this.#sealed && this.#unanswered.length === 0 && this.#unwritten.length > 0
  }

  streamOpened(): void {
    invariant(this.#unanswered.length === 0, 'C3: a stream was left with sends unanswered')
    this.#sealed = false
    this.#nextSeq = 1
    // Answers to letters of the stream that was left do not concern this one.
    this.#tries.clear()
  }

  add(to: string, text: string, waiting: T, seal: Seal | null = null): Letter<T> {
    const letter = { ...UNPLACED, number: ++this.#added, to, text, seal, waiting }
    this.#unwritten.push(letter)
    return letter
  }

  /**
   * The next letter to write, now with its seq; undefined: there is none, or the limit is reached.
   */
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

  /** Marks the next letter as written with this request id. */
  take(request: number): Letter<T> | undefined {
    const letter = this.next()
    if (!letter) return undefined
    this.#written++
    letter.openTries++
    letter.request = request
    this.#tries.set(request, letter)
    return letter
  }

  /** No further letter goes into the stream. false: there is none, or a letter waits. */
  leave(): boolean {
    const waits = this.#unanswered.some((letter) => letter.waiting !== null)
    if (this.#sealed || waits || this.#unwritten.length > 0) return false
    this.#sealed = true
    return true
  }

  /** The connection is lost: no answer will come, and every unanswered letter is written again. */
  disconnected(): void {
    this.#tries.clear()
    this.#written = 0
  }

  /** The letter of this request; undefined: it is answered, or its stream was left. */
  writtenBy(request: number): Letter<T> | undefined {
    const letter = this.#tries.get(request)
    return letter && letter.seq > 0 && this.#unanswered.includes(letter) ? letter : undefined
  }

  /**
   * The letter is stored: the receipt of any of its tries settles it. undefined: settled before.
   */
  receipt(request: number): Letter<T> | undefined {
    const letter = this.#tries.get(request)
    this.#tries.delete(request)
    return letter && this.#settle(letter) ? letter : undefined
  }

  error(request: number, refusal: Refusal): Verdict<T> {
    const letter = this.#tries.get(request)
    if (!letter) return { kind: 'ignore' }
    this.#tries.delete(request)
    // After its stream was left, the letter counts as never written.
    const left = letter.seq === 0
    if (refusedBeforeOrder(refusal) && !left) letter.openTries--
    if (refusal.code === ERRORS.STREAM_CLOSED.code) {
      return left ? { kind: 'ignore' } : this.#streamClosed(letter, refusal)
    }
    // A full mailbox may stay full, so the caller decides. The refusal consumed no seq.
    if (refusal.code === ERRORS.MAILBOX_FULL.code && this.#takeOut(letter)) {
      return { kind: 'refused', letter }
    }
    if (!worthAnotherTry(refusal.code)) {
      return this.#settle(letter) ? { kind: 'refused', letter } : { kind: 'ignore' }
    }
    // The refusal is out of date if a later try is written or a rewind is due already.
    const at = this.#unanswered.indexOf(letter)
    if (letter.request !== request || at < 0 || at >= this.#written) return { kind: 'ignore' }
    this.#written = 0
    return { kind: 'resend', afterMs: refusal.retryAfter ?? RETRY_MS }
  }

  /**
   * The stream has ended, and takes nothing more. The try that was answered so changed nothing; an
   * earlier one whose answer was lost may have, unless the service knows better (`definite`).
   */
  #streamClosed(letter: Letter<T>, { definite }: Refusal): Verdict<T> {
    this.#sealed = true
    letter.openTries = definite ? 0 : letter.openTries - 1
    const awaited = [...this.#tries.values()].includes(letter)
    if (letter.openTries > 0 && awaited) return { kind: 'ignore' }
    if (!this.#settle(letter)) return { kind: 'ignore' }
    if (letter.openTries > 0) return { kind: 'refused', letter }
    if (letter.waiting === null) return { kind: 'moved' }
    Object.assign(letter, UNPLACED)
    const later = this.#unwritten.findIndex(({ number }) => number > letter.number)
    this.#unwritten.splice(later < 0 ? this.#unwritten.length : later, 0, letter)
    return { kind: 'moved' }
  }

  /**
   * The caller stops waiting. true: the letter is certainly not stored and never will be. If none
   * of its tries can have entered the order, no later letter can be stored either, because a stream
   * has no gaps (C3): the window leaves the stream there, and later letters go into another.
   * Otherwise the letter keeps its seq until it is answered.
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

  /**
   * Leaves the stream, which the service may not know any more. Takes out the letters that may be
   * stored; the others go into another stream.
   */
  forsake(): Letter<T>[] {
    const open = this.#unanswered.filter(({ openTries }) => openTries > 0)
    const others = this.#unanswered.filter(({ openTries }) => openTries === 0)
    for (const other of others) Object.assign(other, UNPLACED)
    this.#unwritten.unshift(...others.filter(({ waiting }) => waiting !== null))
    this.#unanswered = []
    this.#sealed = true
    this.disconnected()
    return open
  }

  /** Takes out every letter, at the end of the client. */
  drop(): Letter<T>[] {
    const all = [...this.#unanswered, ...this.#unwritten]
    this.#unanswered = []
    this.#unwritten = []
    this.#sealed = true
    this.disconnected()
    return all
  }

  #settle(letter: Letter<T>): boolean {
    // Fast path: answers come in order, so the letter is nearly always the first.
    const at = this.#unanswered[0] === letter ? 0 : this.#unanswered.indexOf(letter)
    if (at < 0) return false
    this.#unanswered.splice(at, 1)
    if (at < this.#written) this.#written--
    return true
  }
}
