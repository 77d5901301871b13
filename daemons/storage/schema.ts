// The schema of one persistence replica's file: the log, a row an entry; an index by mailbox;
// and the durable state by key. The sqlite3 shell can read all tables.

import type { Value } from './connection.js'
import type { Entry } from '../../protocol/entries/entry.js'

/** Stored in the file. A file of another layout is migrated if MIGRATIONS has it, else refused. */
export const SCHEMA_VERSION = 4

export const SCHEMA = `
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
  -- Commit index known when this entry was written.
  commit_seen INTEGER NOT NULL,
  meta BLOB NOT NULL,
  body BLOB NOT NULL,
  chain BLOB NOT NULL,
  -- SHA-256 of a body that was erased; NULL: the body is there.
  body_hash BLOB
) STRICT;
CREATE INDEX terms ON entries (idx) WHERE kind = 1;
-- Entries that erase bodies, of the kinds drop and closed.
CREATE INDEX drops ON entries (idx) WHERE kind IN (7, 8);
-- mail holds the committed messages through state 'indexed'; later ones are kept in memory.
CREATE TABLE mail (
  mailbox TEXT NOT NULL,
  idx INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  PRIMARY KEY (mailbox, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Statements that migrate a layout, by its version, to the next. */
export const MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [
    1,
    `BEGIN;
     ALTER TABLE entries ADD COLUMN body_hash BLOB;
     CREATE INDEX drops ON entries (idx) WHERE kind = 7;
     PRAGMA user_version = 2;
     COMMIT`,
  ],
  [
    2,
    `BEGIN;
     DROP INDEX drops;
     CREATE INDEX drops ON entries (idx) WHERE kind IN (7, 8);
     PRAGMA user_version = 3;
     COMMIT`,
  ],
  [
    3,
    `BEGIN;
     DROP TABLE places;
     PRAGMA user_version = 4;
     COMMIT`,
  ],
])

export const TABLES = ['entries', 'mail', 'state'] as const

/**
 * Inserts any number of entries in one statement: ?1 lists the rows as JSON, ?2 holds their bytes
 * end to end. Binding 18 values a row costs the event loop five times as much.
 */
export const INSERT_ENTRIES = `
INSERT INTO entries
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
  value ->> 7, value ->> 8, value ->> 9, value ->> 10, ?3,
  substr(?2, value ->> 11, value ->> 12),
  substr(?2, (value ->> 11) + (value ->> 12), value ->> 13),
  substr(?2, (value ->> 11) + (value ->> 12) + (value ->> 13), 32),
  CASE value ->> 14 WHEN 32
    THEN substr(?2, (value ->> 11) + (value ->> 12) + (value ->> 13) + 32, 32) END
FROM json_each(?1)`

/** The parameters of INSERT_ENTRIES; `found` gives kind and mailbox from each entry's meta. */
export function entryParameters(
  entries: readonly Entry[],
  found: (i: number) => { readonly kind: number; readonly mailbox: string },
  commit: number,
): Value[] {
  const rows: (number | string)[][] = []
  const parts: Uint8Array[] = []
  // substr counts from 1.
  let at = 1
  for (let i = 0; i < entries.length; i++) {
    const { index, epoch, term, k, part, parts: of, lamport, time, ...bytes } = entries[i]!
    const { meta, body, chain, bodyHash } = bytes
    const { kind, mailbox } = found(i)
    const place = [at, meta.length, body.length, bodyHash?.length ?? 0]
    const { counter, slot } = epoch
    rows.push([index, counter, slot, term, k, part, of, lamport, time, kind, mailbox, ...place])
    parts.push(meta, body, chain)
    at += meta.length + body.length + chain.length
    if (bodyHash) {
      parts.push(bodyHash)
      at += bodyHash.length
    }
  }
  return [JSON.stringify(rows), Buffer.concat(parts), commit]
}

export const ENTRY_COLUMNS =
  'idx, epoch_counter, epoch_slot, term, k, part, parts, lamport, time, meta, body, chain, body_hash'

export interface EntryRow {
  readonly idx: number
  readonly epoch_counter: number
  readonly epoch_slot: number
  readonly term: number
  readonly k: number
  readonly part: number
  readonly parts: number
  readonly lamport: number
  readonly time: number
  readonly meta: Uint8Array
  readonly body: Uint8Array
  readonly chain: Uint8Array
  readonly body_hash: Uint8Array | null
}

export function entryOf(row: EntryRow): Entry {
  const { idx, epoch_counter, epoch_slot, term, k, part, parts, lamport, time } = row
  const epoch = { counter: epoch_counter, slot: epoch_slot }
  const { meta, body, chain, body_hash: bodyHash } = row
  return { index: idx, epoch, term, k, part, parts, lamport, time, meta, body, chain, bodyHash }
}
