// Reads from the file on a connection of its own, so that a mailbox page never waits for a write.
// Indices and weights are read first, so that no body beyond the query's bounds is loaded.

import type { Connection } from './connection.js'
import { contentBytes } from './files.js'
import { ENTRY_COLUMNS, entryOf } from './schema.js'
import { StoreUnsound, chainFault } from './recover.js'
import type { EntryRow } from './schema.js'
import { CHAIN_ZERO } from '../../protocol/entries/entry.js'
import type { Entry } from '../../protocol/entries/entry.js'
import { waitingOf } from './waiting-index.js'
import type { Found, Waiting, WaitingIndex } from './waiting-index.js'
import type { ReadQuery, ReadResult } from '../../protocol/machine/storage.js'

type Page = Extract<ReadQuery, { kind: 'entries' | 'mailbox' }>

/** The entries that fit into both bounds, and the first one in any case. */
function within(found: readonly Found[], limit: number, maxBytes: number): Found[] {
  let bytes = 0
  let n = 0
  for (const { weight } of found) {
    bytes += weight
    if (n >= limit || (n > 0 && bytes > maxBytes)) break
    n++
  }
  return found.slice(0, n)
}

export class LogReader {
  readonly #path: string
  readonly #connection: Connection
  readonly #waiting: WaitingIndex
  readonly #indexed: () => number

  constructor(path: string, connection: Connection, waiting: WaitingIndex, indexed: () => number) {
    this.#path = path
    this.#connection = connection
    this.#waiting = waiting
    this.#indexed = indexed
  }

  async read(query: ReadQuery): Promise<ReadResult> {
    if (query.kind === 'places') return this.#places(query.indices)
    const found = query.kind === 'entries' ? await this.#after(query) : await this.#mailbox(query)
    const taken = within(found, query.limit, query.maxBytes)
    const entries = await this.#entries(taken.map(({ idx }) => idx))
    if (entries.length !== taken.length) {
      return { kind: 'failed', reason: 'the log was cut while it was read' }
    }
    return { kind: query.kind, entries, more: found.length > taken.length }
  }

  /** The waiting index of a starting store: the file's entries above `index`. */
  async waitingAfter(index: number): Promise<Waiting[]> {
    const sql = `SELECT ${ENTRY_COLUMNS} FROM entries WHERE idx > ? ORDER BY idx`
    const rows = await this.#connection.all<EntryRow>(sql, index)
    return rows.map((row) => waitingOf(row.idx, row, row.body_hash !== null))
  }

  contentBytes(): Promise<number> {
    return contentBytes(this.#connection)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  #after({ after, limit }: Page): Promise<Found[]> {
    return this.#connection.all<Found>(
      `SELECT idx, length(meta) + length(body) + 64 AS weight FROM entries
       WHERE idx > ? ORDER BY idx LIMIT ?`,
      after,
      limit + 1,
    )
  }

  async #mailbox(query: Extract<ReadQuery, { kind: 'mailbox' }>): Promise<Found[]> {
    const { mailbox, after, through, limit, without } = query
    // Both are taken before any await: entries that move to the table meanwhile are above
    // `indexed`.
    const indexed = this.#indexed()
    const waiting = this.#waiting
      .mailbox(mailbox, after, through)
      .filter(({ idx }) => !without.includes(idx))
    const found = await this.#connection.all<Found>(
      `SELECT idx, weight FROM mail WHERE mailbox = ? AND idx > ? AND idx <= ?
       AND idx NOT IN (SELECT value FROM json_each(?)) ORDER BY idx LIMIT ?`,
      mailbox,
      after,
      Math.min(through, indexed),
      JSON.stringify(without),
      limit + 1,
    )
    return [...found, ...waiting]
  }

  /** Verifies each entry by the chain before it, so that no corrupted entry leaves the replica. */
  async #entries(indices: readonly number[]): Promise<Entry[]> {
    if (indices.length === 0) return []
    // A single statement reads a single snapshot of the file, despite concurrent writes.
    const rows = await this.#connection.all<EntryRow & { readonly before: Uint8Array | null }>(
      `SELECT ${ENTRY_COLUMNS},
         (SELECT chain FROM entries AS previous WHERE previous.idx = entries.idx - 1) AS before
       FROM entries WHERE idx IN (SELECT value FROM json_each(?)) ORDER BY idx`,
      JSON.stringify(indices),
    )
    return rows.map(({ before, ...row }) => {
      const entry = entryOf(row)
      const previous = { index: entry.index - 1, chain: before ?? CHAIN_ZERO }
      const fault = chainFault(previous, [entry])
      if (fault) throw new StoreUnsound(this.#path, fault)
      return entry
    })
  }

  async #places(indices: readonly number[]): Promise<ReadResult> {
    const rows = await this.#connection.all<{ idx: number; chain: Uint8Array }>(
      'SELECT idx, chain FROM entries WHERE idx IN (SELECT value FROM json_each(?)) ORDER BY idx',
      JSON.stringify(indices),
    )
    return { kind: 'places', places: rows.map(({ idx, chain }) => ({ index: idx, chain })) }
  }
}
