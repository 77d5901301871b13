// The erasure that DROP entries ask for: batches lose the bodies of the named messages. Heads keep
// the hashes, so the chain still verifies. Mailbox pages do not show erased messages.

import type { Connection, Value } from './connection.js'
import { BATCH_COLUMNS, batchOf, type BatchRow } from './schema.js'
import { SEGMENTS_HOLDING, batchesOf, packBatches, segmentsWhere } from './segments.js'
import { lastOf, metasOf, type Batch } from '../../protocol/entries/batch.js'
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
const REPACK = 'UPDATE segments SET first = ?2, packed = ?3 WHERE last = ?1'
const MERGED = 'DELETE FROM segments WHERE last = ?'
const FORGET = 'DELETE FROM mail WHERE mailbox = ?1 AND idx IN (SELECT value FROM json_each(?2))'

/** Neighbours that are smaller together become one segment: what erasure leaves needs few pages. */
const MERGED_BYTES = 16 * 1024

/** Batches that lose bodies, and the steps that write them so. */
interface Changes {
  readonly steps: Step[]
  readonly changed: Batch[]
}

export async function erasureOf(
  connection: Connection,
  erased: readonly NamedDrop[],
): Promise<Erasure> {
  const named = JSON.stringify(erased.flatMap(({ indices }) => indices))
  const without = (batch: Batch): Batch => erased.reduce((left, drop) => erase(drop, left), batch)
  const loose = await inRows(connection, named, without)
  const packed = await inSegments(connection, named, without)
  const changed = [...loose.changed, ...packed.changed].flatMap(metasOf)
  const steps = [...loose.steps, ...packed.steps]
  const indices: number[] = []
  for (const drop of erased) {
    const gone = changed.filter((entry) => drops(drop, entry))
    if (gone.length === 0) continue
    indices.push(...gone.map(({ index }) => index))
    steps.push([FORGET, drop.mailbox, JSON.stringify(gone.map(({ index }) => index))])
  }
  return { steps, indices }
}

async function inRows(
  connection: Connection,
  named: string,
  without: (batch: Batch) => Batch,
): Promise<Changes> {
  const before = (await connection.all<BatchRow>(FIND, named)).map(batchOf)
  const changed = before.flatMap((batch) => {
    const left = without(batch)
    return left === batch ? [] : left
  })
  const steps = changed.map((batch): Step => [ERASE, lastOf(batch), batch.absent, batch.bodies])
  return { steps, changed }
}

async function inSegments(
  connection: Connection,
  named: string,
  without: (batch: Batch) => Batch,
): Promise<Changes> {
  const rows = await segmentsWhere(connection, `${SEGMENTS_HOLDING} ORDER BY last`, named)
  const steps: Step[] = []
  const changed: Batch[] = []
  /** The segment before, as it is to be written. */
  let previous: Pack | null = null
  for (const row of rows) {
    const before = await batchesOf(row)
    const after = before.map(without)
    const fresh = after.filter((batch, i) => batch !== before[i])
    if (fresh.length === 0) continue
    changed.push(...fresh)
    const pack: Pack = { first: row.first, last: row.last, batches: after }
    const known = previous?.last === row.first - 1 ? previous : null
    previous = await written(connection, pack, known, steps)
  }
  return { steps, changed }
}

interface Pack {
  readonly first: number
  readonly last: number
  readonly batches: readonly Batch[]
}

/** Adds the steps that write the segment, merged with the one before if both are small. */
async function written(
  connection: Connection,
  pack: Pack,
  known: Pack | null,
  steps: Step[],
): Promise<Pack> {
  const packed = await packBatches(pack.batches)
  const before = known ?? (await neighbour(connection, pack.first - 1))
  if (before && packed.length < MERGED_BYTES) {
    const merged = { ...pack, first: before.first, batches: [...before.batches, ...pack.batches] }
    const both = await packBatches(merged.batches)
    if (both.length < MERGED_BYTES) {
      steps.push([MERGED, before.last], [REPACK, pack.last, merged.first, both])
      return merged
    }
  }
  steps.push([REPACK, pack.last, pack.first, packed])
  return pack
}

/** The segment that ends at `last`, if it is small. */
async function neighbour(connection: Connection, last: number): Promise<Pack | null> {
  const [row] = await segmentsWhere(
    connection,
    `last = ? AND length(packed) < ${MERGED_BYTES}`,
    last,
  )
  return row ? { first: row.first, last, batches: await batchesOf(row) } : null
}
