// The schema of one persistence replica's file: the log, a row a batch, or a row a segment of old
// batches; an index by mailbox; and the durable state by key.

import type { Value } from './connection.js'
import { decodeHead, lastOf, type Batch } from '../../protocol/entries/batch.js'
import { KIND, bitsOf } from '../../protocol/entries/entry.js'

/** Stored in the file. A file of an earlier layout is migrated, of another refused. */
export const SCHEMA_VERSION = 6

/** Batches that hold a TERM; and those that erase bodies. */
export const HAS_TERM = `kinds & ${bitsOf([KIND.term])}`
export const HAS_DROP = `kinds & ${bitsOf([KIND.drop, KIND.closed, KIND.expired])}`
/** Batches without a body but those of messages. */
const EMPTY_OR_MESSAGE = [KIND.message, KIND.refusal, KIND.streamClosed]
const BODIES_OF_MESSAGES = `kinds & ~${bitsOf(EMPTY_OR_MESSAGE)} = 0`
/** The bodies of a batch as far as a reader without messages needs them. */
export const LEAN_BODIES = `CASE WHEN ${BODIES_OF_MESSAGES} THEN x'' ELSE bodies END`

export const DROPS = `CREATE INDEX drops ON batches (last) WHERE ${HAS_DROP};`

export const BATCHES = `
CREATE TABLE batches (
  -- Log indices of the first entry and of the last.
  last INTEGER PRIMARY KEY,
  first INTEGER NOT NULL,
  epoch_counter INTEGER NOT NULL,
  epoch_slot INTEGER NOT NULL,
  term INTEGER NOT NULL,
  k INTEGER NOT NULL,
  lamport INTEGER NOT NULL,
  time INTEGER NOT NULL,
  -- A bit for each kind of entry that the batch holds.
  kinds INTEGER NOT NULL,
  -- Commit index known when this batch was written.
  commit_seen INTEGER NOT NULL,
  chain BLOB NOT NULL,
  head BLOB NOT NULL,
  -- A bit an entry: its body was erased.
  absent BLOB NOT NULL,
  bodies BLOB NOT NULL
) STRICT;
CREATE INDEX terms ON batches (last) WHERE ${HAS_TERM};
${DROPS}
`

/** Consecutive batches that are committed and old: each entry is in one of both tables. */
export const SEGMENTS = `
CREATE TABLE segments (
  -- Log indices of the first entry and of the last.
  last INTEGER PRIMARY KEY,
  first INTEGER NOT NULL,
  -- The highest time of an order in it; 0: it has none.
  time INTEGER NOT NULL,
  -- The chain at its end; those within follow from its content.
  chain BLOB NOT NULL,
  packed BLOB NOT NULL
) STRICT;
`

export const SCHEMA = `
${BATCHES}
${SEGMENTS}
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

export const TABLES = ['batches', 'segments', 'mail', 'state'] as const

/** Rows of one statement at the most. */
const MOST_ROWS = 16
const ROW = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'

/** Statements that insert the batches, with their parameters. */
export function insertions(batches: readonly Batch[], commit: number): [string, ...Value[]][] {
  const steps: [string, ...Value[]][] = []
  for (let from = 0; from < batches.length; from += MOST_ROWS) {
    const rows = batches.slice(from, from + MOST_ROWS)
    const sql = `INSERT INTO batches VALUES ${rows.map(() => ROW).join(', ')}`
    steps.push([sql, ...rows.flatMap((batch) => valuesOf(batch, commit))])
  }
  return steps
}

function valuesOf(batch: Batch, commit: number): Value[] {
  const { first, epoch, term, k, lamport, time, chain, head, absent, bodies } = batch
  const { kinds } = decodeHead(head)
  const place = [lastOf(batch), first, epoch.counter, epoch.slot, term, k, lamport, time]
  return [...place, kinds, commit, chain, head, absent, bodies]
}

const HEAD_COLUMNS = 'first, epoch_counter, epoch_slot, term, k, lamport, time, chain, head, absent'
export const BATCH_COLUMNS = `${HEAD_COLUMNS}, bodies`
export const LEAN_COLUMNS = `${HEAD_COLUMNS}, ${LEAN_BODIES} AS bodies`

export interface BatchRow extends Omit<Batch, 'epoch'> {
  readonly epoch_counter: number
  readonly epoch_slot: number
}

export function batchOf({ epoch_counter, epoch_slot, ...batch }: BatchRow): Batch {
  return { ...batch, epoch: { counter: epoch_counter, slot: epoch_slot } }
}
