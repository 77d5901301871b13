// Saves the committed state of a processing replica as a snapshot: the records that changed since
// the last save, every few thousand entries or some seconds. A snapshot is a cache of the log: a
// save that fails costs time at the next start, and nothing else.

import type { SnapshotBounds } from '../machine/config.js'
import type { SaveOutcome } from '../machine/machine.js'
import { headOf, recordOf, type SnapshotHead } from '../snapshot/record.js'
import { Changes } from '../snapshot/changes.js'
import type { Executor } from '../state/executor.js'
import type { ProcessingContext } from './context.js'

export class Snapshots {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #bounds: SnapshotBounds
  readonly #changes: Changes
  /** The head of the save under way; null: none is. */
  #underWay: SnapshotHead | null = null
  /** The next save removes the records of before, and has all records of the state. */
  #whole = false
  /** Index of the last save, and when a save is due at the latest, monotonic ms. */
  #savedIndex = 0
  #dueAt = 0
  #retryAt = 0
  /** Called after the last save. */
  #then: (() => void) | null = null
  #lastSave = false
  saves = 0

  constructor(context: ProcessingContext, executor: Executor, bounds: SnapshotBounds) {
    this.#context = context
    this.#executor = executor
    this.#bounds = bounds
    this.#changes = new Changes((key) => recordOf(executor.base, key))
  }

  /** Records that the next save will have. */
  get changes(): number {
    return this.#changes.size
  }

  /** Index of the last save that is in the file; 0: none. */
  get savedIndex(): number {
    return this.#savedIndex
  }

  /** The state is empty, or the one of the file. */
  started(): void {
    this.#savedIndex = this.#executor.base.index
    this.#follow()
  }

  /** The state begins anew, from entry 1: what is in the file may be wrong, and is removed. */
  reset(): void {
    this.#changes.clear()
    this.#follow()
    this.#whole = true
    this.#savedIndex = 0
    if (!this.#underWay) this.#begin()
  }

  #follow(): void {
    this.#executor.base.touch = this.#changes.touch
    this.#dueAt = this.#context.now.monotonic + this.#bounds.intervalMs
  }

  /** Called at the end of each step. */
  maintain(): void {
    const { monotonic } = this.#context.now
    const entries = this.#executor.base.index - this.#savedIndex
    if (this.#changes.size > this.#bounds.changes) this.#saveWhole()
    if (this.#underWay || monotonic < this.#retryAt) return
    const due = entries >= this.#bounds.entries || (entries > 0 && monotonic >= this.#dueAt)
    if (due || this.#whole) this.#begin()
  }

  /** No save has been possible for long: the next one has the whole state in place of its changes. */
  #saveWhole(): void {
    this.#changes.clear()
    this.#whole = true
  }

  /** Runs `then` once all that is committed here is saved, or cannot be saved. */
  finish(then: () => void): void {
    this.#then = then
    if (!this.#underWay) this.#finish()
  }

  #finish(): void {
    const may = !this.#lastSave && this.#context.now.monotonic >= this.#retryAt
    this.#lastSave = true
    if (may && this.#executor.base.index !== this.#savedIndex) return this.#begin()
    const then = this.#then
    this.#then = null
    then?.()
  }

  #begin(): void {
    const { base } = this.#executor
    this.#underWay = headOf(base, this.#context)
    this.#changes.begin(this.#whole ? base.recordKeys() : undefined)
    this.#part(this.#whole)
    this.#whole = false
  }

  #part(clear: boolean): void {
    const { records: most, bytes } = this.#bounds
    const { records, last } = this.#changes.take(most, bytes)
    this.#context.outbox.save({ clear, records, head: last ? this.#underWay : null }, (outcome) =>
      this.#saved(outcome, last),
    )
  }

  #saved(outcome: SaveOutcome, last: boolean): void {
    // The state began anew meanwhile: this save counts for nothing.
    if (this.#whole) {
      this.#underWay = null
      return this.#begin()
    }
    if (outcome === 'written' && !last) return this.#part(false)
    const head = this.#underWay!
    this.#underWay = null
    if (outcome === 'written') {
      this.#changes.saved()
      this.#savedIndex = head.place.index
      this.#dueAt = this.#context.now.monotonic + this.#bounds.intervalMs
      this.saves++
    } else this.#failed(outcome)
    if (this.#then) this.#finish()
  }

  #failed(outcome: 'full' | 'lost'): void {
    this.#changes.restore()
    this.#whole = outcome === 'lost'
    if (this.#whole) this.#savedIndex = 0
    this.#retryAt = this.#context.now.monotonic + this.#bounds.retryMs
    this.#context.outbox.log('warn', 'snapshot-not-saved', { reason: outcome })
  }
}
