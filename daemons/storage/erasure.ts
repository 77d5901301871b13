// The erasure that DROP entries ask for: batches lose the bodies of the named messages. Heads keep
// the hashes, so the chain still verifies. Mailbox pages do not show erased messages.

import type { Connection, Value } from './connection.js'
import { BATCH_COLUMNS, batchOf, type BatchRow } from './schema.js'
import { lastOf, metasOf } from '../../protocol/entries/batch.js'
import { drops, erase, type NamedDrop } from '../../protocol/entries/drop.js'

export type Step = readonly [sql: string, ...parameters: Value[]]

interface Erasure {
  readonly steps: readonly Step[]
  /** Indices of the messages that lose their bodies. */
  readonly indices: readonly number[]
}

/** The batches that hold these entries: ?1 is their indices, as JSON. */
export const HOLDING = `last IN
  (SELECT (SELECT min(last) FROM batches WHERE last >= value) FROM json_each(?1))`

const FIND = `SELECT ${BATCH_COLUMNS} FROM batches WHERE ${HOLDING}`
const ERASE = 'UPDATE batches SET absent = ?2, bodies = ?3 WHERE last = ?1'
const FORGET = 'DELETE FROM mail WHERE mailbox = ?1 AND idx IN (SELECT value FROM json_each(?2))'

export async function erasureOf(
  connection: Connection,
  erased: readonly NamedDrop[],
): Promise<Erasure> {
  const named = erased.flatMap(({ indices }) => indices)
  const rows = await connection.all<BatchRow>(FIND, JSON.stringify(named))
  const before = rows.map(batchOf)
  const after = before.map((batch) => erased.reduce((left, drop) => erase(drop, left), batch))
  const changed = after.filter((batch, i) => batch !== before[i])
  const steps: Step[] = changed.map((batch) => [ERASE, lastOf(batch), batch.absent, batch.bodies])
  const indices: number[] = []
  for (const drop of erased) {
    const gone = changed.flatMap(metasOf).filter((entry) => drops(drop, entry))
    if (gone.length === 0) continue
    indices.push(...gone.map(({ index }) => index))
    steps.push([FORGET, drop.mailbox, JSON.stringify(gone.map(({ index }) => index))])
  }
  return { steps, indices }
}
