// What was deleted is gone: once all is well every file has carried out every committed deletion, however
// often its process died meanwhile.

import { decodeDrop, drops, isDrop } from '../../../protocol/log/drop.js'
import type { Disk } from '../disk.js'
import type { History } from '../history.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

export class ErasureCheck implements Check {
  readonly #history: History
  readonly #disks: readonly Disk[]

  constructor(history: History, disks: readonly Disk[]) {
    this.#history = history
    this.#disks = disks
  }

  ended(): void {
    const { ledger } = this.#history
    for (const { entry } of ledger) {
      if (!entry || !isDrop(entry)) continue
      const drop = decodeDrop(entry)
      const named = (drop.indices ?? [...ledger.keys()]).filter((index) => {
        const of = ledger[index]?.entry
        return of && drops(drop, of)
      })
      for (const { slot, file } of this.#disks) {
        // Damage that was found late: it is still catching up.
        if (!file || file.commit < this.#history.committed.index) continue
        const kept = named.find((index) => !file.erased.has(index))
        expect(kept === undefined, 'erasure', () => {
          return `s${slot} still holds the text of ${kept}, which ${drop.index} erases`
        })
      }
    }
  }
}
