// The file of a processing replica's snapshot: records by key, and the place that they make up. The
// file is a cache of the log, so a commit need not be on disk when it returns (synchronous=NORMAL):
// after a loss of power the file is one of an earlier commit. Sums tell damage that SQLite does not
// notice. A file that is damaged, or that could not be written, is removed.

import { rmSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Connection, isSqliteError, type Value } from './connection.js'
import { lock, pragma } from './files.js'
import type { SaveOutcome, UnsoundSnapshot } from '../../protocol/machine/machine.js'
import type {
  LoadedPart,
  SnapshotHead,
  SnapshotPart,
  StateRecord,
} from '../../protocol/snapshot/record.js'

const LAYOUT = 1

const SCHEMA = `
CREATE TABLE records (
  key BLOB PRIMARY KEY,
  value BLOB NOT NULL,
  -- CRC-32 of key and value.
  sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- One row: the head, as JSON, with the number of all records and the total of their sums.
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  head TEXT NOT NULL,
  records INTEGER NOT NULL,
  total INTEGER NOT NULL
) STRICT;
PRAGMA user_version = ${LAYOUT};
`

/** Records of one statement, and of one part that is loaded. */
const STATEMENT_RECORDS = 128
const PART_RECORDS = 4_096

interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly sum: number
}

interface Totals {
  records: number
  total: number
}

export class SnapshotFile {
  readonly #path: string
  readonly #lock: Connection
  readonly #told: (reason: string) => void
  /** null: the file is removed; the next save makes a new one. */
  #connection: Connection | null
  readonly stored: boolean
  /** The totals in the file, and with the transaction under way; null: none is. */
  #totals: Totals
  #open: Totals | null = null
  /** What has been loaded so far. */
  #seen: Totals = { records: 0, total: 0 }

  private constructor(
    path: string,
    locked: Connection,
    connection: Connection | null,
    totals: Totals | null,
    told: (reason: string) => void,
  ) {
    this.#path = path
    this.#lock = locked
    this.#connection = connection
    this.stored = totals !== null
    this.#totals = totals ?? { records: 0, total: 0 }
    this.#told = told
  }

  /**
   * A file that cannot be used is removed, and `told` why; so is later a file that cannot be
   * written. Throws only if another process has the file.
   */
  static async open(path: string, told: (reason: string) => void): Promise<SnapshotFile> {
    const locked = await lock(path)
    let connection: Connection | null = null
    try {
      connection = await openWriter(path)
      const version = Number(await pragma(connection, 'user_version'))
      if (version !== LAYOUT) {
        const is = `it has layout ${version}, and this version of Troca reads layout ${LAYOUT}`
        throw new RangeError(`${is}: the state is built from the log instead`)
      }
      const [totals] = await connection.all<Totals & object>('SELECT records, total FROM head')
      return new SnapshotFile(path, locked, connection, totals ?? null, told)
    } catch (error) {
      told((error as Error).message)
      await connection?.close().catch(() => {})
      remove(path)
      return new SnapshotFile(path, locked, null, null, told)
    }
  }

  /** Records after the one with this key, in the order of their keys. */
  async load(after: string | null): Promise<LoadedPart | UnsoundSnapshot> {
    try {
      const rows = await this.#connection!.all<Row>(
        'SELECT key, value, sum FROM records WHERE key > ? ORDER BY key LIMIT ?',
        after === null ? new Uint8Array(0) : bytesOf(after),
        PART_RECORDS,
      )
      for (const { key, value, sum } of rows) {
        if (sumOf(key, value) !== sum) return { unsound: 'a record is damaged' }
        this.#seen.records++
        this.#seen.total += sum
      }
      const records = rows.map(({ key, value }) => ({ key: textOf(key), value }))
      if (rows.length === PART_RECORDS) return { records, head: null }
      const { records: count, total } = this.#totals
      if (this.#seen.records !== count || this.#seen.total !== total)
        return { unsound: `its ${this.#seen.records} records are not the ${count} that were saved` }
      const [row] = await this.#connection!.all<{ head: string }>('SELECT head FROM head')
      return { records, head: headOf(row!.head) }
    } catch (error) {
      return { unsound: (error as Error).message }
    }
  }

  async save(part: SnapshotPart): Promise<SaveOutcome> {
    try {
      this.#connection ??= await openWriter(this.#path)
      await this.#save(this.#connection, part)
      return 'written'
    } catch (error) {
      this.#open = null
      const full = isSqliteError(error) && error.code === 'SQLITE_FULL'
      // SQLite may have rolled back already; ROLLBACK then fails, which is harmless.
      await this.#connection?.exec('ROLLBACK').catch(() => {})
      if (full) return 'full'
      this.#told((error as Error).message)
      await this.#connection?.close().catch(() => {})
      this.#connection = null
      this.#totals = { records: 0, total: 0 }
      remove(this.#path)
      return 'lost'
    }
  }

  async #save(connection: Connection, { clear, records, head }: SnapshotPart): Promise<void> {
    if (!this.#open) {
      await connection.exec('BEGIN IMMEDIATE')
      this.#open = { ...this.#totals }
    }
    if (clear) {
      await connection.exec('DELETE FROM records')
      Object.assign(this.#open, { records: 0, total: 0 })
    }
    for (let from = 0; from < records.length; from += STATEMENT_RECORDS)
      await this.#put(connection, this.#open, records.slice(from, from + STATEMENT_RECORDS))
    if (!head) return
    const { records: count, total } = this.#open
    const upsert = 'INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?)'
    await connection.run(upsert, textOfHead(head), count, total)
    await connection.exec('COMMIT')
    this.#totals = this.#open
    this.#open = null
  }

  async #put(
    connection: Connection,
    totals: Totals,
    records: readonly StateRecord[],
  ): Promise<void> {
    const keys = records.map(({ key }) => bytesOf(key))
    const among = `key IN (${keys.map(() => '?').join(', ')})`
    const [old] = await connection.all<{ records: number; total: number | null }>(
      `SELECT count(*) AS records, sum(sum) AS total FROM records WHERE ${among}`,
      ...keys,
    )
    totals.records -= old!.records
    totals.total -= old!.total ?? 0
    const gone: Uint8Array[] = []
    const rows: Value[] = []
    for (const [i, { value }] of records.entries()) {
      if (!value) gone.push(keys[i]!)
      else {
        const sum = sumOf(keys[i]!, value)
        rows.push(keys[i]!, value, sum)
        totals.records++
        totals.total += sum
      }
    }
    if (gone.length > 0) {
      const which = gone.map(() => '?').join(', ')
      await connection.run(`DELETE FROM records WHERE key IN (${which})`, ...gone)
    }
    if (rows.length === 0) return
    const values = Array.from({ length: rows.length / 3 }, () => '(?, ?, ?)').join(', ')
    await connection.run(`INSERT OR REPLACE INTO records VALUES ${values}`, ...rows)
  }

  async close(): Promise<void> {
    await this.#connection?.close().catch(() => {})
    await this.#lock.close()
  }
}

async function openWriter(path: string): Promise<Connection> {
  const connection = await Connection.open(path, 'create')
  try {
    await connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    const version = await pragma(connection, 'user_version')
    if (version === 0) await connection.exec(`BEGIN; ${SCHEMA} COMMIT`)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

function remove(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
}

const bytesOf = (key: string): Uint8Array => Buffer.from(key, 'utf8')
const textOf = (key: Uint8Array): string => Buffer.from(key).toString('utf8')

function sumOf(key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key))
}

function textOfHead({ place, ...rest }: SnapshotHead): string {
  return JSON.stringify({ ...rest, place: [place.index, Buffer.from(place.chain).toString('hex')] })
}

function headOf(text: string): SnapshotHead {
  const { place, ...rest } = JSON.parse(text) as Omit<SnapshotHead, 'place'> & {
    readonly place: [index: number, chain: string]
  }
  return { ...rest, place: { index: place[0], chain: Buffer.from(place[1], 'hex') } }
}
