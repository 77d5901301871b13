// G1: the state of a processing replica that loaded a snapshot equals the state that is built from
// entry 1, when it is loaded and at the end; and so does every snapshot on a disk.

import type { Origin } from '../../../protocol/entries/origin.js'
import type { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import { stateDigest } from '../../../protocol/snapshot/digest.js'
import { SnapshotLoader } from '../../../protocol/snapshot/load.js'
import type { LoadedPart } from '../../../protocol/snapshot/record.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { entriesOf } from '../../../protocol/entries/batch.js'
import { sameBytes } from '../../../protocol/bytes.js'
import type { History } from '../history.js'
import type { Host } from '../host.js'
import { Violation, expect } from '../violation.js'
import type { Check } from './check.js'

export class SnapshotCheck implements Check {
  readonly #history: History
  readonly #processing: readonly Host[]
  /** The state that is built from entry 1, as far as it was needed. */
  #built = new Ledger()

  constructor(history: History, processing: readonly Host[]) {
    this.#history = history
    this.#processing = processing
  }

  logged(host: Host, event: string): void {
    if (event === 'snapshot-loaded') this.#compare(host)
  }

  #compare({ name, machine }: Host): void {
    const replica = machine as ProcessingReplica | null
    if (!replica || replica.catchingUp !== null) return
    const index = replica.appliedIndex
    expect(index <= this.#history.committed.index, 'G1', () => `${name} is beyond the log`)
    expect(replica.stateDigest() === this.#digestAt(index), 'G1', () => {
      return `${name} has another state at ${index} than the log builds`
    })
  }

  #digestAt(index: number): string {
    if (index < this.#built.index) this.#built = new Ledger()
    while (this.#built.index < index) {
      const { batch } = this.#endAfter(this.#built.index)
      for (const entry of entriesOf(batch!)) this.#built.apply(entry)
      this.#built.applied(batch!)
    }
    return stateDigest(this.#built)
  }

  /** The end of the batch that the entry after `index` is in. */
  #endAfter(index: number) {
    let at = index + 1
    while (this.#history.ledger[at]!.chain === null) at++
    return this.#history.ledger[at]!
  }

  ended(): void {
    for (const host of this.#processing) {
      this.#compare(host)
      const { content, damaged } = host.snapshot ?? { content: null, damaged: true }
      if (!content || damaged) continue
      const { place, clusterId, historyId, format } = content.head
      const node = this.#history.ledger[place.index]
      // One of another log, which no replica has found yet.
      if (place.index > 0 && !(node?.chain && sameBytes(node.chain, place.chain))) continue
      if ([clusterId, historyId].includes('another') || format === 0) continue
      const records = [...content.records]
        .map(([key, value]) => ({ key, value }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
      const loaded = loadedOf(host.name, content.head, { records, head: content.head })
      expect(stateDigest(loaded) === this.#digestAt(place.index), 'G1', () => {
        return `the snapshot of ${host.name} has another state at ${place.index} than the log builds`
      })
    }
  }
}

/** The state in a snapshot that no fault has damaged. */
function loadedOf(name: string, origin: Origin, part: LoadedPart): Ledger {
  try {
    return new SnapshotLoader(origin).add(part)!
  } catch (error) {
    throw new Violation('G1', `the snapshot of ${name} cannot be loaded: ${String(error)}`)
  }
}
