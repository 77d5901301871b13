// Only deleted messages are erased, and all of them: a file has carried out every deletion up to the one that it marks as
// carried out, and at the end of a run every committed one, however often its process died
// meanwhile.

import { lacks, metasOf } from '../../../protocol/entries/batch.js'
import { decodeDrop, drops, isDrop } from '../../../protocol/entries/drop.js'
import type { Entry } from '../../../protocol/entries/entry.js'
import type { Transaction } from '../../../protocol/machine/storage.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { File } from '../file.js'
import type { History } from '../history.js'
import type { Host } from '../host.js'
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

  /** Indices of the messages that the ledger's DROPs erase. */
  readonly #deleted = new Set<number>()

  constructor(history: History, disks: readonly Disk[]) {
    this.#history = history
    this.#disks = disks
    history.onCommit(({ entry }) => {
      if (!isDrop(entry!.meta)) return
      for (const index of namedBy(entry!, history.ledger)) this.#deleted.add(index)
    })
  }

  /** A replica that pulls a batch has it without the bodies that its source has erased. */
  sent(from: Host, _to: Host, message: Message): void {
    if (message.type !== 'PULLED' && message.type !== 'REPLICATE') return
    for (const batch of message.batches) {
      if (batch.absent.length === 0) continue
      const lacking = metasOf(batch).filter((_, place) => lacks(batch, place))
      const lost = lacking.find(({ index }) => !this.#deleted.has(index))
      expect(lost === undefined, 'erasure', () => {
        return `${from.name} sends ${lost!.index} without its text, which nobody has deleted`
      })
    }
  }

  written(disk: Disk, { erase }: Transaction): void {
    const file = disk.file!
    if (!erase) return
    const from = this.#done.get(file) ?? 0
    this.#done.set(file, file.dropped)
    for (const { entry } of file.log.slice(from + 1, file.dropped + 1)) {
      if (entry && isDrop(entry.meta)) this.#gone(disk.slot, file, entry, file.log)
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
      if (!entry || !isDrop(entry.meta)) continue
      for (const { slot, file } of this.#disks) {
        // A file whose damage was found late is still catching up.
        if (file && file.commit >= committed.index) this.#gone(slot, file, entry, ledger)
      }
    }
  }
}
