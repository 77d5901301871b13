// Makes files of layout 4, which had a row for each entry, as version 0.2 wrote them.

import { createHash } from 'node:crypto'
import { Connection } from '../../../daemons/storage/connection.js'
import { CHAIN_ZERO } from '../../../protocol/entries/batch.js'
import { KIND, encodeMeta, weigh, type Draft } from '../../../protocol/entries/entry.js'
import { GENESIS, INCARNATION } from './log-maker.js'

const SCHEMA = `
CREATE TABLE entries (
  idx INTEGER PRIMARY KEY,
  epoch_counter INTEGER NOT NULL,
  epoch_slot INTEGER NOT NULL,
  term INTEGER NOT NULL,
  k INTEGER NOT NULL,
  part INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  lamport INTEGER NOT NULL,
  time INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  mailbox TEXT NOT NULL,
  commit_seen INTEGER NOT NULL,
  meta BLOB NOT NULL,
  body BLOB NOT NULL,
  chain BLOB NOT NULL,
  body_hash BLOB
) STRICT;
CREATE INDEX terms ON entries (idx) WHERE kind = 1;
CREATE INDEX drops ON entries (idx) WHERE kind IN (7, 8);
CREATE TABLE mail (
  mailbox TEXT NOT NULL,
  idx INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  PRIMARY KEY (mailbox, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 4;
`

/** Statements that make a file of an earlier layout of one of layout 4. */
export const EARLIER: ReadonlyMap<number, string> = new Map([
  [3, 'CREATE TABLE places (stream BLOB, seq INTEGER, idx INTEGER); PRAGMA user_version = 3'],
  [
    2,
    `CREATE TABLE places (stream BLOB, seq INTEGER, idx INTEGER); DROP INDEX drops;
     CREATE INDEX drops ON entries (idx) WHERE kind = 7; PRAGMA user_version = 2`,
  ],
  [
    1,
    `CREATE TABLE places (stream BLOB, seq INTEGER, idx INTEGER); DROP INDEX drops;
     ALTER TABLE entries DROP COLUMN body_hash; PRAGMA user_version = 1`,
  ],
])

/** An order, a TERM (k = 0) or marks (term and k 0). */
export interface OldOrder {
  readonly term: number
  readonly k: number
  readonly drafts: readonly Draft[]
}

export interface OldFile {
  readonly orders: readonly OldOrder[]
  readonly commit: number
  /** Entries through here are in the table `mail`. */
  readonly indexed: number
  /** DROPs through here are carried out. */
  readonly dropped: number
  /** Indices of the messages that they erased. */
  readonly erased: readonly number[]
}

const sha256 = (...parts: Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()

export async function makeOldFile(path: string, file: OldFile): Promise<void> {
  const connection = await Connection.open(path, 'create')
  await connection.exec(`${SCHEMA} BEGIN`)
  const view = { epoch: { counter: 2, slot: 1 }, members: [] }
  const beside = { genesis: GENESIS, incarnation: INCARNATION, promised: view.epoch, view }
  const progress = { commit: file.commit, indexed: file.indexed, erased: file.dropped }
  for (const [key, value] of Object.entries({ ...beside, ...progress }))
    await connection.run('INSERT INTO state VALUES (?, ?)', key, JSON.stringify(value))
  let [index, chain]: [number, Uint8Array] = [0, CHAIN_ZERO]
  for (const { term, k, drafts } of file.orders) {
    for (const [i, draft] of drafts.entries()) {
      const { kind, mailbox } = draft.meta
      const [meta, body] = [encodeMeta(draft.meta), draft.body]
      index++
      const place = [index, 2, 1, term, k, i + 1, drafts.length, 2 * index, 1_000 + index]
      const numbers = Buffer.alloc(76)
      for (const [at, value] of place.entries()) numbers.writeBigUInt64BE(BigInt(value), 8 * at)
      numbers.writeUInt32BE(meta.length, 72)
      chain = sha256(chain, numbers, meta, sha256(body))
      const gone = file.erased.includes(index)
      const stored = gone ? [Buffer.alloc(0), chain, sha256(body)] : [body, chain, null]
      const row = [...place, kind, mailbox, 0, meta, ...stored]
      const sql = `INSERT INTO entries VALUES (${row.map(() => '?').join(', ')})`
      await connection.run(sql, ...row)
      if (kind !== KIND.message || gone || index > file.indexed) continue
      const weight = weigh(meta.length, body.length)
      await connection.run('INSERT INTO mail VALUES (?, ?, ?)', mailbox, index, weight)
    }
  }
  await connection.exec('COMMIT')
  await connection.close()
}
