// The records that changed since the last save, and those of the save under way. A save is of one
// place: a record that changes again while its save is under way is encoded just before, so the log
// can be applied meanwhile, and no step encodes more than a part of a save.

import type { Touch } from '../state/record-key.js'
import type { StateRecord } from './record.js'

export class Changes {
  readonly #encode: (key: string) => StateRecord
  #changed = new Set<string>()
  /** Of the save under way: not encoded yet, encoded and not taken yet, taken. */
  #pending = new Set<string>()
  #early: StateRecord[] = []
  #taken: string[] = []

  constructor(encode: (key: string) => StateRecord) {
    this.#encode = encode
  }

  /** Records that the next save will have. */
  get size(): number {
    return this.#changed.size
  }

  readonly touch: Touch = (key) => {
    if (this.#pending.delete(key)) this.#early.push(this.#encode(key))
    this.#changed.add(key)
  }

  /** Begins a save of all that has changed, or of the records with `keys`. */
  begin(keys?: Iterable<string>): void {
    this.#pending = keys ? new Set(keys) : this.#changed
    this.#changed = new Set()
  }

  /** Records of the save under way, up to both bounds; fewer than `most`: there are no more. */
  take(
    most: number,
    mostBytes: number,
  ): { readonly records: StateRecord[]; readonly last: boolean } {
    const records: StateRecord[] = []
    let bytes = 0
    const full = (): boolean => records.length >= most || bytes >= mostBytes
    const add = (record: StateRecord): void => {
      records.push(record)
      this.#taken.push(record.key)
      bytes += record.value?.length ?? 0
    }
    while (!full() && this.#early.length > 0) add(this.#early.pop()!)
    for (const key of this.#pending) {
      if (full()) break
      this.#pending.delete(key)
      add(this.#encode(key))
    }
    return { records, last: this.#early.length + this.#pending.size === 0 }
  }

  saved(): void {
    this.#taken = []
  }

  /** The save under way has come to nothing. */
  restore(): void {
    const early = this.#early.map(({ key }) => key)
    for (const key of [...this.#taken, ...this.#pending, ...early]) this.#changed.add(key)
    this.#pending.clear()
    this.#early = []
    this.#taken = []
  }

  /** The state begins anew. */
  clear(): void {
    this.restore()
    this.#changed.clear()
  }
}
