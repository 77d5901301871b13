// Deleted messages are erased: a file has carried out every deletion up to the one that it marks as
// carried out, and at the end of a run every committed one, however often its process died
// meanwhile.

import { decodeDrop, drops, isDrop } from '../../../protocol/entries/drop.js'
import type { Entry } from '../../../protocol/entries/entry.js'
import type { WriteBatch } from '../../../protocol/machine/storage.js'
import type { Disk } from '../disk.js'
import type { File } from '../file.js'
import type { History } from '../history.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

/** Indices of the entries that a DROP erases. */
function namedBy(entry: Entry, log: readonly { readonly entry: Entry | null }[]): number[] {
  const drop = decodeDrop(entry)
  return (drop.indices ?? [...log.keys()]).filter((index) => {
    const of = log[index]?.entry
    return of && drops(drop, of)
  })
}

export class ErasureCheck implements Check {
  readonly #history: History
  readonly #disks: readonly Disk[]
  /** Index of the DROP through which each file has been checked. */
  readonly #done = new WeakMap<File, number>()

  constructor(history: History, disks: readonly Disk[]) {
    this.#history = history
    this.#disks = disks
  }

  written(disk: Disk, { erase }: WriteBatch): void {
    const file = disk.file!
    if (!erase) return
    const from = this.#done.get(file) ?? 0
    this.#done.set(file, file.dropped)
    for (const { entry } of file.log.slice(from + 1, file.dropped + 1)) {
      if (entry && isDrop(entry)) this.#gone(disk.slot, file, entry, file.log)
    }
  }

  #gone(slot: number, file: File, drop: Entry, log: Parameters<typeof namedBy>[1]): void {
    const kept = namedBy(drop, log).find((index) => !file.erased.has(index))
    expect(kept === undefined, 'erasure', () => {
      return `s${slot} still holds the text of ${kept}, which ${drop.index} erases`
    })
  }

  ended(): void {
    const { ledger, committed } = this.#history
    for (const { entry } of ledger) {
      if (!entry || !isDrop(entry)) continue
      for (const { slot, file } of this.#disks) {
        // A file whose damage was found late is still catching up.
        if (file && file.commit >= committed.index) this.#gone(slot, file, entry, ledger)
      }
    }
  }
}
