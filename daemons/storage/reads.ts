// Reads from the file on a connection of its own, so that a mailbox page never waits for a write.
// Indices and weights are read first, so that no body beyond the query's bounds is loaded.

import type { Connection } from './connection.js'
import { HOLDING } from './erasure.js'
import { contentBytes } from './files.js'
import { BATCH_COLUMNS, LEAN_BODIES, LEAN_COLUMNS, batchOf, type BatchRow } from './schema.js'
import { StoreUnsound, chainFault } from './recover.js'
import { CHAIN_ZERO, entriesOf, withoutMessages, type Batch } from '../../protocol/entries/batch.js'
import { encodeMeta } from '../../protocol/entries/entry.js'
import { envelopeOf } from '../../protocol/entries/message.js'
import type { Found, WaitingIndex } from './waiting-index.js'
import type { ReadQuery, ReadResult, StoredMessage } from '../../protocol/machine/storage.js'

type Bounds = Extract<ReadQuery, { kind: 'batches' }>

/** Batches loaded at a time for the messages of a page. */
const LOADED_BATCHES = 16

/** As many as fit into both bounds, and the first one in any case. */
function within<T extends { readonly weight: number; readonly entries: number }>(
  found: readonly T[],
  { limit, maxBytes }: Pick<Bounds, 'limit' | 'maxBytes'>,
): T[] {
  let bytes = 0
  let entries = 0
  const end = found.findIndex((one, i) => {
    bytes += one.weight
    entries += one.entries
    return i > 0 && (entries > limit || bytes > maxBytes)
  })
  return end < 0 ? [...found] : found.slice(0, end)
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

  read(query: ReadQuery): Promise<ReadResult> {
    switch (query.kind) {
      case 'places':
        return this.#places(query.indices)
      case 'batches':
        return this.#batchesAfter(query)
      case 'mailbox':
        return this.#mailbox(query)
    }
  }

  /** The batches above `index`, for the waiting index of a starting store. */
  async waitingAfter(index: number): Promise<Batch[]> {
    const sql = `SELECT ${BATCH_COLUMNS} FROM batches WHERE last > ? ORDER BY last`
    const rows = await this.#connection.all<BatchRow>(sql, index)
    return rows.map(batchOf)
  }

  contentBytes(): Promise<number> {
    return contentBytes(this.#connection)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #batchesAfter(query: Bounds): Promise<ReadResult> {
    const found = await this.#connection.all<{ last: number; weight: number; entries: number }>(
      `SELECT last, length(head) + length(${query.lean ? LEAN_BODIES : 'bodies'}) + 160 AS weight, last - first + 1 AS entries
       FROM batches WHERE last > ? ORDER BY last LIMIT ?`,
      query.after,
      query.limit,
    )
    const taken = within(found, query)
    const batches = await this.#verified(
      taken.map(({ last }) => last),
      query.lean,
    )
    if (batches.length !== taken.length) return CUT
    return { kind: 'batches', batches }
  }

  async #mailbox(query: Extract<ReadQuery, { kind: 'mailbox' }>): Promise<ReadResult> {
    const found = await this.#found(query)
    const taken = within(
      found.map((one) => ({ ...one, entries: 1 })),
      query,
    ).slice(0, query.limit)
    const messages = await this.#messages(new Set(taken.map(({ idx }) => idx)))
    if (messages.length !== taken.length) return CUT
    return { kind: 'mailbox', messages, more: found.length > taken.length }
  }

  /** Messages with these indices. Their batches are loaded a few at a time, as they may be many. */
  async #messages(indices: ReadonlySet<number>): Promise<StoredMessage[]> {
    const holding = await this.#connection.all<{ last: number }>(
      `SELECT last FROM batches WHERE ${HOLDING} ORDER BY last`,
      JSON.stringify([...indices]),
    )
    const messages: StoredMessage[] = []
    for (let from = 0; from < holding.length; from += LOADED_BATCHES) {
      const lasts = holding.slice(from, from + LOADED_BATCHES).map(({ last }) => last)
      for (const entry of (await this.#verified(lasts)).flatMap(entriesOf)) {
        const { index, time, meta, body } = entry
        if (!indices.has(index) || body.length === 0) continue
        messages.push({ index, time, meta: encodeMeta(meta), envelope: envelopeOf(entry) })
      }
    }
    return messages
  }

  async #found(query: Extract<ReadQuery, { kind: 'mailbox' }>): Promise<Found[]> {
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

  /**
   * The batches that end at these indices, each verified by the chain before it, so that no
   * corrupted entry leaves the replica. `lean`: without the bodies of messages.
   */
  async #verified(lasts: readonly number[], lean = false): Promise<Batch[]> {
    // A single statement reads a single snapshot of the file, despite concurrent writes.
    const rows = await this.#connection.all<BatchRow & { readonly before: Uint8Array | null }>(
      `SELECT ${lean ? LEAN_COLUMNS : BATCH_COLUMNS},
         (SELECT chain FROM batches AS previous WHERE previous.last = batches.first - 1) AS before
       FROM batches WHERE last IN (SELECT value FROM json_each(?)) ORDER BY last`,
      JSON.stringify(lasts),
    )
    return rows.map(({ before, ...row }) => {
      const batch = lean ? withoutMessages(batchOf(row)) : batchOf(row)
      const previous = { index: batch.first - 1, chain: before ?? CHAIN_ZERO }
      const fault = chainFault(previous, [batch])
      if (fault) throw new StoreUnsound(this.#path, fault)
      return batch
    })
  }

  async #places(indices: readonly number[]): Promise<ReadResult> {
    const rows = await this.#connection.all<{ last: number; chain: Uint8Array }>(
      'SELECT last, chain FROM batches WHERE last IN (SELECT value FROM json_each(?)) ORDER BY last',
      JSON.stringify(indices),
    )
    return { kind: 'places', places: rows.map(({ last, chain }) => ({ index: last, chain })) }
  }
}

const CUT: ReadResult = { kind: 'failed', reason: 'the log was cut while it was read' }
