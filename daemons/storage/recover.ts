// Checks whether a file may be trusted, and reads what it holds. Invariant: all checks pass before
// any answer is given from the file, because a replica with an unsound file must return as a
// learner.

import { isSqliteError, type Connection } from './connection.js'
import { ENTRY_COLUMNS, SCHEMA_VERSION, TABLES, entryOf, type EntryRow } from './schema.js'
import { readState, type DurableState } from './durable-state.js'
import { CHAIN_ZERO, chainOf, type Entry } from '../../protocol/entries/entry.js'
import { sameBytes } from '../../protocol/bytes.js'
import { TAIL_ENTRIES, type Recovered } from '../../protocol/machine/storage.js'
import { NO_FENCE, decodeTerm, type Fence } from '../../protocol/entries/fence.js'

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

async function checkFile(path: string, connection: Connection): Promise<void> {
  const [version] = await connection.all<{ user_version: number }>('PRAGMA user_version')
  const names = await connection.all<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
  )
  const missing = TABLES.filter((table) => !names.some(({ name }) => name === table))
  if (missing.length > 0) throw new StoreUnsound(path, `no table ${missing.join(', ')}`)
  if (version?.user_version !== SCHEMA_VERSION) {
    const has = `layout ${version?.user_version ?? 0}`
    throw new StoreUnsound(path, `its ${has} is not the one this version reads, ${SCHEMA_VERSION}`)
  }
  const [check] = await connection.all<{ quick_check: string }>('PRAGMA quick_check(1)')
  if (check?.quick_check !== 'ok') throw new StoreUnsound(path, check?.quick_check ?? 'no check')
}

/** First break of the chain in entries that follow `previous`; null: the chain holds. */
export function chainFault(
  previous: { readonly index: number; readonly chain: Uint8Array },
  entries: readonly Entry[],
): string | null {
  let { index, chain } = previous
  for (const entry of entries) {
    if (entry.index !== index + 1) return `entry ${index + 1} is missing`
    if (!sameBytes(entry.chain, chainOf(chain, entry))) {
      return `the chain does not hold at entry ${entry.index}`
    }
    index = entry.index
    chain = entry.chain
  }
  return null
}

async function chainAt(connection: Connection, index: number): Promise<Uint8Array | null> {
  if (index === 0) return CHAIN_ZERO
  const sql = 'SELECT chain FROM entries WHERE idx = ?'
  const [row] = await connection.all<{ chain: Uint8Array }>(sql, index)
  return row?.chain ?? null
}

async function readTail(path: string, connection: Connection, from: number): Promise<Entry[]> {
  const sql = `SELECT ${ENTRY_COLUMNS} FROM entries WHERE idx > ? ORDER BY idx`
  const tail = (await connection.all<EntryRow>(sql, from)).map(entryOf)
  const chain = await chainAt(connection, from)
  if (!chain) throw new StoreUnsound(path, `entry ${from} is missing`)
  const fault = chainFault({ index: from, chain }, tail)
  if (fault) throw new StoreUnsound(path, fault)
  return tail
}

/** The newest TERM at or below `commit`, with the last order of that term there. */
async function readFence(connection: Connection, commit: number): Promise<Fence> {
  const [owner] = await connection.all<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM entries WHERE kind = 1 AND idx <= ? ORDER BY idx DESC LIMIT 1`,
    commit,
  )
  if (!owner) return NO_FENCE
  const [last] = await connection.all<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM entries WHERE idx <= ? AND term = ? ORDER BY idx DESC LIMIT 1`,
    commit,
    owner.term,
  )
  const { k, part, parts } = last ?? owner
  return { term: owner.term, owner: decodeTerm(owner.body), k, part, parts }
}

async function readDrops(connection: Connection, erased: number, commit: number): Promise<Entry[]> {
  const sql = `SELECT ${ENTRY_COLUMNS} FROM entries WHERE kind IN (7, 8) AND idx > ? AND idx <= ?
    ORDER BY idx`
  return (await connection.all<EntryRow>(sql, erased, commit)).map(entryOf)
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
  const [log] = await connection.all<{ count: number; first: number | null; last: number | null }>(
    'SELECT count(*) AS count, min(idx) AS first, max(idx) AS last FROM entries',
  )
  const last = log?.last ?? 0
  if (log?.count !== last || (log.first ?? 1) !== 1) {
    throw new StoreUnsound(path, `${log?.count ?? 0} entries where the last has index ${last}`)
  }
  const [end] = await connection.all<{ chain: Uint8Array; lamport: number; commit_seen: number }>(
    'SELECT chain, lamport, commit_seen FROM entries WHERE idx = ?',
    last,
  )
  const commit = Math.max(rest.commit, end?.commit_seen ?? 0)
  if (commit > last || rest.indexed > commit) {
    throw new StoreUnsound(
      path,
      `its state says ${commit} committed and ${rest.indexed} indexed, of ${last} entries`,
    )
  }
  const tail = await readTail(path, connection, Math.max(0, Math.min(commit, last - TAIL_ENTRIES)))
  const fence = await readFence(connection, commit)
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
