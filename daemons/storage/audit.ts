// Verifies a whole file from entry 1: recomputes the chain of every entry from its content. A
// replica may write to the file meanwhile. Files of one cluster are then compared by the chain at
// the highest index that all of them hold as committed.

import { Connection } from './connection.js'
import { readState } from './durable-state.js'
import { openReader } from './files.js'
import { chainFault, layoutOf, unsoundIfDamaged } from './recover.js'
import { batchesAfter, chainAt } from './segments.js'
import { CHAIN_ZERO, lacks, lastOf, metasOf, type Batch } from '../../protocol/entries/batch.js'
import { dropsOf, names } from '../../protocol/entries/drop.js'
import type { Genesis } from '../../protocol/machine/storage.js'
import type { Place } from '../../protocol/entries/place.js'

export interface FileAudit {
  readonly path: string
  readonly genesis: Genesis | null
  readonly last: number
  readonly commit: number
  /** Chain at `commit`. */
  readonly chain: Uint8Array
  /** First fault of the file; null: no fault. */
  readonly fault: string | null
}

/** Batches read at a time. */
const STEP = 200

async function ends(connection: Connection): Promise<{ last: number; commit: number }> {
  const [row] = await connection.all<{ last: number; commit: number }>(
    'SELECT last, commit_seen AS "commit" FROM batches ORDER BY last DESC LIMIT 1',
  )
  const state = await readState(connection)
  return { last: row?.last ?? 0, commit: Math.max(state.commit, row?.commit ?? 0) }
}

/** Audits one file. Throws StoreUnsound if the file cannot be read. */
export async function auditFile(
  path: string,
  onProgress: (verified: number, of: number) => void = () => {},
): Promise<FileAudit> {
  return unsoundIfDamaged(path, async () => {
    const connection = await openReader(path)
    try {
      await layoutOf(path, connection)
      const { genesis = null } = await readState(connection)
      const { last, commit } = await ends(connection)
      let place: Place = { index: 0, chain: CHAIN_ZERO }
      let atCommit = CHAIN_ZERO
      const unexplained = new Unexplained()
      const streams = new Streams()
      while (place.index < last) {
        const batches = (await batchesAfter(connection, place.index, STEP)).filter(
          (batch) => lastOf(batch) <= last,
        )
        const fault =
          chainFault(place, batches) ??
          (batches.length === 0 ? missing(place) : null) ??
          streams.fault(batches)
        if (fault) return { path, genesis, last, commit, chain: atCommit, fault }
        unexplained.see(batches)
        atCommit = batches.find((batch) => lastOf(batch) === commit)?.chain ?? atCommit
        const end = batches.at(-1)!
        place = { index: lastOf(end), chain: end.chain }
        onProgress(place.index, last)
      }
      return { path, genesis, last, commit, chain: atCommit, fault: unexplained.fault }
    } finally {
      await connection.close()
    }
  })
}

/** C3: the seqs of a stream are 1, 2, ... along the log, each once. */
class Streams {
  readonly #last = new Map<string, number>()

  fault(batches: readonly Batch[]): string | null {
    for (const { index, meta } of batches.flatMap(metasOf)) {
      const { stream, seq } = meta
      if (seq === 0) continue
      const id = Buffer.from(stream).toString('hex')
      const expected = (this.#last.get(id) ?? 0) + 1
      if (seq !== expected) return `entry ${index} is send ${seq} of its stream, not ${expected}`
      this.#last.set(id, seq)
    }
    return null
  }
}

/** Erased bodies that neither a DROP entry nor the end of their account explains. */
class Unexplained {
  readonly #mailboxes = new Map<number, string>()

  see(batches: readonly Batch[]): void {
    for (const batch of batches) {
      for (const [place, { index, meta }] of metasOf(batch).entries())
        if (lacks(batch, place)) this.#mailboxes.set(index, meta.mailbox)
      for (const drop of dropsOf(batch)) {
        for (const index of drop.indices ?? [...this.#mailboxes.keys()]) {
          const explained = this.#mailboxes.get(index) === drop.mailbox && names(drop, index)
          if (explained) this.#mailboxes.delete(index)
        }
      }
    }
  }

  get fault(): string | null {
    const [index] = this.#mailboxes.keys()
    return index === undefined ? null : `the body of entry ${index} is erased without a deletion`
  }
}

function missing(place: Place): string {
  return `entry ${place.index + 1} is missing`
}

/** The chain that a file holds at an index; null where it holds none. */
export async function chainOfFile(path: string, index: number): Promise<Uint8Array | null> {
  const connection = await openReader(path)
  try {
    return await chainAt(connection, index)
  } finally {
    await connection.close()
  }
}
