// Copies the log of one file into a file of its own, for a backup, and for the files that a restored or
// recovered cluster begins with. Invariant: the source is only read. A copy holds the log and nothing of
// the replica that had it: neither promise nor view nor incarnations.

import { openReader, openWriter } from './files.js'
import { UPSERT_STATE, readState, stateParameter, type DurableState } from './durable-state.js'
import { migrate } from './migrate.js'
import { unsoundIfDamaged } from './recover.js'
import { BATCH_COLUMNS, batchOf, insertions, type BatchRow } from './schema.js'
import * as segments from './segments.js'
import type { Connection } from './connection.js'
import {
  CHAIN_ZERO,
  lastOf,
  packDrafts,
  withChain,
  type Batch,
} from '../../protocol/entries/batch.js'
import { EPOCH_ZERO, type Epoch } from '../../protocol/entries/epoch.js'
import { termOfNobody } from '../../protocol/entries/fence.js'
import type { Genesis } from '../../protocol/machine/storage.js'
import type { Place } from '../../protocol/entries/place.js'

/** What a file says of itself; nothing of it is verified. */
export interface LogFacts {
  readonly genesis: Genesis | null
  /** View in which the log was last known to be whole. */
  readonly logView: Epoch
  readonly last: number
  /** Commit index that the file knows, which may be below that of its replica. */
  readonly commit: number
  /** Time of the last order, ms since 1970; 0: there is none. */
  readonly time: number
}

/** Throws StoreUnsound if the file cannot be read. */
export function factsOf(path: string): Promise<LogFacts> {
  return unsoundIfDamaged(path, async () => {
    const connection = await openReader(path)
    try {
      const { genesis = null, view, commit } = await readState(connection)
      const [end] = await connection.all<{ last: number; commit: number }>(
        'SELECT last, commit_seen AS "commit" FROM batches ORDER BY last DESC LIMIT 1',
      )
      const [order] = await connection.all<{ time: number }>(
        'SELECT time FROM batches WHERE term > 0 ORDER BY last DESC LIMIT 1',
      )
      const [last, seen, time] = [end?.last ?? 0, end?.commit ?? 0, order?.time ?? 0]
      return { genesis, logView: view.epoch, last, commit: Math.max(commit, seen), time }
    } finally {
      await connection.close()
    }
  })
}

/** The end of the last batch that ends at or before `index`. */
export async function placeBefore(path: string, index: number): Promise<Place> {
  const connection = await openReader(path)
  try {
    return await segments.placeBefore(connection, index)
  } finally {
    await connection.close()
  }
}

/** Makes a consistent copy while a replica may be writing. Throws if `target` exists. */
export async function copyFile(source: string, target: string): Promise<void> {
  const reader = await openReader(source)
  try {
    await reader.run('VACUUM INTO ?', target)
  } finally {
    await reader.close()
  }
}

export interface Beginning {
  readonly genesis: Genesis
  /** Entries above are removed; Infinity: none. */
  readonly through: number
  /** Time at which orders go on, ms since 1970, where the log is ahead of it; null: as the log says. */
  readonly orderTime?: { readonly time: number; readonly nonce: string } | null
}

/** Makes the file of a replica that votes out of a copy. All of its log is committed. */
export async function begin(
  path: string,
  { genesis, through, orderTime = null }: Beginning,
): Promise<Place> {
  const connection = await openWriter(path, 'write')
  try {
    await migrate(connection)
    await connection.exec('BEGIN IMMEDIATE')
    await connection.run('DELETE FROM batches WHERE last > ?', through)
    if (orderTime) await appendTerm(connection, orderTime)
    const end = await lastBatch(connection)
    const commit = end ? lastOf(end) : 0
    await connection.run('DELETE FROM mail WHERE idx > ?', commit)
    const { indexed, erased, fence } = await readState(connection)
    const state: DurableState = {
      genesis,
      incarnation: { counter: 1, nonce: '' },
      // Views go on above those in which the log was written.
      promised: end?.epoch ?? EPOCH_ZERO,
      view: { epoch: EPOCH_ZERO, members: [] },
      commit,
      incarnations: [],
      remembered: [],
      indexed: Math.min(indexed, commit),
      erased: Math.min(erased, commit),
      scrubbed: 0,
      fence,
    }
    await connection.run(UPSERT_STATE, stateParameter(state))
    await connection.exec('COMMIT')
    await connection.all('PRAGMA wal_checkpoint(TRUNCATE)')
    return { index: commit, chain: end?.chain ?? CHAIN_ZERO }
  } finally {
    await connection.close()
  }
}

async function lastBatch(connection: Connection): Promise<Batch | null> {
  const sql = `SELECT ${BATCH_COLUMNS} FROM batches ORDER BY last DESC LIMIT 1`
  const [row] = await connection.all<BatchRow>(sql)
  return row ? batchOf(row) : null
}

async function appendTerm(
  connection: Connection,
  { time, nonce }: { readonly time: number; readonly nonce: string },
): Promise<void> {
  const end = await lastBatch(connection)
  if (!end) return
  const [newest] = await connection.all<{ term: number }>('SELECT max(term) AS term FROM batches')
  const { fence } = await readState(connection)
  const term = Math.max(newest?.term ?? 0, fence.term) + 1
  const { epoch, lamport } = end
  const place = { first: lastOf(end) + 1, epoch, term, k: 0, lamport: lamport + 1, time }
  const batch = withChain(end.chain, { ...place, ...packDrafts([termOfNobody(nonce)]) })
  for (const [sql, ...values] of insertions([batch], lastOf(end)))
    await connection.run(sql, ...values)
}
