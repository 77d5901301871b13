// Opening the connections of one file, with what durability rests on asserted each time.

import { Connection, isSqliteError } from './connection.js'
import { MIGRATIONS } from './schema.js'

/** A transaction that never ends, on a file beside it: released by the system however we end. */
export async function lock(path: string): Promise<Connection> {
  const connection = await Connection.open(`${path}.lock`, 'create')
  try {
    await connection.exec('BEGIN EXCLUSIVE')
    return connection
  } catch (error) {
    await connection.close()
    if (!isSqliteError(error) || error.code !== 'SQLITE_BUSY') throw error
    throw new Error(`${path} is in use by another process; stop that one first`, { cause: error })
  }
}

export async function pragma(connection: Connection, name: string): Promise<unknown> {
  const [row] = await connection.all(`PRAGMA ${name}`)
  return row && Object.values(row)[0]
}

/** WAL and synchronous=FULL: a commit is on disk when it returns. What is erased is zeroed. */
export async function openWriter(
  path: string,
  mode: 'create' | 'write',
  maxBytes?: number,
): Promise<Connection> {
  const connection = await Connection.open(path, mode)
  try {
    await connection.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
       PRAGMA cache_size = -16384; PRAGMA secure_delete = ON`,
    )
    if (maxBytes !== undefined) {
      const pageBytes = Number(await pragma(connection, 'page_size'))
      await pragma(connection, `max_page_count = ${Math.floor(maxBytes / pageBytes)}`)
    }
    const journal = await pragma(connection, 'journal_mode')
    const synchronous = await pragma(connection, 'synchronous')
    if (journal !== 'wal' || synchronous !== 2) {
      const is = `journal_mode ${String(journal)}, synchronous ${String(synchronous)}`
      throw new Error(`${path}: ${is}; wal and 2 are needed for what is acknowledged to be kept`)
    }
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Brings a file of an earlier layout to the present one. */
export async function migrate(connection: Connection): Promise<void> {
  const version = Number(await pragma(connection, 'user_version'))
  const migration = MIGRATIONS.get(version)
  if (migration === undefined) return
  await connection.exec(migration)
  await migrate(connection)
}

export async function openReader(path: string): Promise<Connection> {
  const connection = await Connection.open(path, 'read')
  // A checkpoint that truncates the write-ahead log keeps readers out for a moment.
  await connection.exec('PRAGMA busy_timeout = 1000')
  return connection
}
