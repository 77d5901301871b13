// Goes through a whole file in the background, at a bounded share of the time: what the start does
// not check. Each batch is verified by the chain, the other tables and indices are read to their
// ends. Only committed batches are read, which never change but for bodies that are erased.

import { Background } from './background.js'
import { isSqliteError, type Connection } from './connection.js'
import { openReader } from './files.js'
import { StoreUnsound, chainFault, unsoundIfDamaged } from './recover.js'
import { HAS_DROP, HAS_TERM } from './schema.js'
import { batchesAfter } from './segments.js'
import { CHAIN_ZERO, lastOf } from '../../protocol/entries/batch.js'
import type { Place } from '../../protocol/entries/place.js'

export interface ScrubPace {
  /** Until the first pass, ms. */
  readonly firstMs: number
  /** From the end of a pass to the next one, ms. */
  readonly restMs: number
  /** Share of the time that a pass takes, at the most. */
  readonly share: number
}

const SCRUB_PACE: ScrubPace = { firstMs: 10_000, restMs: 24 * 3_600_000, share: 0.05 }

const STEP_BATCHES = 64
const STEP_ROWS = 2_048
/** The pause after a step is this at least, ms: a short step must not make a busy loop. */
const LEAST_PAUSE_MS = 5

interface Mail {
  readonly mailbox: string
  readonly idx: number
}

export class Scrub {
  readonly #path: string
  readonly #committed: () => number
  readonly #notePass: () => Promise<void>
  #pace = SCRUB_PACE
  readonly #background = new Background()
  /** The pass under way has verified entries through this index. */
  verified = 0

  /** `committed`: index through which the log is committed. `passed` notes the end of a pass. */
  constructor(path: string, committed: () => number, passed: () => Promise<void>) {
    this.#path = path
    this.#committed = committed
    this.#notePass = passed
  }

  /** Begins; `failed` is called once, with StoreUnsound where damage was found. */
  start(failed: (error: Error) => void, pace = SCRUB_PACE): void {
    this.#pace = pace
    this.#background.start(() => this.#run(), failed)
  }

  stop(): Promise<void> {
    return this.#background.stop()
  }

  async #run(): Promise<void> {
    await this.#background.pause(this.#pace.firstMs)
    for (;;) {
      await this.pass()
      await this.#background.pause(this.#pace.restMs)
    }
  }

  /** One whole pass. Throws StoreUnsound. */
  async pass(): Promise<void> {
    const connection = await openReader(this.#path)
    try {
      await unsoundIfDamaged(this.#path, async () => {
        await this.#batches(connection)
        await this.#index(connection, HAS_TERM)
        await this.#index(connection, HAS_DROP)
        await this.#mail(connection)
      })
      await this.#notePass()
    } finally {
      await connection.close()
    }
  }

  /** Runs a step, and pauses after it. A file that is busy just now is asked again. */
  async #step<T>(work: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    let done: { readonly value: T } | null = null
    try {
      done = { value: await work() }
    } catch (error) {
      if (!isSqliteError(error) || error.code !== 'SQLITE_BUSY') throw error
    }
    const took = performance.now() - begun
    await this.#background.pause(Math.max(LEAST_PAUSE_MS, took / this.#pace.share - took))
    return done ? done.value : this.#step(work)
  }

  async #batches(connection: Connection): Promise<void> {
    const through = this.#committed()
    let place: Place = { index: 0, chain: CHAIN_ZERO }
    this.verified = 0
    while (place.index < through) {
      const before = place
      place = await this.#step(async () => {
        const found = await batchesAfter(connection, before.index, STEP_BATCHES)
        const batches = found.filter((batch) => lastOf(batch) <= through)
        const end = batches.at(-1)
        const fault = chainFault(before, batches)
        if (!end || fault !== null)
          throw new StoreUnsound(this.#path, fault ?? `entry ${before.index + 1} is missing`)
        return { index: lastOf(end), chain: end.chain }
      })
      this.verified = place.index
    }
  }

  async #index(connection: Connection, where: string): Promise<void> {
    for (let after: number | undefined = 0; after !== undefined;) {
      const before: number = after
      const sql = `SELECT last FROM batches WHERE ${where} AND last > ? ORDER BY last LIMIT ?`
      const rows = await this.#step(() => connection.all<{ last: number }>(sql, before, STEP_ROWS))
      after = rows.at(-1)?.last
    }
  }

  async #mail(connection: Connection): Promise<void> {
    const sql = `SELECT mailbox, idx FROM mail WHERE (mailbox, idx) > (?, ?)
      ORDER BY mailbox, idx LIMIT ?`
    let after: Mail | undefined = { mailbox: '', idx: 0 }
    while (after) {
      const { mailbox, idx }: Mail = after
      const rows: Mail[] = await this.#step(() =>
        connection.all<Mail>(sql, mailbox, idx, STEP_ROWS),
      )
      after = rows.at(-1)
    }
  }
}
