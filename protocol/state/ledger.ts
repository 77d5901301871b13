// The state of execution: the ledger, from the committed log, and the overlay of orders executed
// but not yet seen committed. Both change only by decided entries. Marks, the index of sends, what
// has expired and the sizes of mailboxes are kept in the ledger too, for queries; execution never reads
// them.

import { idOf } from '../bytes.js'
import { decodeDrop, isDrop } from '../entries/drop.js'
import { CHAIN_ZERO, type Batch } from '../entries/batch.js'
import { KIND, type Draft, type Entry, type Meta } from '../entries/entry.js'
import { decodeExpiry } from '../entries/expiry.js'
import { advanceFence, NO_FENCE, type Fence } from '../entries/fence.js'
import { decodeMarks, Marks } from '../entries/marks.js'
import { applyEntry } from './commands/registry.js'
import { KEPT_ANSWERS } from './commands/sending.js'
import { Directory, DirectoryOverlay } from './directory.js'
import { Expiries } from './expiries.js'
import type { Answered, LedgerWriter, StreamView } from './ledger-view.js'
import { MailboxSizes } from './mailbox-sizes.js'
import { recordKey, ringPlaceOf } from './record-key.js'
import { SentIndex } from './sent-index.js'

export interface StreamState extends StreamView {
  next: number
  closed: boolean
  readonly answers: Map<number, Answered>
}

/** The committed log, applied. */
export class Ledger extends Directory implements LedgerWriter {
  readonly streams = new Map<string, StreamState>()
  /** Streams in `streams` that are not closed. */
  openStreams = 0
  readonly marks: Marks
  readonly sent = new SentIndex((user, page) => this.touch(recordKey.sent(user, page)))
  readonly sizes = new MailboxSizes((name, page) => this.touch(recordKey.sizes(name, page)))
  readonly expiries = new Expiries((name) => this.touch(recordKey.expired(name)))
  index = 0
  /** The chain at the end of the last batch that is applied whole. */
  chain: Uint8Array = CHAIN_ZERO
  fence: Fence = NO_FENCE
  /** Index of the newest TERM entry. */
  termIndex = 0

  /** `marks` from before a rebuild are kept, as they only grow. */
  constructor(marks = new Marks()) {
    super()
    this.marks = marks
  }

  stream(id: string): StreamState | undefined {
    return this.streams.get(id)
  }

  answered(id: string, seq: number): Answered | undefined {
    return this.streams.get(id)?.answers.get(seq)
  }

  openStream(id: string, owner: string): void {
    this.putStream(id, { owner, next: 1, closed: false })
  }

  putStream(id: string, stream: StreamView): void {
    this.touch(recordKey.stream(id))
    this.streams.set(id, { ...stream, answers: new Map() })
    if (!stream.closed) this.openStreams++
  }

  closeStream(id: string): void {
    const stream = this.streams.get(id)
    if (!stream) return
    this.touch(recordKey.stream(id))
    for (const place of new Set([...stream.answers.keys()].map(ringPlaceOf)))
      this.touch(recordKey.answers(id, place))
    this.openStreams--
    stream.closed = true
    stream.answers.clear()
  }

  putAnswer(streamId: Uint8Array, seq: number, answered: Answered, to: string): void {
    const id = idOf(streamId)
    const stream = this.streams.get(id)
    if (!stream) return
    this.touch(recordKey.stream(id))
    this.touch(recordKey.answers(id, ringPlaceOf(seq)))
    // A copy: the digest is a view on a whole frame, which it would keep in memory.
    const digest = new Uint8Array(answered.digest)
    stream.next = seq + 1
    stream.answers.set(seq, { ...answered, digest })
    stream.answers.delete(seq - KEPT_ANSWERS)
    this.sent.add(stream.owner, streamId, seq, answered, to)
  }

  override endAccount(name: string, token: Uint8Array): void {
    super.endAccount(name, token)
    this.sent.forget(name)
  }

  /** The time of the last order, ms since 1970; 0: there is none. */
  get time(): number {
    return this.fence.time
  }

  /** The last order of `term` that is applied. */
  committedOrder(term: number): number {
    return this.fence.term === term ? this.fence.k : 0
  }

  /** `applied` ends the batch of the entry. */
  apply(entry: Entry): void {
    const { index, meta, body, bodyBytes } = entry
    this.index = index
    if (meta.kind === KIND.term) this.termIndex = index
    if (meta.kind === KIND.marks) {
      for (const [user, mark] of decodeMarks(body)) {
        this.touch(recordKey.marks(user))
        this.marks.raise(user, mark)
      }
      return
    }
    if (meta.kind === KIND.message) this.sizes.add(meta.mailbox, index, bodyBytes)
    if (isDrop(meta)) this.sizes.drop(decodeDrop(entry))
    if (meta.kind === KIND.expired) this.expiries.add(meta.mailbox, decodeExpiry(body))
    applyEntry(this, meta, entry)
  }

  /** All entries of the batch have been applied. */
  applied(batch: Batch): void {
    this.fence = advanceFence(this.fence, batch)
    // A copy: the chain is a view on a whole frame, which it would keep in memory.
    this.chain = new Uint8Array(batch.chain)
  }

  /** Keys of all records, in no particular order. */
  *recordKeys(): Generator<string> {
    yield* this.directoryKeys()
    for (const name of this.expiries.mailboxes()) yield recordKey.expired(name)
    for (const [user] of this.marks) yield recordKey.marks(user)
    for (const [id, { answers }] of this.streams) {
      yield recordKey.stream(id)
      for (const place of new Set([...answers.keys()].map(ringPlaceOf)))
        yield recordKey.answers(id, place)
    }
    for (const [user, page] of this.sent.pages()) yield recordKey.sent(user, page)
    for (const [name, page] of this.sizes.pages()) yield recordKey.sizes(name, page)
  }
}

interface Pending<T> {
  value: T
  /** The last order that wrote the value. */
  k: number
}

/** Orders of one term, executed ahead of the committed log. */
export class Overlay extends DirectoryOverlay implements LedgerWriter {
  readonly #base: Ledger
  readonly #streams = new Map<string, Pending<StreamView>>()
  readonly #answered = new Map<string, Map<number, Answered>>()

  constructor(base: Ledger) {
    super(base)
    this.#base = base
  }

  stream(id: string): StreamView | undefined {
    return this.#streams.get(id)?.value ?? this.#base.stream(id)
  }

  answered(id: string, seq: number): Answered | undefined {
    return this.#answered.get(id)?.get(seq) ?? this.#base.answered(id, seq)
  }

  openStream(id: string, owner: string): void {
    this.#streams.set(id, { value: { owner, next: 1, closed: false }, k: this.k })
  }

  closeStream(id: string): void {
    const { owner, next } = this.stream(id)!
    this.#streams.set(id, { value: { owner, next, closed: true }, k: this.k })
  }

  putAnswer(stream: Uint8Array, seq: number, answered: Answered): void {
    const id = idOf(stream)
    const { owner } = this.stream(id)!
    this.#streams.set(id, { value: { owner, next: seq + 1, closed: false }, k: this.k })
    const known = this.#answered.get(id) ?? new Map<number, Answered>()
    known.set(seq, answered)
    this.#answered.set(id, known)
  }

  apply({ meta, body }: Draft, k: number): void {
    this.k = k
    applyEntry(this, meta, { body, index: 0, time: 0 })
  }

  /**
   * The committed log now has this entry of order k: values that only this order wrote leave the
   * overlay.
   */
  settle(meta: Meta, k: number): void {
    if (meta.stream.length === 0) return
    const id = idOf(meta.stream)
    const known = this.#answered.get(id)
    known?.delete(meta.seq)
    if (known?.size === 0) this.#answered.delete(id)
    if ((this.#streams.get(id)?.k ?? Infinity) <= k && !this.#answered.has(id))
      this.#streams.delete(id)
  }
}
