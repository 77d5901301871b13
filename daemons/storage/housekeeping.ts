// Keeps the file small while it serves, in steps, at a bounded share of the time: committed messages
// go to the table `mail`, old batches into segments, free pages back to the system, and the
// write-ahead log into the file, so that no erased text outlasts it there. Each step is a transaction
// of less than one group of appends, and waits its turn among the writes.

import { Background } from './background.js'
import { isSqliteError, type Connection } from './connection.js'
import { UPSERT_STATE, stateParameter } from './durable-state.js'
import type { Step } from './erasure.js'
import { openReader, pragma } from './files.js'
import { StoreUnsound, chainFault, unsoundIfDamaged } from './recover.js'
import { chainAt, packBatches } from './segments.js'
import { BATCH_COLUMNS, batchOf, type BatchRow } from './schema.js'
import { lastOf, weighBatch, type Batch } from '../../protocol/entries/batch.js'
import { dropsOf } from '../../protocol/entries/drop.js'
import { advanceFence, type Fence } from '../../protocol/entries/fence.js'

interface HousekeepingPace {
  /** Between two looks at a file with nothing to do, ms. */
  readonly idleMs: number
  /** Share of the time that steps take, at the most. */
  readonly share: number
}

const PACE: HousekeepingPace = { idleMs: 1_000, share: 0.1 }
/** The pause after a step is this at least, ms. */
const LEAST_PAUSE_MS = 5

export interface HousekeepingBounds {
  /** Batches of the last so many committed entries keep their rows: others ask for them. */
  readonly loose: number
  /** Bytes of one segment before it is packed; a larger batch is a segment of its own. */
  readonly segmentBytes: number
  /** Batches of one segment, at the most. */
  readonly segmentBatches: number
  /** So many committed entries wait in memory for the table `mail`, at the most. */
  readonly unindexed: number
  /** Free pages that stay in the file: the next writes use them. */
  readonly freePages: number
  /** Pages that one step gives back. */
  readonly vacuumPages: number
}

export const HOUSEKEEPING: HousekeepingBounds = {
  loose: 1_024,
  segmentBytes: 64 * 1024,
  segmentBatches: 1_024,
  unindexed: 1_024,
  freePages: 128,
  vacuumPages: 64,
}

/** What it works on: the writer's state, and its queue. */
export interface Kept {
  readonly commit: number
  readonly indexed: number
  readonly erased: number
  /** At the end of the segments. */
  readonly fence: Fence
  /** Erasures since the file was opened: bodies may have left rows that were read before. */
  readonly erasures: number
}

export interface Housed {
  kept(): Kept
  index(): Promise<void>
  /** Writes in one transaction, if there was no further erasure; false: it was not written. */
  write(steps: readonly Step[], erasures: number, fence: Fence): Promise<boolean>
  /** Runs a statement beside transactions. */
  pragma(name: string): Promise<readonly unknown[]>
}

export class Housekeeping {
  readonly #path: string
  readonly #housed: Housed
  #pace = PACE
  readonly bounds: HousekeepingBounds
  readonly #background = new Background()
  #reader: Connection | null = null
  /** Erasures whose old bytes are known to have left the write-ahead log. */
  #truncated = 0
  #shrinks = true
  /** Segments made, and pages given back, since the file was opened. */
  segments = 0
  vacuumedPages = 0
  /** When a step last gave pages back, ms since 1970; 0: none has. */
  vacuumedAt = 0

  constructor(path: string, housed: Housed, bounds = HOUSEKEEPING) {
    this.#path = path
    this.#housed = housed
    this.bounds = bounds
  }

  /** Begins; `failed` is called once, with StoreUnsound where damage was found. */
  start(failed: (error: Error) => void, pace = PACE): void {
    this.#pace = pace
    this.#background.start(() => this.#run(), failed)
  }

  async stop(): Promise<void> {
    await this.#background.stop()
    await this.#reader?.close()
  }

  async #run(): Promise<void> {
    for (;;) {
      const begun = performance.now()
      const worked = await this.step()
      const took = performance.now() - begun
      const pause = worked
        ? Math.max(LEAST_PAUSE_MS, took / this.#pace.share - took)
        : this.#pace.idleMs
      await this.#background.pause(pause)
    }
  }

  /** Does all that there is to do now. */
  async finish(): Promise<void> {
    while (await this.step());
  }

  /** One step; false: there was nothing to do. A file that is busy just now is asked again. */
  async step(): Promise<boolean> {
    try {
      return await unsoundIfDamaged(this.#path, () => this.#step())
    } catch (error) {
      if (!isSqliteError(error) || error.code !== 'SQLITE_BUSY') throw error
      return false
    }
  }

  async #step(): Promise<boolean> {
    this.#reader ??= await openReader(this.#path)
    const { commit, indexed } = this.#housed.kept()
    if (commit - indexed >= this.bounds.unindexed) {
      await this.#housed.index()
      return this.#housed.kept().indexed > indexed
    }
    return (await this.#pack()) || (await this.#vacuum()) || (await this.#truncate())
  }

  // ---- segments -------------------------------------------------------------------------------

  async #pack(): Promise<boolean> {
    const kept = this.#housed.kept()
    const batches = await this.#old(this.#reader!, kept)
    if (!batches) return false
    const fault = chainFault(await this.#before(batches), batches)
    if (fault) throw new StoreUnsound(this.#path, fault)
    const [first, last] = [batches[0]!.first, lastOf(batches.at(-1)!)]
    const fence = batches.reduce(advanceFence, kept.fence)
    const row = [
      last,
      first,
      fence.time,
      batches.at(-1)!.chain,
      await packBatches(batches),
    ] as const
    const written = await this.#housed.write(
      [
        ['INSERT INTO segments VALUES (?, ?, ?, ?, ?)', ...row],
        ['DELETE FROM batches WHERE last <= ?', last],
        [UPSERT_STATE, stateParameter({ fence })],
      ],
      kept.erasures,
      fence,
    )
    if (written) this.segments++
    return written
  }

  async #before([first]: readonly Batch[]) {
    const index = first!.first - 1
    const chain = await chainAt(this.#reader!, index)
    if (!chain) throw new StoreUnsound(this.#path, `entry ${index} is missing`)
    return { index, chain }
  }

  /** The batches of the next segment; null: there are not enough that are old. */
  async #old(connection: Connection, kept: Kept): Promise<Batch[] | null> {
    const { loose, segmentBytes, segmentBatches } = this.bounds
    const through = Math.min(kept.indexed, kept.commit - loose)
    const found = await connection.all<{ last: number; bytes: number }>(
      `SELECT last, length(head) + length(bodies) + ${weighBatch(NOTHING)} AS bytes
       FROM batches WHERE last <= ? ORDER BY last LIMIT ?`,
      through,
      segmentBatches,
    )
    let bytes = 0
    const most = found.findIndex((row) => (bytes += row.bytes) > segmentBytes)
    if (most < 0 && found.length < segmentBatches) return null
    const end = found[most < 0 ? found.length - 1 : Math.max(0, most - 1)]!.last
    const sql = `SELECT ${BATCH_COLUMNS} FROM batches WHERE last <= ? ORDER BY last`
    const batches = (await connection.all<BatchRow>(sql, end)).map(batchOf)
    // The start looks for DROPs that are not carried out in rows.
    const open = batches.findIndex((batch) =>
      dropsOf(batch).some(({ index }) => index > kept.erased),
    )
    const old = open < 0 ? batches : batches.slice(0, open)
    return old.length > 0 ? old : null
  }

  // ---- pages ----------------------------------------------------------------------------------

  async #vacuum(): Promise<boolean> {
    if (!this.#shrinks) return false
    const free = Number(await pragma(this.#reader!, 'freelist_count'))
    const pages = Math.min(free - this.bounds.freePages, this.bounds.vacuumPages)
    if (pages <= 0) return false
    await this.#housed.pragma(`incremental_vacuum(${pages})`)
    const left = Number(await pragma(this.#reader!, 'freelist_count'))
    // A file that was made without auto_vacuum keeps its pages, and uses them again.
    this.#shrinks = left < free
    if (!this.#shrinks) return false
    this.vacuumedPages += free - left
    this.vacuumedAt = Date.now()
    return true
  }

  /** The write-ahead log keeps old pages until it begins anew: erased texts must not stay there. */
  async #truncate(): Promise<boolean> {
    const { erasures } = this.#housed.kept()
    if (this.#truncated === erasures) return false
    const [result] = await this.#housed.pragma('wal_checkpoint(TRUNCATE)')
    if ((result as { busy: number } | undefined)?.busy !== 0) return false
    this.#truncated = erasures
    return true
  }
}

const NOTHING = { head: new Uint8Array(0), bodies: new Uint8Array(0) }
