// The end of the log in memory: all uncommitted entries and some committed ones before them. `last`
// has been queued for the file, `durable` is on disk, `commit` is durable on a majority of all
// slots. Committed entries never change (P3).

import { advanceFence, NO_FENCE, type Fence } from '../entries/fence.js'
import { invariant } from '../assert.js'
import { drops, isDrop, type Drop } from '../entries/drop.js'
import { CHAIN_ZERO, erased, type Entry } from '../entries/entry.js'
import { sameBytes } from '../bytes.js'
import { TAIL_ENTRIES, type DurableState } from '../machine/storage.js'
import type { Place } from '../entries/place.js'

/** The part of the tail that other parts may read. */
export type LogView = Pick<
  LogTail,
  'last' | 'commit' | 'durable' | 'first' | 'committedFence' | 'placeAt'
>

export class LogTail {
  /** Entries from #first on, without gaps. */
  #entries: Entry[] = []
  /** The place before #entries[0]. */
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
  /** Entries after index `at` that an unfinished write drops, in order of the writes. */
  #cuts: { readonly at: number; readonly entries: readonly Entry[] }[] = []

  /** Committed DROPs that have not been taken yet, in log order. */
  #drops: Entry[] = []

  /** Entries kept in memory at least, if the log has so many. */
  readonly #keep: number

  constructor(
    tail: readonly Entry[],
    last: Place,
    commit: number,
    fenceAtCommit: Fence,
    keep = TAIL_ENTRIES,
  ) {
    this.#keep = keep
    this.#entries = [...tail]
    const first = tail[0]
    // Where the tail does not reach back to entry 1, the place before it is known by its number
    // only.
    this.#before =
      first === undefined
        ? last
        : { index: first.index - 1, chain: first.index === 1 ? CHAIN_ZERO : new Uint8Array(0) }
    this.#commit = commit
    this.#durable = last.index
    this.#fenceAtCommit = fenceAtCommit
    this.#fence = fenceAtCommit
    this.#floor = { index: commit, fence: fenceAtCommit }
    for (const entry of this.after(commit)) this.#fence = advanceFence(this.#fence, entry)
  }

  static empty(keep = TAIL_ENTRIES): LogTail {
    return new LogTail([], { index: 0, chain: CHAIN_ZERO }, 0, NO_FENCE, keep)
  }

  get last(): number {
    return this.#before.index + this.#entries.length
  }

  get chain(): Uint8Array {
    return this.#entries.at(-1)?.chain ?? this.#before.chain
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

  at(index: number): Entry | undefined {
    return this.#entries[index - this.#before.index - 1]
  }

  placeAt(index: number): Place | undefined {
    if (index === 0) return { index: 0, chain: CHAIN_ZERO }
    const entry = this.at(index)
    return entry && { index, chain: entry.chain }
  }

  /** Entries in memory after `index`, at most `limit`. */
  after(index: number, limit = Infinity): Entry[] {
    const start = Math.max(0, index - this.#before.index)
    return this.#entries.slice(start, limit === Infinity ? undefined : start + limit)
  }

  /** Whether `place` is in the log; undefined: it lies before the entries in memory. */
  has(place: Place): boolean | undefined {
    if (place.index === 0) return true
    if (place.index > this.last) return false
    const entry = this.at(place.index)
    if (entry) return sameBytes(entry.chain, place.chain)
    if (place.index === this.#before.index && this.#before.chain.length > 0) {
      return sameBytes(this.#before.chain, place.chain)
    }
    return undefined
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      invariant(entry.index === this.last + 1, `log: ${entry.index} after ${this.last}`)
      this.#entries.push(entry)
      this.#fence = advanceFence(this.#fence, entry)
    }
  }

  /** Drops the entries after `index`, which is never below the commit index (P3). */
  truncateAfter(index: number): void {
    if (index >= this.last) return
    invariant(index >= this.#commit, `P3: dropping after ${index}, committed ${this.#commit}`)
    invariant(index >= this.#before.index, 'log: the tail does not reach back so far')
    this.#cuts.push({ at: index, entries: this.after(index) })
    this.#entries.length = index - this.#before.index
    this.#durable = Math.min(this.#durable, index)
    this.#fence = this.#fenceAtCommit
    for (const entry of this.after(this.#commit)) this.#fence = advanceFence(this.#fence, entry)
  }

  /** Raises the commit index, at most to `last`. True: it rose. */
  commitThrough(index: number): boolean {
    const through = Math.min(index, this.last)
    if (through <= this.#commit) return false
    for (let i = this.#commit + 1; i <= through; i++) {
      const entry = this.at(i)!
      this.#fenceAtCommit = advanceFence(this.#fenceAtCommit, entry)
      if (isDrop(entry)) this.#drops.push(entry)
    }
    this.#commit = through
    this.#trim()
    return true
  }

  /** Takes out committed DROPs that are in the file: such a DROP can no longer be taken back. */
  takeDrops(): Entry[] {
    if (this.#drops.length === 0) return []
    const taken = this.#drops.filter(({ index }) => index <= this.#durable)
    this.#drops = this.#drops.slice(taken.length)
    return taken
  }

  /** Erases the bodies of the entries that `drop` names. */
  erase(drop: Drop): void {
    const entries = drop.indices ? drop.indices.map((index) => this.at(index)) : this.after(0)
    for (const entry of entries) {
      if (!entry || !drops(drop, entry)) continue
      this.#entries[entry.index - this.#before.index - 1] = erased(entry)
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
   * A write failed: the log becomes what the file holds. Entries in memory beyond it never were in
   * this log, even if other replicas have committed them meanwhile. Entries that a failed write
   * would have dropped are still in the log; they were dropped as uncommitted, so the commit index
   * goes back below them.
   */
  resetTo(file: Place): void {
    let committed = Math.min(this.#commit, file.index)
    while (this.has(file) !== true) {
      const cut = this.#cuts.pop()
      invariant(cut !== undefined, `log: cannot go back to what the file holds at ${file.index}`)
      this.#entries.length = cut.at - this.#before.index
      this.#entries.push(...cut.entries)
      committed = Math.min(committed, cut.at)
    }
    this.#entries.length = file.index - this.#before.index
    this.#cuts = []
    this.#durable = file.index
    if (this.#commit > committed) {
      this.#commit = committed
      this.#drops = this.#drops.filter(({ index }) => index <= committed)
      const passed = this.after(this.#floor.index, committed - this.#floor.index)
      this.#fenceAtCommit = passed.reduce(advanceFence, this.#floor.fence)
    }
    this.#fence = this.after(this.#commit).reduce(advanceFence, this.#fenceAtCommit)
  }

  /** Places to find a common prefix by: the end, ever further back, the commit, the start. */
  probes(): Place[] {
    const places: Place[] = []
    const add = (index: number): void => {
      const entry = this.at(index)
      if (entry) places.push({ index, chain: entry.chain })
    }
    add(this.last)
    for (let step = 1; this.last - step >= this.first && places.length < 50; step *= 2) {
      add(this.last - step)
    }
    add(this.#commit)
    if (this.#before.index > 0 && this.#before.chain.length > 0) places.push(this.#before)
    places.push({ index: 0, chain: CHAIN_ZERO })
    return places.sort((a, b) => b.index - a.index)
  }

  #trim(): void {
    // The file's end may return to entries that an unfinished write drops, so they are kept.
    if (this.#cuts.length > 0) return
    const final = Math.min(this.#commit, this.#durable)
    const excess = Math.min(this.#entries.length - this.#keep, final - this.#before.index - 1)
    // In large steps: cutting the front off an array costs its length.
    if (excess < this.#keep) return
    const cut = this.#entries[excess - 1]!
    if (cut.index > this.#floor.index) {
      const passed = this.after(this.#floor.index, cut.index - this.#floor.index)
      this.#floor = { index: cut.index, fence: passed.reduce(advanceFence, this.#floor.fence) }
    }
    this.#before = { index: cut.index, chain: cut.chain }
    this.#entries = this.#entries.slice(excess)
  }
}
