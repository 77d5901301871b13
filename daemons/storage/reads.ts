// Reads from the file on a connection of its own, so that a mailbox page never waits for a write.
// Indices and weights are read first, so that no body beyond the query's bounds is loaded.

import type { Connection } from './connection.js'
import { HOLDING } from './erasure.js'
import { pageBytes } from './files.js'
import { BATCH_COLUMNS, LEAN_BODIES, LEAN_COLUMNS, batchOf, type BatchRow } from './schema.js'
import { StoreUnsound, chainFault } from './recover.js'
import * as segments from './segments.js'
import { indexAtTime } from './times.js'
import {
  CHAIN_ZERO,
  bodiesMatch,
  checkBodies,
  countOf,
  entriesOf,
  weighBatch,
  withoutMessages,
  type Batch,
} from '../../protocol/entries/batch.js'
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
      case 'time':
        return this.#before(query.time)
    }
  }

  /** The batches above `index`, for the waiting index of a starting store. */
  async waitingAfter(index: number): Promise<Batch[]> {
    const sql = `SELECT ${BATCH_COLUMNS} FROM batches WHERE last > ? ORDER BY last`
    const rows = await this.#connection.all<BatchRow>(sql, index)
    return rows.map(batchOf)
  }

  pageBytes(): ReturnType<typeof pageBytes> {
    return pageBytes(this.#connection)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #before(time: number): Promise<ReadResult> {
    return { kind: 'time', index: await indexAtTime(this.#connection, time) }
  }

  async #batchesAfter(query: Bounds): Promise<ReadResult> {
    if (!(await segments.isLoose(this.#connection, query.after))) return this.#packedAfter(query)
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
    // Rows that moved into a segment meanwhile.
    if (batches[0] && batches[0].first > query.after + 1) return this.#packedAfter(query)
    if (batches.length !== taken.length) return CUT
    return { kind: 'batches', batches }
  }

  /** From a segment; nothing is there if the log ends at `after`. */
  async #packedAfter(query: Bounds): Promise<ReadResult> {
    const all = await segments.packedAfter(this.#connection, query.after)
    const lean = query.lean ? all.map(withoutMessages) : all
    const weighed = lean.map((batch) => {
      return { batch, weight: weighBatch(batch), entries: countOf(batch) }
    })
    const batches = within(weighed, query).map(({ batch }) => batch)
    this.#checkBodies(batches)
    return { kind: 'batches', batches }
  }

  /** Chains of segments are verified as they are unpacked. */
  #checkBodies(batches: readonly Batch[]): void {
    for (const batch of batches) {
      checkBodies(batch)
      if (bodiesMatch(batch)) continue
      const reason = `a body is not the one that entry ${batch.first} or a next one had`
      throw new StoreUnsound(this.#path, reason)
    }
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

  /** Messages with these indices. Rows move into segments meanwhile, hence these come second. */
  async #messages(indices: ReadonlySet<number>): Promise<StoredMessage[]> {
    const packed = await segments.packedThrough(this.#connection)
    const loose = await this.#loose(new Set([...indices].filter((index) => index > packed)))
    const missing = new Set(indices)
    for (const { index } of loose) missing.delete(index)
    return [...(await this.#packed(missing)), ...loose].sort((a, b) => a.index - b.index)
  }

  /** Their batches are loaded a few at a time, as they may be many. */
  async #loose(indices: ReadonlySet<number>): Promise<StoredMessage[]> {
    const holding = await this.#connection.all<{ last: number }>(
      `SELECT last FROM batches WHERE ${HOLDING} ORDER BY last`,
      JSON.stringify([...indices]),
    )
    const messages: StoredMessage[] = []
    for (let from = 0; from < holding.length; from += LOADED_BATCHES) {
      const lasts = holding.slice(from, from + LOADED_BATCHES).map(({ last }) => last)
      messages.push(...storedIn(await this.#verified(lasts), indices))
    }
    return messages
  }

  async #packed(indices: ReadonlySet<number>): Promise<StoredMessage[]> {
    if (indices.size === 0) return []
    const holding = await this.#connection.all<{ last: number }>(
      `SELECT last FROM segments WHERE ${segments.SEGMENTS_HOLDING} ORDER BY last`,
      JSON.stringify([...indices]),
    )
    const messages: StoredMessage[] = []
    for (const { last } of holding) {
      const [row] = await segments.segmentsWhere(this.#connection, 'last = ?', last)
      // A segment may have been merged with the next one meanwhile: the read is then repeated.
      const batches = row ? await segments.batchesOf(row) : []
      const wanted = batches.filter((batch) =>
        entriesOf(batch).some((one) => indices.has(one.index)),
      )
      this.#checkBodies(wanted)
      messages.push(...storedIn(wanted, indices))
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
         coalesce(
           (SELECT chain FROM batches AS previous WHERE previous.last = batches.first - 1),
           (SELECT chain FROM segments WHERE segments.last = batches.first - 1)
         ) AS before
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
    const chains = indices.map((index) => segments.chainAt(this.#connection, index))
    const places = (await Promise.all(chains)).flatMap((chain, i) =>
      chain && indices[i]! > 0 ? { index: indices[i]!, chain } : [],
    )
    return { kind: 'places', places: places.sort((a, b) => a.index - b.index) }
  }
}

function storedIn(batches: readonly Batch[], indices: ReadonlySet<number>): StoredMessage[] {
  return batches.flatMap(entriesOf).flatMap((entry) => {
    const { index, time, meta, body } = entry
    if (!indices.has(index) || body.length === 0) return []
    return { index, time, meta: encodeMeta(meta), envelope: envelopeOf(entry) }
  })
}

const CUT: ReadResult = { kind: 'failed', reason: 'the log was cut while it was read' }
