// A persistence replica's file on virtual time: one writer, first in first out, one transaction a
// batch. A transaction is done wholly or not at all: one that a crash tears is undone when the file
// is opened again. Those that a crash finds unanswered may be done, in order, up to any one of them.

import { sameBytes } from '../../protocol/bytes.js'
import { EPOCH_ZERO, sameEpoch } from '../../protocol/entries/epoch.js'
import type {
  DurableState,
  Genesis,
  ReadQuery,
  ReadResult,
  Recovered,
  WriteBatch,
  WriteResult,
} from '../../protocol/machine/storage.js'
import type { Place } from '../../protocol/entries/place.js'
import type { Incarnation } from '../../protocol/entries/incarnation.js'
import { File } from './file.js'
import type { History, Node } from './history.js'
import type { Random } from './random.js'
import type { Timeline } from './timeline.js'
import { Violation } from './violation.js'

interface Pending {
  readonly batch: WriteBatch
  readonly done: (result: WriteResult) => void
}

/** Told of every transaction, with what the file held before it. */
export type Written = (disk: Disk, batch: WriteBatch, before: DurableState) => void

function isAt({ index, entry }: Node, place: Place): boolean {
  return index === place.index && (!entry || sameBytes(entry.chain, place.chain))
}

function nothing({ kind }: ReadQuery): ReadResult {
  return kind === 'places' ? { kind, places: [] } : { kind, entries: [], more: false }
}

const ZERO: DurableState = {
  promised: EPOCH_ZERO,
  logView: EPOCH_ZERO,
  last: 0,
  chain: new Uint8Array(32),
  commit: 0,
}

export class Disk {
  readonly slot: number
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #history: History
  readonly #written: Written
  file: File | null = null
  full = false
  /** Times slower than usual. */
  slow = 1
  stuckUntil = 0
  /** Where the log will end once all that is queued is written; null: not known just now. */
  ahead: Node | null = null
  /** How many entries at its end a replica reads when it starts. */
  readonly tailEntries: number
  /** Damage was found: the process ends, and the file is set aside. */
  unsound: () => void = () => {}
  #queue: Pending[] = []
  #life = 0
  /** Counts the waits for the device: the end of an old one is nothing. */
  #wait = 0
  #onFailedSync: (() => void) | null = null

  constructor(
    slot: number,
    timeline: Timeline,
    random: Random,
    history: History,
    tailEntries: number,
    written: Written,
  ) {
    this.slot = slot
    this.#timeline = timeline
    this.#random = random
    this.#history = history
    this.tailEntries = tailEntries
    this.#written = written
  }

  format(genesis: Genesis, incarnation: Incarnation): void {
    this.file = new File(this.slot, genesis, incarnation, this.#history.root)
    this.ahead = this.#history.root
  }

  lose(): void {
    this.file = null
    this.ahead = this.#history.root
  }

  /** What the file holds now, to be put back later. */
  snapshot(): File | null {
    return this.file?.copy() ?? null
  }

  restore(earlier: File): void {
    this.file = earlier.copy()
    this.file.forgets = true
    this.ahead = this.last
  }

  /** Entry `index` does not read back as written from now on. */
  flip(index: number): void {
    this.file?.flipped.add(index)
  }

  /** The next transaction's fsync fails. */
  failNext(tell: () => void): void {
    this.#onFailedSync = tell
  }

  /** Whatever was wrong with the device is over; what was lost stays lost. */
  heal(): void {
    const stuck = this.stuckUntil > this.#timeline.now
    this.full = false
    this.slow = 1
    this.stuckUntil = 0
    this.#onFailedSync = null
    // What is under way was to end only with that.
    if (stuck && this.#queue.length > 0) this.#start()
  }

  holds(node: Node): boolean {
    return this.file?.log[node.index] === node
  }

  get last(): Node {
    return this.file?.last ?? this.#history.root
  }

  get durable(): DurableState {
    return this.file?.durable ?? ZERO
  }

  get voter(): boolean {
    return this.file?.voter ?? false
  }

  /** A voter's, with all that it was given: one of those of which a majority is needed. */
  get sound(): boolean {
    return this.voter && !this.file!.forgets && this.file!.flipped.size === 0
  }

  write(batch: WriteBatch, done: (result: WriteResult) => void): void {
    this.#queue.push({ batch, done })
    this.#look(batch)
    if (this.#queue.length === 1) this.#start()
  }

  /** Keeps `ahead`, and lets the history know entries as soon as somebody means to write them. */
  #look(batch: WriteBatch): void {
    let at = this.ahead
    const { truncateAfter, require } = batch
    // Of a writer that has not heard yet that a write before this one failed: it will be stale.
    if (require?.last && at && !isAt(at, require.last)) at = null
    if (truncateAfter !== undefined) {
      while (at && at.index > truncateAfter) at = at.parent
    }
    for (const entry of batch.entries ?? []) {
      if (at && at.index !== entry.index - 1) at = null
      if (at) at = this.#history.add(entry, at)
    }
    this.ahead = at
  }

  #latency(): number {
    const usual = 0.5 + this.#random.exponential(this.#random.chance(0.02) ? 30 : 2)
    return Math.max(usual * this.slow, this.stuckUntil - this.#timeline.now)
  }

  #start(): void {
    const wait = ++this.#wait
    this.#timeline.after(this.#latency(), () => {
      if (wait !== this.#wait) return
      if (this.#onFailedSync) return this.#failSync(this.#onFailedSync)
      const pending = this.#queue.shift()!
      const result = this.#apply(pending.batch)
      if (this.#queue.length > 0) this.#start()
      else this.ahead = this.last
      if (result.outcome !== 'written') this.ahead = this.#queue.length > 0 ? null : this.last
      pending.done(result)
    })
  }

  /** The process exits; `crash` decides what of the queue is there when it comes back. */
  #failSync(tell: () => void): void {
    this.#onFailedSync = null
    tell()
  }

  /** The process died: what is queued is done up to a random point, and nobody hears of it. */
  crash(): void {
    this.#life++
    this.#wait++
    const survive = this.#random.chance(0.5) ? 0 : this.#random.between(0, this.#queue.length)
    for (const { batch } of this.#queue.slice(0, survive)) this.#apply(batch)
    this.#queue = []
    this.ahead = this.last
  }

  #apply(batch: WriteBatch): WriteResult {
    if (this.full) return { outcome: 'full' }
    const { require } = batch
    const durable = this.durable
    const { last } = require ?? {}
    const stale =
      (require?.promised && !sameEpoch(require.promised, durable.promised)) ||
      (last && (last.index !== durable.last || Buffer.compare(last.chain, durable.chain) !== 0))
    if (stale) return { outcome: 'stale', durable }
    // A file that is there keeps its log under the new life.
    if (batch.genesis && this.file) Object.assign(this.file, batch.genesis, { forgets: false })
    else if (batch.genesis) this.format(batch.genesis.genesis, batch.genesis.incarnation)
    const { file } = this
    if (!file) throw new Violation('disk', `s${this.slot} writes to a file without genesis`)
    file.change(batch, this.#history)
    this.#written(this, batch, durable)
    return { outcome: 'written', durable: this.durable }
  }

  read(query: ReadQuery, done: (result: ReadResult) => void): void {
    const life = this.#life
    const latency = (0.1 + this.#random.exponential(0.5)) * this.slow
    this.#timeline.after(latency, () => {
      if (life !== this.#life) return
      if (this.#random.chance(0.01)) return done({ kind: 'failed', reason: 'busy' })
      const result = this.file ? this.file.answer(query) : nothing(query)
      if (result) done(result)
      else this.unsound()
    })
  }

  recover(): Recovered | null {
    const recovered = this.file?.recovered(this.tailEntries) ?? null
    if (!recovered) this.lose()
    return recovered
  }
}
