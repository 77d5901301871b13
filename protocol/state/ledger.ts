// The state of execution as the committed log has it; the overlay holds what orders ahead of it have
// written. Both change only by decided entries. Marks, the index of sends, what has expired and the
// sizes of mailboxes are kept in the ledger too, for queries; execution never reads them.

import { idOf } from '../bytes.js'
import { decodeDrop, isDrop } from '../entries/drop.js'
import { CHAIN_ZERO, type Batch } from '../entries/batch.js'
import { KIND, type Entry } from '../entries/entry.js'
import { decodeExpiry } from '../entries/expiry.js'
import { advanceFence, NO_FENCE, type Fence } from '../entries/fence.js'
import { decodeMarks, Marks } from '../entries/marks.js'
import { applyEntry } from './commands/registry.js'
import { Directory } from './directory.js'
import type { Ended } from './ended-streams.js'
import { Expiries } from './expiries.js'
import type { Answered, LedgerWriter, StreamView } from './ledger-view.js'
import { MailboxSizes } from './mailbox-sizes.js'
import { recordKey } from './record-key.js'
import { SentIndex } from './sent-index.js'
import { Streams, type StreamState } from './streams.js'

/** The committed log, applied. */
export class Ledger extends Directory implements LedgerWriter {
  readonly streams = new Streams((key) => this.touch(key))
  readonly marks: Marks
  readonly sent = new SentIndex((user, page) => this.touch(recordKey.sent(user, page)))
  readonly sizes = new MailboxSizes((bucket, page) => this.touch(recordKey.sizes(bucket, page)))
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

  // ---- streams --------------------------------------------------------------------------------

  stream(id: string): StreamState | undefined {
    return this.streams.stream(id)
  }

  streamsOf(user: string): (readonly [string, StreamState])[] {
    return this.streams.streamsOf(user)
  }

  answered(id: string, seq: number): Answered | undefined {
    return this.streams.answered(id, seq)
  }

  endedStream(user: string, id: string): Ended | undefined {
    return this.streams.endedStream(user, id)
  }

  endsOf(user: string): number {
    return this.streams.endsOf(user)
  }

  openStream(id: string, stream: StreamView): void {
    this.streams.put(id, stream)
  }

  endStream(id: string): void {
    this.streams.end(id)
  }

  putAnswer(stream: Uint8Array, seq: number, answered: Answered, to: string): void {
    const owner = this.streams.putAnswer(idOf(stream), seq, answered)
    if (owner !== undefined) this.sent.add(owner, stream, seq, answered, to)
  }

  override endAccount(name: string, token: Uint8Array): void {
    super.endAccount(name, token)
    this.streams.forget(name)
    this.sent.forget(name)
  }

  // ---- the log --------------------------------------------------------------------------------

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
    yield* this.streams.keys()
    for (const [user, page] of this.sent.pages()) yield recordKey.sent(user, page)
    for (const [bucket, page] of this.sizes.pages()) yield recordKey.sizes(bucket, page)
  }
}
