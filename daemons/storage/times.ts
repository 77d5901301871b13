// Finds a place of the log by time. The times of orders only grow along the log, so that a bisection
// by index finds it without an index of times. Marks are no orders: each has the clock of a replica.

import type { Connection } from './connection.js'
import { batchesOf, segmentsWhere } from './segments.js'

interface Timed {
  readonly last: number
  readonly time: number
}

const NEXT_BATCH = `SELECT last, time FROM batches WHERE last >= ? AND term > 0 ORDER BY last LIMIT 1`
const NEXT_SEGMENT = `SELECT last, time FROM segments WHERE last >= ? ORDER BY last LIMIT 1`

/** The first row at or after `time`; null: all rows are older. */
async function firstFrom(
  connection: Connection,
  next: string,
  [from, through]: readonly [number, number],
  time: number,
): Promise<Timed | null> {
  let [low, high] = [from, through]
  let found: Timed | null = null
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const [row] = await connection.all<Timed>(next, middle)
    if (!row || row.time >= time) {
      found = row ?? found
      high = middle - 1
    } else low = row.last + 1
  }
  return found
}

async function ends(connection: Connection, table: string): Promise<readonly [number, number]> {
  const [row] = await connection.all<{ low: number | null; high: number | null }>(
    `SELECT (SELECT first FROM ${table} ORDER BY last LIMIT 1) AS low, max(last) AS high FROM ${table}`,
  )
  return [row?.low ?? 1, row?.high ?? 0]
}

/** Index of the last entry that was ordered before `time`, ms since 1970; 0: there is none. */
export async function indexAtTime(connection: Connection, time: number): Promise<number> {
  const packed = await ends(connection, 'segments')
  const segment = await firstFrom(connection, NEXT_SEGMENT, packed, time)
  if (segment) {
    const [row] = await segmentsWhere(connection, 'last = ?', segment.last)
    const batches = row ? await batchesOf(row) : []
    const from = batches.find((batch) => batch.term > 0 && batch.time >= time)
    return from ? from.first - 1 : segment.last
  }
  const loose = await ends(connection, 'batches')
  const batch = await firstFrom(connection, NEXT_BATCH, loose, time)
  if (!batch) return loose[1]
  const [row] = await connection.all<{ first: number }>(
    'SELECT first FROM batches WHERE last = ?',
    batch.last,
  )
  return (row?.first ?? batch.last) - 1
}
