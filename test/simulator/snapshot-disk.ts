// The file of a processing replica's snapshot on virtual time. A save is one transaction of several
// parts, done wholly or not at all. The file may be lost, damaged, an earlier version of itself, or
// one of another log.

import type { SaveOutcome, UnsoundSnapshot } from '../../protocol/machine/machine.js'
import type { LoadedPart, SnapshotHead, SnapshotPart } from '../../protocol/snapshot/record.js'
import type { Random } from './random.js'
import type { Timeline } from './timeline.js'

export interface SnapshotContent {
  readonly records: ReadonlyMap<string, Uint8Array>
  readonly head: SnapshotHead
}

/** Records of one part that is loaded. */
const PART_RECORDS = 8

export class SnapshotDisk {
  readonly #timeline: Timeline
  readonly #random: Random
  content: SnapshotContent | null = null
  /** Reads find damage. */
  damaged = false
  full = false
  /** The next part of a save finds that the file cannot be written. */
  fails = false
  slow = 1
  /** The records with the transaction under way; null: none is. */
  #open: Map<string, Uint8Array> | null = null
  /** The part under way. */
  #writing: SnapshotPart | null = null
  #boot = 0

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline
    this.#random = random
  }

  heal(): void {
    this.full = false
    this.fails = false
    this.slow = 1
  }

  save(part: SnapshotPart, done: (outcome: SaveOutcome) => void): void {
    const boot = this.#boot
    this.#writing = part
    const latency = (0.2 + this.#random.exponential(this.#random.chance(0.1) ? 50 : 2)) * this.slow
    this.#timeline.after(latency, () => {
      if (boot !== this.#boot) return
      this.#writing = null
      done(this.#apply(part))
    })
  }

  #apply({ clear, records, head }: SnapshotPart): SaveOutcome {
    if (this.full || this.fails) {
      this.#open = null
      if (!this.fails) return 'full'
      this.fails = false
      this.content = null
      return 'lost'
    }
    this.#open ??= new Map(this.content?.records)
    if (clear) this.#open.clear()
    for (const { key, value } of records) {
      if (value) this.#open.set(key, value)
      else this.#open.delete(key)
    }
    if (!head) return 'written'
    this.content = { records: this.#open, head }
    this.damaged = false
    this.#open = null
    return 'written'
  }

  load(after: string | null, done: (part: LoadedPart | UnsoundSnapshot) => void): void {
    const boot = this.#boot
    this.#timeline.after(this.#random.exponential(1) * this.slow, () => {
      if (boot === this.#boot) done(this.#part(after))
    })
  }

  #part(after: string | null): LoadedPart | UnsoundSnapshot {
    if (this.damaged || !this.content) return { unsound: 'damaged' }
    const { records, head } = this.content
    const keys = [...records.keys()].filter((key) => after === null || key > after).sort()
    const part = keys.slice(0, PART_RECORDS).map((key) => ({ key, value: records.get(key)! }))
    return { records: part, head: keys.length > PART_RECORDS ? null : head }
  }

  /** The process died: the last part under way may still have ended the transaction. */
  crash(): void {
    this.#boot++
    if (this.#writing?.head && this.#random.chance(0.5)) this.#apply(this.#writing)
    this.#writing = null
    this.#open = null
  }
}
