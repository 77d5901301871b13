// The file of one persistence replica. One process locks it, and one connection writes batches in
// the order of their requests. Invariant: each batch is one transaction, on disk (WAL,
// synchronous=FULL) before its answer. A write that fails for anything but lack of room is never
// retried: the file may then differ from the state in memory, so the replica must exit. Source:
// "How To Corrupt An SQLite Database File", sqlite.org, and Rebello et al., "Can Applications
// Recover from fsync Failures?".

import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { Connection, isSqliteError } from './connection.js'
import {
  NOTHING,
  UPSERT_STATE,
  changes,
  stateParameter,
  type PartialState,
} from './durable-state.js'
import { erasureOf, type Step } from './erasure.js'
import { canShrink, lock, openReader, openWriter } from './files.js'
import { Housekeeping, type HousekeepingBounds, type Kept } from './housekeeping.js'
import { migrate } from './migrate.js'
import { LogReader } from './reads.js'
import { StoreUnsound, recover, unsoundIfDamaged } from './recover.js'
import { SCHEMA, insertions } from './schema.js'
import { Scrub, type ScrubPace } from './scrub.js'
import { INSERT_MAIL, WaitingIndex } from './waiting-index.js'
import { CHAIN_ZERO, lastOf } from '../../protocol/entries/batch.js'
import { sameBytes } from '../../protocol/bytes.js'
import type { NamedDrop } from '../../protocol/entries/drop.js'
import { sameEpoch } from '../../protocol/entries/epoch.js'
import type {
  DurableState,
  Genesis,
  ReadQuery,
  ReadResult,
  Recovered,
  Transaction,
  WriteResult,
} from '../../protocol/machine/storage.js'
import type { Place } from '../../protocol/entries/place.js'
import type { Incarnation } from '../../protocol/entries/incarnation.js'

/** Committed entries that wait in memory before one step writes them to the table `mail`. */
const INDEX_STEP = 4096

/** Path of the note that records damage found while the file was in use. */
const damageOf = (path: string): string => `${path}.damage`

export class Store {
  readonly #path: string
  readonly #writer: Connection
  readonly #lock: Connection
  readonly #reader: LogReader
  readonly #waiting = new WaitingIndex()
  /** The file's durable state, never stale: only this process writes the file. */
  #state: PartialState
  #last: Place
  #queue: Promise<unknown> = Promise.resolve()
  #broken: Error | null = null
  readonly scrub: Scrub
  readonly housekeeping: Housekeeping
  #erasures = 0
  /** Transactions that are on disk, since the file was opened. */
  transactions = 0

  private constructor(
    path: string,
    writer: Connection,
    reader: Connection,
    lock: Connection,
    state: PartialState,
    last: Place,
    bounds?: HousekeepingBounds,
  ) {
    this.#path = path
    this.#writer = writer
    this.#lock = lock
    this.#state = state
    this.#last = last
    this.#reader = new LogReader(path, reader, this.#waiting, () => this.#state.indexed)
    this.scrub = new Scrub(
      path,
      () => this.#state.commit,
      () => this.#scrubbed(),
    )
    this.housekeeping = new Housekeeping(
      path,
      {
        kept: () => this.#kept(),
        index: () => this.#enqueue(() => this.#index()),
        write: (steps, erasures, fence) =>
          this.#enqueue(async () => {
            if (this.#erasures !== erasures || !(await this.#atomically(steps))) return false
            this.#state = { ...this.#state, fence }
            return true
          }),
        pragma: (name) => this.#enqueue(() => this.#pragma(name)),
      },
      bounds,
    )
  }

  #kept(): Kept {
    const { commit, indexed, erased, fence } = this.#state
    return { commit, indexed, erased, fence, erasures: this.#erasures }
  }

  /** Lack of room, or a reader, must not end the process: the statement is made again. */
  async #pragma(name: string): Promise<readonly unknown[]> {
    try {
      return await this.#writer.all(`PRAGMA ${name}`)
    } catch (error) {
      if (isSqliteError(error) && ['SQLITE_FULL', 'SQLITE_BUSY'].includes(error.code)) return []
      throw error
    }
  }

  /** Whether the file gives room back; files of before layout 6 only use it again. */
  canShrink(): Promise<boolean> {
    return canShrink(this.#writer)
  }

  /** Creates a file with its genesis. Throws if the file exists. */
  static async create(path: string, genesis: Genesis, incarnation: Incarnation): Promise<void> {
    const store = await Store.createEmpty(path)
    await store.write({ genesis: { genesis, incarnation } })
    await store.close()
  }

  /** Creates a file for a replica that has lost its own; its first batch brings the genesis. */
  static async createEmpty(path: string): Promise<Store> {
    if (existsSync(path))
      throw new Error(`${path} exists and is not overwritten; move it away first`)
    const locked = await lock(path)
    const writer = await openWriter(path, 'create')
    await writer.exec(`BEGIN; ${SCHEMA} COMMIT`)
    const reader = await openReader(path)
    return new Store(path, writer, reader, locked, NOTHING, { index: 0, chain: CHAIN_ZERO })
  }

  /**
   * Opens a file and recovers its state; null: no such file. Throws StoreUnsound if the file must
   * not be used. A file that would grow beyond `maxBytes` is full, as on a full disk.
   */
  static async open(
    path: string,
    options: { readonly maxBytes?: number; readonly housekeeping?: HousekeepingBounds } = {},
  ): Promise<{ store: Store; recovered: Recovered } | null> {
    if (!existsSync(path)) return null
    if (existsSync(damageOf(path))) {
      throw new StoreUnsound(path, readFileSync(damageOf(path), 'utf8'))
    }
    const opened: Connection[] = []
    const keep = (connection: Connection) => (opened.push(connection), connection)
    try {
      const locked = keep(await lock(path))
      return await unsoundIfDamaged(path, async () => {
        const writer = keep(await openWriter(path, 'write', options.maxBytes))
        await migrate(writer)
        const { recovered, state } = await recover(path, writer)
        const reader = keep(await openReader(path))
        const { last: index, chain } = recovered.durable
        const place = { index, chain }
        const { housekeeping } = options
        const store = new Store(path, writer, reader, locked, state, place, housekeeping)
        store.#waiting.add(await store.#reader.waitingAfter(state.indexed))
        return { store, recovered }
      })
    } catch (error) {
      await Promise.allSettled(opened.reverse().map((connection) => connection.close()))
      throw error
    }
  }

  /** Renames an unsound file, so that it can be examined; returns its new path. */
  static setAside(path: string): string {
    let n = 1
    while (existsSync(`${path}.unsound-${n}`)) n++
    for (const end of ['', '-wal', '-shm', '.damage']) {
      if (existsSync(path + end)) renameSync(path + end, `${path}.unsound-${n}${end}`)
    }
    return `${path}.unsound-${n}`
  }

  /** Rejects for every failure but lack of room; all later writes are then rejected too. */
  async write(transaction: Transaction): Promise<WriteResult> {
    try {
      return await this.#enqueue(() => this.#transact(transaction))
    } catch (error) {
      if (isSqliteError(error) && error.code === 'SQLITE_CORRUPT') this.#note(error.message)
      throw error
    }
  }

  /** `open` refuses the file for good. */
  #note(reason: string): void {
    writeFileSync(damageOf(this.#path), reason)
  }

  async #scrubbed(): Promise<void> {
    const scrubbed = Date.now()
    await this.#enqueue(async () => {
      const done = await this.#atomically([[UPSERT_STATE, stateParameter({ scrubbed })]])
      if (done) this.#state = { ...this.#state, scrubbed }
    })
  }

  /** When a pass through the whole file last ended, ms since 1970; 0: never. */
  get scrubbedAt(): number {
    return this.#state.scrubbed
  }

  /** Goes through the whole file, and keeps it small, until the store is closed. */
  watch(failed: (error: Error) => void, pace?: ScrubPace): void {
    const ended = (error: Error): void => {
      if (error instanceof StoreUnsound) this.#note(error.reason)
      failed(error)
    }
    this.scrub.start(ended, pace)
    this.housekeeping.start(ended)
  }

  /** Rejects with StoreUnsound if the file is damaged; `open` then refuses the file for good. */
  async read(query: ReadQuery): Promise<ReadResult> {
    try {
      return await unsoundIfDamaged(this.#path, () => this.#reader.read(query))
    } catch (error) {
      if (error instanceof StoreUnsound) this.#note(error.reason)
      if (!isSqliteError(error)) throw error
      return { kind: 'failed', reason: error.message }
    }
  }

  /**
   * Bytes of the main file and of the write-ahead log, and of all pages and the free pages in both as
   * long as they can be read. The main file grows and shrinks at checkpoints only.
   */
  async sizes(): Promise<Readonly<Record<string, number>>> {
    const bytes = (end: string) => statSync(this.#path + end, { throwIfNoEntry: false })?.size ?? 0
    const pages = await this.#reader.pageBytes().catch(() => null)
    return { main: bytes(''), wal: bytes('-wal'), ...pages }
  }

  /** Closes after all requested writes, and moves the write-ahead log into the file. */
  async close(): Promise<void> {
    await this.scrub.stop()
    await this.housekeeping.stop()
    await this.#queue
    await this.#reader.close()
    if (!this.#broken) await this.#writer.all('PRAGMA wal_checkpoint(TRUNCATE)')
    await this.#writer.close()
    await this.#lock.close()
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(async () => {
      if (this.#broken) throw this.#broken
      try {
        return await work()
      } catch (error) {
        this.#broken = error as Error
        throw error
      }
    })
    this.#queue = done.catch(() => {})
    return done
  }

  #durable(): DurableState {
    const { promised, view, commit } = this.#state
    const { index, chain } = this.#last
    return { promised, logView: view.epoch, last: index, chain, commit }
  }

  #holds(require: Transaction['require']): boolean {
    if (require?.promised && !sameEpoch(require.promised, this.#state.promised)) return false
    const { last } = require ?? {}
    return !last || (last.index === this.#last.index && sameBytes(last.chain, this.#last.chain))
  }

  async #transact(transaction: Transaction): Promise<WriteResult> {
    if (!this.#holds(transaction.require)) return { outcome: 'stale', durable: this.#durable() }
    const { batches = [], truncateAfter = this.#last.index } = transaction
    const truncates = truncateAfter < this.#last.index
    const kept = truncates ? await this.#placeAt(truncateAfter) : this.#last
    const end = batches.at(-1)
    const last = end ? { index: lastOf(end), chain: end.chain } : kept
    if (truncateAfter < this.#state.commit) {
      throw new Error(`P3: truncation after ${truncateAfter}, committed ${this.#state.commit}`)
    }
    if (batches[0] && batches[0].first !== kept.index + 1) {
      throw new Error(`entry ${batches[0].first} does not follow entry ${kept.index}`)
    }
    const commit = Math.max(this.#state.commit, Math.min(transaction.commit ?? 0, last.index))
    // The last batch's `commit_seen` carries the commit index; without a new batch, the state does.
    const ownRow = (truncates || !end) && commit > this.#state.commit
    const changed = {
      ...changes(this.#state, transaction),
      ...((ownRow || truncates) && { commit }),
    }
    const erasure = await this.#erasure(transaction.erase ?? [], commit)
    const steps: Step[] = []
    if (truncates) steps.push(['DELETE FROM batches WHERE last > ?', truncateAfter])
    steps.push(...insertions(batches, commit), ...erasure.steps)
    if (Object.keys(changed).length > 0) steps.push([UPSERT_STATE, stateParameter(changed)])
    if (!(await this.#atomically(steps))) return { outcome: 'full' }
    if (truncates) this.#waiting.truncateAfter(truncateAfter)
    this.#waiting.add(batches)
    this.#waiting.erase(erasure.indices)
    if (erasure.indices.length > 0) this.#erasures++
    this.#state = { ...this.#state, ...changed, commit }
    this.#last = last
    const durable = this.#durable()
    if (commit - this.#state.indexed >= INDEX_STEP)
      this.#enqueue(() => this.#index()).catch(() => {})
    return { outcome: 'written', durable }
  }

  async #erasure(drops: readonly NamedDrop[], commit: number): ReturnType<typeof erasureOf> {
    const through = drops.at(-1)?.index ?? 0
    if (through === 0) return { steps: [], indices: [] }
    if (through > commit) throw new Error(`P3: DROP ${through} above what is committed, ${commit}`)
    return erasureOf(this.#writer, drops)
  }

  async #placeAt(index: number): Promise<Place> {
    if (index === 0) return { index, chain: CHAIN_ZERO }
    const sql = 'SELECT chain FROM batches WHERE last = ?'
    const [row] = await this.#writer.all<{ chain: Uint8Array }>(sql, index)
    if (!row) throw new Error(`entry ${index} is missing`)
    return { index, chain: row.chain }
  }

  /** Runs the steps in one transaction. Returns false if they were rolled back for lack of room. */
  async #atomically(steps: readonly Step[]): Promise<boolean> {
    const whole: Step[] =
      steps.length > 1 ? [['BEGIN IMMEDIATE'], ...steps, ['COMMIT']] : [...steps]
    try {
      for (const [sql, ...parameters] of whole) await this.#writer.run(sql, ...parameters)
      if (steps.length > 0) this.transactions++
      return true
    } catch (error) {
      // SQLite may have rolled back already; ROLLBACK then fails, which is harmless.
      if (steps.length > 1) await this.#writer.exec('ROLLBACK').catch(() => {})
      if (isSqliteError(error) && error.code === 'SQLITE_FULL') return false
      throw error
    }
  }

  /** Writes the committed messages that wait to the table `mail`. */
  async #index(): Promise<void> {
    const { commit } = this.#state
    const done = await this.#atomically([
      [INSERT_MAIL, this.#waiting.mailParameter(commit)],
      [UPSERT_STATE, stateParameter({ indexed: commit })],
    ])
    if (!done) return
    this.#state = { ...this.#state, indexed: commit }
    this.#waiting.drop(commit)
  }
}
