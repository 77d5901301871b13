// Checks what a replica needs of its file to start, and reads it: schema, state and the last entries,
// in a time that does not grow with the log. scrub.ts goes through the rest afterwards. A replica with
// an unsound file must return as a learner, whenever the damage is found.

import { isSqliteError, type Connection } from './connection.js'
import {
  BATCH_COLUMNS,
  HAS_DROP,
  HAS_TERM,
  SCHEMA_VERSION,
  TABLES,
  batchOf,
  type BatchRow,
} from './schema.js'
import { readState, type DurableState } from './durable-state.js'
import { pragma } from './files.js'
import { chainAt, packedThrough } from './segments.js'
import {
  CHAIN_ZERO,
  bodiesMatch,
  chainOf,
  checkBodies,
  lastOf,
  type Batch,
} from '../../protocol/entries/batch.js'
import { dropsOf, type Drop } from '../../protocol/entries/drop.js'
import { sameBytes } from '../../protocol/bytes.js'
import type { Place } from '../../protocol/entries/place.js'
import { TAIL, type Recovered } from '../../protocol/machine/storage.js'
import { advanceFence, type Fence } from '../../protocol/entries/fence.js'

/** The file exists but must not be used: the replica counts it as lost. */
export class StoreUnsound extends Error {
  override readonly name = 'StoreUnsound'
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`${path} is unsound: ${reason}`)
    this.reason = reason
  }
}

/** Codes that mean damaged content; others (no permission, locked) say nothing about it. */
const DAMAGE = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_FORMAT', 'SQLITE_ERROR'])

export async function unsoundIfDamaged<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isSqliteError(error) && DAMAGE.has(error.code)) throw new StoreUnsound(path, error.message)
    if (error instanceof RangeError || error instanceof SyntaxError) {
      throw new StoreUnsound(path, error.message)
    }
    throw error
  }
}

/**
 * The layout of a file; throws if it is a newer one than this version reads. Such a file is not
 * unsound, and is not set aside: a newer version of Troca has written it.
 */
export async function layoutOf(path: string, connection: Connection): Promise<number> {
  const layout = Number(await pragma(connection, 'user_version'))
  if (layout <= SCHEMA_VERSION) return layout
  const is = `${path} has layout ${layout}; this version of Troca reads layouts up to`
  const next = 'install the version that wrote it again (docs/OPERATIONS.md, Upgrades)'
  throw new Error(`${is} ${SCHEMA_VERSION}: ${next}`)
}

async function checkFile(path: string, connection: Connection): Promise<void> {
  const layout = await layoutOf(path, connection)
  const names = await connection.all<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
  )
  const missing = TABLES.filter((table) => !names.some(({ name }) => name === table))
  if (missing.length > 0) throw new StoreUnsound(path, `no table ${missing.join(', ')}`)
  if (layout !== SCHEMA_VERSION) {
    const has = `layout ${layout}`
    throw new StoreUnsound(path, `its ${has} is not the one this version reads, ${SCHEMA_VERSION}`)
  }
}

/** First break of the chain in batches that follow `previous`; null: the chain holds. */
export function chainFault(previous: Place, batches: readonly Batch[]): string | null {
  let { index, chain } = previous
  for (const batch of batches) {
    const { first } = batch
    if (first !== index + 1) return `entry ${index + 1} is missing`
    if (!sameBytes(batch.chain, chainOf(chain, batch)))
      return `the chain does not hold at entry ${first}`
    checkBodies(batch)
    if (!bodiesMatch(batch)) return `a body is not the one that entry ${first} or a next one had`
    index = lastOf(batch)
    chain = batch.chain
  }
  return null
}

/** The end of the last batch that lies before the part of the log that stays in memory. */
async function tailStart(connection: Connection): Promise<number> {
  const [row] = await connection.all<{ start: number | null }>(
    `SELECT max(last) AS start FROM (
       SELECT last, sum(count) OVER newest AS entries, sum(size) OVER newest AS bytes
       FROM (
         SELECT last, last - first + 1 AS count, length(head) + length(bodies) AS size
         FROM batches ORDER BY last DESC LIMIT ?1 + 1
       ) WINDOW newest AS (ORDER BY last DESC)
     ) WHERE entries > ?1 OR bytes > ?2`,
    TAIL.entries,
    TAIL.bytes,
  )
  return row?.start ?? 0
}

async function readTail(path: string, connection: Connection, after: number): Promise<Batch[]> {
  const sql = `SELECT ${BATCH_COLUMNS} FROM batches WHERE last > ? ORDER BY last`
  const loose = Math.max(after, await packedThrough(connection))
  const tail = (await connection.all<BatchRow>(sql, loose)).map(batchOf)
  const from = tail[0] ? tail[0].first - 1 : loose
  const chain = await chainAt(connection, from)
  if (!chain) throw new StoreUnsound(path, `entry ${from} is missing`)
  const fault = chainFault({ index: from, chain }, tail)
  if (fault) throw new StoreUnsound(path, fault)
  return tail
}

/**
 * The newest TERM at or below `commit`, with the last order of that term there. `packed`: at the end
 * of the segments.
 */
async function readFence(connection: Connection, commit: number, packed: Fence): Promise<Fence> {
  const newest = (where: string, ...values: number[]): Promise<BatchRow[]> =>
    connection.all<BatchRow>(
      `SELECT ${BATCH_COLUMNS} FROM batches WHERE ${where} AND last <= ? ORDER BY last DESC LIMIT 1`,
      ...values,
      commit,
    )
  const [begin] = await newest(HAS_TERM)
  const term = begin?.term ?? packed.term
  const [end] = term > 0 ? await newest('term = ?', term) : []
  return [begin, end].flatMap((row) => (row ? batchOf(row) : [])).reduce(advanceFence, packed)
}

async function readDrops(connection: Connection, erased: number, commit: number): Promise<Drop[]> {
  const sql = `SELECT ${BATCH_COLUMNS} FROM batches WHERE ${HAS_DROP} AND last > ? AND last <= ?
    ORDER BY last`
  const rows = await connection.all<BatchRow>(sql, erased, commit)
  return rows.flatMap((row) => dropsOf(batchOf(row))).filter(({ index }) => index > erased)
}

export interface Recovery {
  readonly recovered: Recovered
  readonly state: DurableState
}

/** Recovers the state that the file holds; throws StoreUnsound. `connection` may be a writer. */
export async function recover(path: string, connection: Connection): Promise<Recovery> {
  await checkFile(path, connection)
  const { genesis, incarnation, ...rest } = await readState(connection)
  if (!genesis || !incarnation) throw new StoreUnsound(path, 'it has no genesis')
  const [log] = await connection.all<{ last: number | null }>(
    'SELECT max(last) AS last FROM batches',
  )
  const last = log?.last ?? 0
  const [end] = await connection.all<{ chain: Uint8Array; lamport: number; commit_seen: number }>(
    'SELECT chain, lamport, commit_seen FROM batches WHERE last = ?',
    last,
  )
  const commit = Math.max(rest.commit, end?.commit_seen ?? 0)
  if (commit > last || rest.indexed > commit) {
    throw new StoreUnsound(
      path,
      `its state says ${commit} committed and ${rest.indexed} indexed, of ${last} entries`,
    )
  }
  const tail = await readTail(path, connection, Math.min(commit, await tailStart(connection)))
  const fence = await readFence(connection, commit, rest.fence)
  const drops = await readDrops(connection, rest.erased, commit)
  const state = { ...rest, genesis, incarnation, commit }
  const { promised, view, incarnations, remembered } = state
  const logView = view.epoch
  const chain = end?.chain ?? CHAIN_ZERO
  const durable = { promised, logView, last, chain, commit }
  const lamport = end?.lamport ?? 0
  const recovered = {
    genesis,
    incarnation,
    durable,
    view,
    incarnations,
    remembered,
    lamport,
    tail,
    fence,
    drops,
  }
  return { recovered, state }
}
