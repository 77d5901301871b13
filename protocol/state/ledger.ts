// What execution knows: people (people.ts) and streams, from the committed log, and the overlay of
// orders executed but not yet seen committed. Both are changed by what was decided alone. Marks and
// what each user has sent are kept here too, but execution never reads them.

import { decodeMeta, KIND, type Draft, type Entry, type Meta } from '../entries/entry.js'
import { NO_FENCE, advanceFence, type Fence } from '../entries/fence.js'
import { decodeMarks } from '../entries/bodies.js'
import { Marks } from '../entries/marks.js'
import { People, PeopleAhead, type PeopleLedger } from './directory.js'
import { idOf } from '../bytes.js'
import { Sent } from './sent-index.js'

/** Answers of a stream that are kept for repeated requests. */
export const KEPT_ANSWERS = 256

/** What was answered to one seq of a stream. */
export interface Known {
  readonly digest: Uint8Array
  readonly code: number
  /** 0 while it is only in the overlay. */
  readonly index: number
  readonly time: number
}

export interface StreamState {
  readonly owner: string
  next: number
  readonly answers: Map<number, Known>
}

/** The state as execution reads it. */
export interface Ledger extends PeopleLedger {
  stream(id: string): { readonly owner: string; readonly next: number } | undefined
  known(id: string, seq: number): Known | undefined
}

export function streamKey(stream: Uint8Array): string {
  return idOf(stream)
}

/** The committed log, applied. */
export class Committed extends People implements Ledger {
  readonly streams = new Map<string, StreamState>()
  readonly marks: Marks
  readonly sent = new Sent()
  index = 0
  fence: Fence = NO_FENCE
  /** Index of the newest TERM entry. */
  termIndex = 0
  /** Highest time of entries that orders or claims wrote, ms since 1970. */
  time = 0

  /** `marks`: known from before a rebuild, as they only grow. */
  constructor(marks = new Marks()) {
    super()
    this.marks = marks
  }

  stream(id: string): StreamState | undefined {
    return this.streams.get(id)
  }

  known(id: string, seq: number): Known | undefined {
    return this.streams.get(id)?.answers.get(seq)
  }

  /** The last order of `term` applied whole, and whether one is half applied. */
  progress(term: number): { readonly k: number; readonly half: boolean } {
    const { k, part, parts } = this.fence
    if (this.fence.term !== term) return { k: 0, half: false }
    return part === parts ? { k, half: false } : { k: k - 1, half: true }
  }

  apply(entry: Entry, meta: Meta = decodeMeta(entry.meta)): void {
    this.index = entry.index
    this.fence = advanceFence(this.fence, entry)
    if (meta.kind === KIND.term) this.termIndex = entry.index
    if (meta.kind === KIND.cursors) {
      for (const [user, mark] of decodeMarks(entry.body)) this.marks.raise(user, mark)
      return
    }
    this.time = Math.max(this.time, entry.time)
    this.applyToPeople(entry, meta)
    if (meta.kind === KIND.closed) this.sent.forget(meta.mailbox)
    if (meta.kind === KIND.stream) {
      this.streams.set(streamKey(meta.stream), { owner: meta.mailbox, next: 1, answers: new Map() })
    }
    if (meta.kind === KIND.message || meta.kind === KIND.refusal) {
      const stream = this.streams.get(streamKey(meta.stream))
      if (!stream) return
      const { answer: code, seq } = meta
      // A copy: the meta is a view on a whole frame, which it would keep in memory.
      const digest = new Uint8Array(meta.digest)
      stream.next = seq + 1
      stream.answers.set(seq, { digest, code, index: entry.index, time: entry.time })
      stream.answers.delete(seq - KEPT_ANSWERS)
      this.sent.add(stream.owner, meta, entry.index, entry.time)
    }
  }
}

interface Pending<T> {
  value: T
  /** The last order that wrote it. */
  k: number
}

/** Orders of one term, executed ahead of the committed log. */
export class Overlay extends PeopleAhead implements Ledger {
  readonly #base: Committed
  readonly #streams = new Map<string, Pending<{ owner: string; next: number }>>()
  readonly #known = new Map<string, Map<number, Known>>()

  constructor(base: Committed) {
    super(base)
    this.#base = base
  }

  stream(id: string): { readonly owner: string; readonly next: number } | undefined {
    return this.#streams.get(id)?.value ?? this.#base.stream(id)
  }

  known(id: string, seq: number): Known | undefined {
    return this.#known.get(id)?.get(seq) ?? this.#base.known(id, seq)
  }

  apply(draft: Draft, meta: Meta, k: number): void {
    this.applyToPeople(draft, meta, k)
    if (meta.kind === KIND.stream) {
      this.#streams.set(streamKey(meta.stream), { value: { owner: meta.mailbox, next: 1 }, k })
    }
    if (meta.kind === KIND.message || meta.kind === KIND.refusal) {
      const id = streamKey(meta.stream)
      const { owner } = this.stream(id)!
      this.#streams.set(id, { value: { owner, next: meta.seq + 1 }, k })
      const known = this.#known.get(id) ?? new Map<number, Known>()
      known.set(meta.seq, { digest: meta.digest, code: meta.answer, index: 0, time: 0 })
      this.#known.set(id, known)
    }
  }

  /** The committed log has this entry of order k now: what only it wrote is not needed here. */
  settle(meta: Meta, k: number): void {
    if (meta.stream.length === 0) return
    const id = streamKey(meta.stream)
    const known = this.#known.get(id)
    known?.delete(meta.seq)
    if (known?.size === 0) this.#known.delete(id)
    if ((this.#streams.get(id)?.k ?? Infinity) <= k && !this.#known.has(id))
      this.#streams.delete(id)
  }
}
