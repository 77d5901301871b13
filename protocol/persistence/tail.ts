// The end of the log in memory: all uncommitted batches and some committed ones before them. `last`
// has been queued for the file, `durable` is on disk, `commit` is durable on a majority of all
// slots. All three are ends of batches. Committed entries never change (P3).

import { advanceFence, NO_FENCE, type Fence } from '../entries/fence.js'
import { invariant } from '../assert.js'
import { assertGapless, CHAIN_ZERO, lastOf, weighBatch, type Batch } from '../entries/batch.js'
import { dropsOf, erase, type Drop } from '../entries/drop.js'
import { sameBytes } from '../bytes.js'
import { TAIL, type DurableState, type TailBounds } from '../machine/storage.js'
import type { Place } from '../entries/place.js'

/** The part of the tail that other parts may read. */
export type LogView = Pick<
  LogTail,
  'last' | 'commit' | 'durable' | 'first' | 'committedFence' | 'placeAt'
>

const weigh = (batches: readonly Batch[]): number =>
  batches.reduce((bytes, batch) => bytes + weighBatch(batch), 0)

export class LogTail {
  /** Batches from #before on, without gaps. */
  #batches: Batch[] = []
  /** The place before #batches[0]. */
  #before: Place
  #commit: number
  #fenceAtCommit: Fence
  #fence: Fence
  #durable: number
  /**
   * A committed place at or below `durable`, and the fence there: a reset computes the fence from
   * it.
   */
  #floor: { index: number; fence: Fence }
  /** Batches after index `at` that an unfinished write drops, in order of the writes. */
  #cuts: { readonly at: number; readonly batches: readonly Batch[] }[] = []

  /** Committed DROPs that have not been taken yet, in log order. */
  #drops: Drop[] = []

  /** Of what is committed and durable, no more than twice so much is in memory. */
  readonly #keep: TailBounds
  #bytes: number

  constructor(
    tail: readonly Batch[],
    last: Place,
    commit: number,
    fenceAtCommit: Fence,
    keep = TAIL,
  ) {
    this.#keep = keep
    this.#batches = [...tail]
    this.#bytes = weigh(tail)
    const first = tail[0]
    // Where the tail does not reach back to entry 1, the place before it is known by its number
    // only.
    this.#before =
      first === undefined
        ? last
        : { index: first.first - 1, chain: first.first === 1 ? CHAIN_ZERO : new Uint8Array(0) }
    this.#commit = commit
    this.#durable = last.index
    this.#fenceAtCommit = fenceAtCommit
    this.#fence = fenceAtCommit
    this.#floor = { index: commit, fence: fenceAtCommit }
    this.#fence = this.after(commit).reduce(advanceFence, fenceAtCommit)
  }

  static empty(keep = TAIL): LogTail {
    return new LogTail([], { index: 0, chain: CHAIN_ZERO }, 0, NO_FENCE, keep)
  }

  get last(): number {
    const end = this.#batches.at(-1)
    return end ? lastOf(end) : this.#before.index
  }

  get chain(): Uint8Array {
    return this.#batches.at(-1)?.chain ?? this.#before.chain
  }

  get place(): Place {
    return { index: this.last, chain: this.chain }
  }

  get commit(): number {
    return this.#commit
  }

  get durable(): number {
    return this.#durable
  }

  /** Bytes of the batches in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /** First index that is in memory. */
  get first(): number {
    return this.#before.index + 1
  }

  /** Newest term and its last order, in the whole log. */
  get fence(): Fence {
    return this.#fence
  }

  get committedFence(): Fence {
    return this.#fenceAtCommit
  }

  /** Number of batches in memory that end at or below the index. */
  #through(index: number): number {
    let [low, high] = [0, this.#batches.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (lastOf(this.#batches[middle]!) <= index) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The batch in memory that ends at the index. */
  endingAt(index: number): Batch | undefined {
    const batch = this.#batches[this.#through(index) - 1]
    return batch && lastOf(batch) === index ? batch : undefined
  }

  /** The place at the end of a batch in memory, or at the start of the log. */
  placeAt(index: number): Place | undefined {
    if (index === 0) return { index: 0, chain: CHAIN_ZERO }
    const batch = this.endingAt(index)
    return batch && { index, chain: batch.chain }
  }

  /** Batches in memory that end after `index`. */
  after(index: number): Batch[] {
    return this.#batches.slice(this.#through(index))
  }

  /** Batches in memory, the newest first. */
  *backwards(): Generator<Batch> {
    for (let i = this.#batches.length - 1; i >= 0; i--) yield this.#batches[i]!
  }

  /** Whether `place` is in the log; undefined: it lies before the batches in memory. */
  has(place: Place): boolean | undefined {
    if (place.index === 0) return true
    if (place.index > this.last) return false
    if (place.index > this.#before.index) {
      const batch = this.endingAt(place.index)
      return batch !== undefined && sameBytes(batch.chain, place.chain)
    }
    if (place.index === this.#before.index && this.#before.chain.length > 0) {
      return sameBytes(this.#before.chain, place.chain)
    }
    return undefined
  }

  append(batches: readonly Batch[]): void {
    assertGapless(this.last, batches)
    this.#bytes += weigh(batches)
    for (const batch of batches) {
      this.#batches.push(batch)
      this.#fence = advanceFence(this.#fence, batch)
    }
  }

  /** Drops the batches after `index`, which is never below the commit index (P3). */
  truncateAfter(index: number): void {
    if (index >= this.last) return
    invariant(index >= this.#commit, `P3: dropping after ${index}, committed ${this.#commit}`)
    invariant(index >= this.#before.index, 'log: the tail does not reach back so far')
    this.#cuts.push({ at: index, batches: this.#cut(index) })
    this.#durable = Math.min(this.#durable, index)
    this.#fence = this.after(this.#commit).reduce(advanceFence, this.#fenceAtCommit)
  }

  /** Takes out the batches after `index`, the end of one. */
  #cut(index: number): Batch[] {
    const cut = this.#batches.splice(this.#through(index))
    this.#bytes -= weigh(cut)
    invariant(this.last === index, `log: a batch goes on beyond ${index}`)
    return cut
  }

  /** Raises the commit index, at most to `last`. True: it rose. */
  commitThrough(index: number): boolean {
    const from = this.#through(this.#commit)
    const risen = this.#batches.slice(from, this.#through(index))
    if (risen.length === 0) return false
    for (const batch of risen) {
      this.#fenceAtCommit = advanceFence(this.#fenceAtCommit, batch)
      this.#drops.push(...dropsOf(batch))
    }
    this.#commit = lastOf(risen.at(-1)!)
    this.#trim()
    return true
  }

  /** Takes out committed DROPs that are in the file: such a DROP can no longer be taken back. */
  takeDrops(): Drop[] {
    if (this.#drops.length === 0) return []
    const taken = this.#drops.filter(({ index }) => index <= this.#durable)
    this.#drops = this.#drops.slice(taken.length)
    return taken
  }

  /** Erases the bodies of the messages that `drop` names. */
  erase(drop: Drop): void {
    const named = drop.indices?.map((index) => this.#through(index - 1))
    for (const i of new Set(named ?? this.#batches.keys())) {
      const batch = this.#batches[i]
      if (!batch) continue
      const erased = erase(drop, batch)
      this.#bytes -= weighBatch(batch) - weighBatch(erased)
      this.#batches[i] = erased
    }
  }

  /**
   * The file's log ends at this place. If the tail does not hold the place, a write under way will
   * change the file.
   */
  durableThrough({ last: index, chain }: Pick<DurableState, 'last' | 'chain'>): void {
    if (this.has({ index, chain }) === true) this.#durable = index
  }

  /** Every write of the log has reached the file. */
  settled(): void {
    this.#cuts = []
  }

  /**
   * A write failed: the log becomes what the file holds. Batches in memory beyond it never were in
   * this log, even if other replicas have committed them meanwhile. Batches that a failed write
   * would have dropped are still in the log; they were dropped as uncommitted, so the commit index
   * goes back below them.
   */
  resetTo(file: Place): void {
    let committed = Math.min(this.#commit, file.index)
    while (this.has(file) !== true) {
      const cut = this.#cuts.pop()
      invariant(cut !== undefined, `log: cannot go back to what the file holds at ${file.index}`)
      this.#cut(cut.at)
      this.#batches.push(...cut.batches)
      this.#bytes += weigh(cut.batches)
      committed = Math.min(committed, cut.at)
    }
    this.#cut(file.index)
    this.#cuts = []
    this.#durable = file.index
    if (this.#commit > committed) {
      this.#commit = committed
      this.#drops = this.#drops.filter(({ index }) => index <= committed)
      const passed = this.#batches.slice(this.#through(this.#floor.index), this.#through(committed))
      this.#fenceAtCommit = passed.reduce(advanceFence, this.#floor.fence)
    }
    this.#fence = this.after(this.#commit).reduce(advanceFence, this.#fenceAtCommit)
  }

  /** Places to find a common prefix by: the end, ever further back, the commit, the start. */
  probes(): Place[] {
    const places: Place[] = []
    const count = this.#batches.length
    const add = (batch: Batch | undefined): void => {
      if (batch) places.push({ index: lastOf(batch), chain: batch.chain })
    }
    add(this.#batches.at(-1))
    for (let step = 1; step < count && places.length < 50; step *= 2) {
      add(this.#batches[count - 1 - step])
    }
    add(this.endingAt(this.#commit))
    if (this.#before.index > 0 && this.#before.chain.length > 0) places.push(this.#before)
    places.push({ index: 0, chain: CHAIN_ZERO })
    return places.sort((a, b) => b.index - a.index)
  }

  #trim(): void {
    // The file's end may return to batches that an unfinished write drops, so they are kept.
    if (this.#cuts.length > 0) return
    const { entries, bytes } = this.#keep
    // In large steps: cutting the front off an array costs its length.
    if (this.last - this.#before.index < 2 * entries && this.#bytes < 2 * bytes) return
    const final = Math.min(this.#commit, this.#durable)
    let [count, left] = [0, this.#bytes]
    for (const batch of this.#batches) {
      const fits = this.last - lastOf(batch) < entries && left <= bytes
      if (fits || lastOf(batch) >= final) break
      left -= weighBatch(batch)
      count++
    }
    const cut = this.#batches[count - 1]
    if (!cut) return
    this.#bytes = left
    const index = lastOf(cut)
    if (index > this.#floor.index) {
      const passed = this.#batches.slice(this.#through(this.#floor.index), count)
      this.#floor = { index, fence: passed.reduce(advanceFence, this.#floor.fence) }
    }
    this.#before = { index, chain: cut.chain }
    this.#batches = this.#batches.slice(count)
  }
}
