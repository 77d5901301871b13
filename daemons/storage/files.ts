// Opens the connections of one file. Invariant: a writer has WAL and synchronous=FULL, asserted at
// each open, because durability rests on both.

import { Connection, isSqliteError } from './connection.js'

/**
 * Locks a file by an open transaction on a file beside it. The system frees the lock at any exit.
 */
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

/** Bytes of all pages of the file, those in the write-ahead log included, and of its free pages. */
export async function pageBytes(
  connection: Connection,
): Promise<{ content: number; free: number }> {
  const bytes = Number(await pragma(connection, 'page_size'))
  const content = bytes * Number(await pragma(connection, 'page_count'))
  return { content, free: bytes * Number(await pragma(connection, 'freelist_count')) }
}

/** Whether free pages can be given back: a file keeps the mode that it was made in. */
export async function canShrink(connection: Connection): Promise<boolean> {
  return (await pragma(connection, 'auto_vacuum')) === 2
}

/** Opens the writer: a commit is on disk when it returns, and SQLite zeroes deleted content. */
export async function openWriter(
  path: string,
  mode: 'create' | 'write',
  maxBytes?: number,
): Promise<Connection> {
  const connection = await Connection.open(path, mode)
  try {
    await connection.exec(
      // An empty file takes auto_vacuum up, a file with content keeps what it has.
      `PRAGMA auto_vacuum = INCREMENTAL;
       PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
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
      throw new Error(`${path}: ${is}; wal and 2 are needed, or acknowledged writes may be lost`)
    }
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

export async function openReader(path: string): Promise<Connection> {
  const connection = await Connection.open(path, 'read')
  // A checkpoint that truncates the write-ahead log locks readers out for a moment.
  await connection.exec('PRAGMA busy_timeout = 1000')
  return connection
}
