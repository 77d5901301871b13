// Segments: old batches that share one row. A batch of one message wastes a quarter of its page, and
// repeats the wrapped key of the messages around it. A segment packs batches end to end and
// compresses them, so that what repeats costs nothing and an erased message leaves its header alone.
// Invariant: segments hold the log from entry 1 through some index without gaps, the table `batches`
// all after it. Chains within a segment are not stored: they follow from the content.

import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import { Packr, Unpackr } from 'msgpackr'
import type { Connection, Value } from './connection.js'
import { BATCH_COLUMNS, batchOf, type BatchRow } from './schema.js'
import type { Place } from '../../protocol/entries/place.js'
import { sameBytes } from '../../protocol/bytes.js'
import { CHAIN_ZERO, chainOf, countOf, lastOf, type Batch } from '../../protocol/entries/batch.js'

const compress = promisify(deflateRaw)
const expand = promisify(inflateRaw)
const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** More would be of no segment: a guard against a damaged one. */
const MOST_BYTES = 16 * 1024 * 1024

interface SegmentRow {
  readonly last: number
  readonly first: number
  readonly chain: Uint8Array
  readonly packed: Uint8Array
  /** The chain at the end of the segment before; null: there is none. */
  readonly before: Uint8Array | null
}

const SEGMENT = `SELECT last, first, chain, packed, (SELECT chain FROM segments AS previous
  WHERE previous.last = segments.first - 1) AS before FROM segments`

/** The segments that hold these entries: ?1 is their indices, as JSON. */
export const SEGMENTS_HOLDING = `last IN
  (SELECT (SELECT min(last) FROM segments WHERE last >= value) FROM json_each(?1))`

type Packed = [
  ...numbers: [counter: number, slot: number, term: number, k: number, lamport: number],
  ...rest: [time: number, head: Uint8Array, absent: Uint8Array, bodies: Uint8Array],
]

export function packBatches(batches: readonly Batch[]): Promise<Uint8Array> {
  const rows = batches.map(({ epoch, term, k, lamport, time, head, absent, bodies }): Packed => {
    return [epoch.counter, epoch.slot, term, k, lamport, time, head, absent, bodies]
  })
  return compress(packr.pack(rows), { level: constants.Z_BEST_SPEED, memLevel: 9 })
}

/** The batches of a segment. Throws RangeError if they do not end in its chain. */
export async function batchesOf(row: SegmentRow): Promise<Batch[]> {
  const { first, last, before, chain: end } = row
  const where = `the segment of the entries ${first} to ${last}`
  const batches: Batch[] = []
  let [next, previous] = [first, before ?? CHAIN_ZERO]
  for (const packed of await unpacked(row, where)) {
    const [counter, slot, term, k, lamport, time, head, absent, bodies] = packed
    const place = { first: next, epoch: { counter, slot }, term, k, lamport, time }
    const chain = chainOf(previous, { ...place, head, bodies })
    batches.push({ ...place, head, absent, bodies, chain })
    next += countOf({ head })
    previous = chain
  }
  if (next !== last + 1 || !sameBytes(previous, end))
    throw new RangeError(`the chain does not hold in ${where}`)
  return batches
}

async function unpacked({ packed }: SegmentRow, where: string): Promise<Packed[]> {
  try {
    return unpackr.unpack(await expand(packed, { maxOutputLength: MOST_BYTES })) as Packed[]
  } catch (error) {
    throw new RangeError(`${where} cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Index of the last entry that is in a segment; 0: there is none. */
export async function packedThrough(connection: Connection): Promise<number> {
  const [row] = await connection.all<{ last: number | null }>(
    'SELECT max(last) AS last FROM segments',
  )
  return row?.last ?? 0
}

export async function segmentsWhere(
  connection: Connection,
  where: string,
  ...values: Value[]
): Promise<SegmentRow[]> {
  return connection.all<SegmentRow & object>(`${SEGMENT} WHERE ${where}`, ...values)
}

/**
 * Batches after the batch that ends at `after`, in order: the rest of a segment, or up to `limit`
 * rows. Rows move into segments meanwhile, never back: hence the rows are looked for first.
 */
export async function batchesAfter(
  connection: Connection,
  after: number,
  limit: number,
): Promise<Batch[]> {
  if (await isLoose(connection, after)) {
    const sql = `SELECT ${BATCH_COLUMNS} FROM batches WHERE last > ? ORDER BY last LIMIT ?`
    const rows = (await connection.all<BatchRow>(sql, after, limit)).map(batchOf)
    if (rows[0] && rows[0].first <= after + 1) return rows
  }
  return packedAfter(connection, after)
}

/** Whether the batch after this one has a row of its own. */
export async function isLoose(connection: Connection, after: number): Promise<boolean> {
  const sql = 'SELECT first FROM batches WHERE last > ? ORDER BY last LIMIT 1'
  const [next] = await connection.all<{ first: number }>(sql, after)
  return next !== undefined && next.first <= after + 1
}

/** The rest of the segment that holds the entry after `after`; empty: no segment does. */
export async function packedAfter(connection: Connection, after: number): Promise<Batch[]> {
  const [row] = await segmentsWhere(connection, 'last > ? ORDER BY last LIMIT 1', after)
  if (!row) return []
  return (await batchesOf(row)).filter((batch) => lastOf(batch) > after)
}

/** The chain at the end of a batch; null: no batch ends there. */
export async function chainAt(connection: Connection, index: number): Promise<Uint8Array | null> {
  if (index === 0) return CHAIN_ZERO
  const sql = 'SELECT chain FROM batches WHERE last = ?'
  const [row] = await connection.all<{ chain: Uint8Array }>(sql, index)
  if (row) return row.chain
  const [segment] = await segmentsWhere(connection, 'last >= ? ORDER BY last LIMIT 1', index)
  if (!segment) return null
  if (segment.last === index) return segment.chain
  return (await batchesOf(segment)).find((batch) => lastOf(batch) === index)?.chain ?? null
}

/** The end of the last batch that ends at or before `index`. */
export async function placeBefore(connection: Connection, index: number): Promise<Place> {
  const sql = 'SELECT last, chain FROM batches WHERE last <= ? ORDER BY last DESC LIMIT 1'
  const [row] = await connection.all<{ last: number; chain: Uint8Array }>(sql, index)
  if (row) return { index: row.last, chain: row.chain }
  const where = 'first <= ? ORDER BY first DESC LIMIT 1'
  const [segment] = await segmentsWhere(connection, where, index)
  if (!segment) return { index: 0, chain: CHAIN_ZERO }
  if (segment.last <= index) return { index: segment.last, chain: segment.chain }
  const end = (await batchesOf(segment)).findLast((batch) => lastOf(batch) <= index)
  if (end) return { index: lastOf(end), chain: end.chain }
  return { index: segment.first - 1, chain: segment.before ?? CHAIN_ZERO }
}
