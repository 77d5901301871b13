// A persistence replica's file on virtual time: one writer, first in first out, one transaction at
// a time. A transaction is done wholly or not at all: a transaction that a crash tears is undone
// when the file is opened again. Unanswered transactions may be done at a crash, in order, up to
// any one of them.

import { sameBytes } from '../../protocol/bytes.js'
import { EPOCH_ZERO, sameEpoch } from '../../protocol/entries/epoch.js'
import type {
  DurableState,
  Genesis,
  ReadQuery,
  ReadResult,
  Recovered,
  TailBounds,
  Transaction,
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
  readonly transaction: Transaction
  readonly done: (result: WriteResult) => void
}

/** Called with every transaction, and with what the file held before it. */
export type Written = (disk: Disk, transaction: Transaction, before: DurableState) => void

function isAt({ index, chain }: Node, place: Place): boolean {
  return index === place.index && chain !== null && sameBytes(chain, place.chain)
}

const NOTHING: { readonly [K in ReadQuery['kind']]: ReadResult } = {
  places: { kind: 'places', places: [] },
  batches: { kind: 'batches', batches: [] },
  mailbox: { kind: 'mailbox', messages: [], more: false },
  time: { kind: 'time', index: 0 },
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
  /** Factor by which the disk is slower than usual. */
  slow = 1
  stuckUntil = 0
  /** The end of the log once all queued transactions are written; null: not known at this moment. */
  ahead: Node | null = null
  /** The end of the log that a replica reads when it starts. */
  readonly tail: TailBounds
  /** Called when damage was found: the process ends, and the file is set aside. */
  unsound: () => void = () => {}
  #queue: Pending[] = []
  #boot = 0
  /** Counts the waits for the device: the end of an earlier wait is ignored. */
  #wait = 0
  #onFailedSync: (() => void) | null = null

  constructor(
    slot: number,
    timeline: Timeline,
    random: Random,
    history: History,
    tail: TailBounds,
    written: Written,
  ) {
    this.slot = slot
    this.#timeline = timeline
    this.#random = random
    this.#history = history
    this.tail = tail
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

  /** A copy of the file, to be put back later. */
  snapshot(): File | null {
    return this.file?.copy() ?? null
  }

  restore(earlier: File): void {
    this.file = earlier.copy()
    this.file.forgets = true
    this.ahead = this.last
  }

  /** From now on entry `index` does not read back as written. */
  flip(index: number): void {
    this.file?.flipped.add(index)
  }

  /** The next transaction's fsync fails. */
  failNext(tell: () => void): void {
    this.#onFailedSync = tell
  }

  /** Ends every fault of the device; lost data stays lost. */
  heal(): void {
    const stuck = this.stuckUntil > this.#timeline.now
    this.full = false
    this.slow = 1
    this.stuckUntil = 0
    this.#onFailedSync = null
    // The transaction under way would end only when the disk was no longer stuck.
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

  /**
   * The file is a voter's and holds everything that it acknowledged: it counts towards a majority.
   */
  get sound(): boolean {
    return this.voter && !this.file!.forgets && this.file!.flipped.size === 0
  }

  write(transaction: Transaction, done: (result: WriteResult) => void): void {
    this.#queue.push({ transaction, done })
    this.#look(transaction)
    if (this.#queue.length === 1) this.#start()
  }

  /**
   * Keeps `ahead` up to date, and adds entries to the history as soon as a replica means to write
   * them.
   */
  #look(transaction: Transaction): void {
    let at = this.ahead
    const { truncateAfter, require } = transaction
    // The writer has not heard yet that an earlier write failed: the transaction will be stale.
    if (require?.last && at && !isAt(at, require.last)) at = null
    if (truncateAfter !== undefined) {
      while (at && at.index > truncateAfter) at = at.parent
    }
    for (const batch of transaction.batches ?? []) {
      if (at && at.index !== batch.first - 1) at = null
      if (at) at = this.#history.add(batch, at)
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
      const result = this.#apply(pending.transaction)
      if (this.#queue.length > 0) this.#start()
      else this.ahead = this.last
      if (result.outcome !== 'written') this.ahead = this.#queue.length > 0 ? null : this.last
      pending.done(result)
    })
  }

  /**
   * fsync fails and the process exits; `crash` decides how much of the queue is on disk afterwards.
   */
  #failSync(tell: () => void): void {
    this.#onFailedSync = null
    tell()
  }

  /** The process died: queued transactions are done up to a random point, and nobody is told. */
  crash(): void {
    this.#boot++
    this.#wait++
    const survive = this.#random.chance(0.5) ? 0 : this.#random.between(0, this.#queue.length)
    for (const { transaction } of this.#queue.slice(0, survive)) this.#apply(transaction)
    this.#queue = []
    this.ahead = this.last
  }

  #apply(transaction: Transaction): WriteResult {
    if (this.full) return { outcome: 'full' }
    const { require } = transaction
    const durable = this.durable
    const { last } = require ?? {}
    const stale =
      (require?.promised && !sameEpoch(require.promised, durable.promised)) ||
      (last && (last.index !== durable.last || Buffer.compare(last.chain, durable.chain) !== 0))
    if (stale) return { outcome: 'stale', durable }
    // An existing file keeps its log under the new incarnation.
    if (transaction.genesis && this.file)
      Object.assign(this.file, transaction.genesis, { forgets: false })
    else if (transaction.genesis)
      this.format(transaction.genesis.genesis, transaction.genesis.incarnation)
    const { file } = this
    if (!file) throw new Violation('disk', `s${this.slot} writes to a file without genesis`)
    file.change(transaction, this.#history)
    this.#written(this, transaction, durable)
    return { outcome: 'written', durable: this.durable }
  }

  read(query: ReadQuery, done: (result: ReadResult) => void): void {
    const boot = this.#boot
    const latency = (0.1 + this.#random.exponential(0.5)) * this.slow
    this.#timeline.after(latency, () => {
      if (boot !== this.#boot) return
      if (this.#random.chance(0.01)) return done({ kind: 'failed', reason: 'busy' })
      const result = this.file ? this.file.answer(query) : NOTHING[query.kind]
      if (result) done(result)
      else this.unsound()
    })
  }

  recover(): Recovered | null {
    const recovered = this.file?.recovered(this.tail) ?? null
    if (!recovered) this.lose()
    return recovered
  }
}
