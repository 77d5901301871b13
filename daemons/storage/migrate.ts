// Migrates a file of an earlier layout to the present one.

import type { Connection } from './connection.js'
import { pragma } from './files.js'
import { BATCHES, DROPS, SEGMENTS, insertions } from './schema.js'
import { sameBytes, sha256 } from '../../protocol/bytes.js'
import {
  CHAIN_ZERO,
  packDrafts,
  without,
  withChain,
  type Batch,
} from '../../protocol/entries/batch.js'
import { decodeMeta } from '../../protocol/entries/entry.js'

/** Statements that migrate a layout, by its version, to the next. */
const STATEMENTS: ReadonlyMap<number, string> = new Map([
  [
    1,
    `ALTER TABLE entries ADD COLUMN body_hash BLOB;
     CREATE INDEX drops ON entries (idx) WHERE kind = 7`,
  ],
  [
    2,
    `DROP INDEX drops;
     CREATE INDEX drops ON entries (idx) WHERE kind IN (7, 8)`,
  ],
  [3, 'DROP TABLE places'],
  [5, `${SEGMENTS} DROP INDEX drops; ${DROPS}`],
])

/** The layout that had a row an entry. */
const LAST_OF_ENTRIES = 4
/** Entries migrated at a time. */
const STEP = 1_000

export async function migrate(connection: Connection): Promise<void> {
  const version = Number(await pragma(connection, 'user_version'))
  const statements = STATEMENTS.get(version)
  if (statements === undefined && version !== LAST_OF_ENTRIES) return
  await connection.exec('BEGIN IMMEDIATE')
  try {
    if (statements === undefined) await intoBatches(connection)
    else await connection.exec(statements)
    await connection.exec(`PRAGMA user_version = ${version + 1}; COMMIT`)
  } catch (error) {
    await connection.exec('ROLLBACK')
    throw error
  }
  await migrate(connection)
}

interface EntryRow {
  readonly idx: number
  readonly epoch_counter: number
  readonly epoch_slot: number
  readonly term: number
  readonly k: number
  readonly part: number
  readonly parts: number
  readonly lamport: number
  readonly time: number
  readonly commit_seen: number
  readonly meta: Uint8Array
  readonly body: Uint8Array
  readonly chain: Uint8Array
  readonly body_hash: Uint8Array | null
}

/**
 * Makes a batch of each entry. Files of one cluster stay prefixes of one another: a batch depends on
 * its entry and on those before it, and not on how much of its order a file holds.
 */
async function intoBatches(connection: Connection): Promise<void> {
  await connection.exec(`DROP INDEX terms; DROP INDEX drops; ${BATCHES}`)
  let index = 0
  let chain = CHAIN_ZERO
  let chainOfEntries = CHAIN_ZERO
  for (;;) {
    const sql = 'SELECT * FROM entries WHERE idx > ? ORDER BY idx LIMIT ?'
    const rows = await connection.all<EntryRow>(sql, index, STEP)
    if (rows.length === 0) break
    for (const row of rows) {
      verify(row, index + 1, chainOfEntries)
      const batch = batchOfEntry(row, chain)
      for (const [insert, ...values] of insertions([batch], row.commit_seen))
        await connection.run(insert, ...values)
      chain = batch.chain
      chainOfEntries = row.chain
      index = row.idx
    }
  }
  await connection.exec('DROP TABLE entries')
}

/** Throws RangeError for damage, which the chain of the batches would hide. */
function verify(row: EntryRow, index: number, previous: Uint8Array): void {
  if (row.idx !== index) throw new RangeError(`entry ${index} is missing`)
  const numbers = Buffer.alloc(72 + 4)
  const place = [row.idx, row.epoch_counter, row.epoch_slot, row.term, row.k, row.part, row.parts]
  for (const [i, value] of [...place, row.lamport, row.time].entries())
    numbers.writeBigUInt64BE(BigInt(value), 8 * i)
  numbers.writeUInt32BE(row.meta.length, 72)
  const bodyHash = row.body_hash && row.body.length === 0 ? row.body_hash : sha256(row.body)
  const chain = sha256(previous, numbers, row.meta, bodyHash)
  if (!sameBytes(chain, row.chain))
    throw new RangeError(`the chain does not hold at entry ${index}`)
}

function batchOfEntry(row: EntryRow, previous: Uint8Array): Batch {
  const { idx: first, term, k, lamport, time, meta, body, body_hash: bodyHash } = row
  const epoch = { counter: row.epoch_counter, slot: row.epoch_slot }
  const place = { first, epoch, term, k, lamport, time }
  const contents = packDrafts([{ meta: decodeMeta(meta), body }])
  if (!bodyHash) return withChain(previous, { ...place, ...contents })
  const head = new Uint8Array(contents.head)
  head.set(bodyHash, head.length - bodyHash.length)
  const batch = withChain(previous, { ...place, head, bodies: body })
  return without(batch, () => true)
}
