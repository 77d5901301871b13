// How a processing replica comes by its state: it loads its snapshot, a part at a time, and follows
// the log from there. Until the log is known to hold the place of the state, the replica executes
// nothing and answers nothing from it. A snapshot that cannot be used is thrown away, and the state
// is built from entry 1.

import type { The } from '../messages/catalogue.js'
import { SnapshotLoader } from '../snapshot/load.js'
import type { LoadedPart } from '../snapshot/record.js'
import type { Executor } from '../state/executor.js'
import type { ProcessingContext } from './context.js'
import type { LogClient } from './log-client.js'
import type { LogQueries } from './log-queries.js'
import type { Snapshots } from './snapshots.js'

export interface RecoveryEvents {
  /** The committed log holds the place of the state. */
  placed(): void
  /** The state is not of this log: it is forgotten, with the results of orders under way. */
  astray(reason: string): void
}

export class Recovery {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #log: LogClient
  readonly #queries: LogQueries
  /** null: this replica keeps no snapshots. */
  readonly #snapshots: Snapshots | null
  readonly #events: RecoveryEvents
  #loader: SnapshotLoader | null = null
  /** Records of the snapshot that the state is from. */
  #records = 0
  #asksTip = false

  constructor(
    context: ProcessingContext,
    executor: Executor,
    log: LogClient,
    queries: LogQueries,
    snapshots: Snapshots | null,
    events: RecoveryEvents,
  ) {
    this.#context = context
    this.#executor = executor
    this.#log = log
    this.#queries = queries
    this.#snapshots = snapshots
    this.#events = events
  }

  /** Records of the snapshot that are loaded; null: it is not being loaded. */
  get loaded(): number | null {
    return this.#loader?.loaded ?? null
  }

  /** `stored`: there is a snapshot. */
  begin(stored: boolean): void {
    this.#snapshots?.started()
    if (!stored) return
    this.#loader = new SnapshotLoader(this.#context)
    this.#executor.placed = false
    this.#log.waits = true
    this.#load(null)
  }

  /** Asks for the records after the one with this key. */
  #load(after: string | null): void {
    this.#context.outbox.load(after, (part) => this.#onLoaded(part))
  }

  #onLoaded(part: LoadedPart | { readonly unsound: string }): void {
    const loader = this.#loader!
    try {
      if ('unsound' in part) throw new RangeError(part.unsound)
      const ledger = loader.add(part)
      if (!ledger) return this.#load(part.records.at(-1)!.key)
      this.#executor.load(ledger)
      this.#snapshots?.started()
      this.#records = loader.loaded
    } catch (error) {
      const { message: reason } = error as Error
      this.#context.outbox.log('warn', 'snapshot-discarded', { reason })
      this.#anew()
    }
    this.#loader = null
    this.#log.waits = false
    this.#log.follow()
  }

  /** The state begins anew, without the snapshot. */
  #anew(): void {
    this.#executor.reset()
    this.#snapshots?.reset()
  }

  /** The log has another result than this replica had: its state is rebuilt from the log. */
  rebuild(): void {
    if (this.#loader) return
    this.#anew()
    this.#log.follow()
  }

  onPlaced({ after, held }: The<'PLACED'>): void {
    if (this.#loader || after !== this.#executor.base.index) return
    if (held) this.#placed()
    else this.#astray('the log has another entry there')
  }

  #placed(): void {
    if (this.#executor.placed) return
    this.#executor.placed = true
    const { index } = this.#executor.base
    this.#context.outbox.log('info', 'snapshot-loaded', { index, records: this.#records })
    this.#events.placed()
  }

  #astray(reason: string): void {
    const { index } = this.#executor.base
    this.#context.outbox.log('error', 'state-not-of-this-log', { index, reason })
    this.#events.astray(reason)
    this.rebuild()
    this.#events.placed()
  }

  /**
   * No entry that was committed when the tip was asked for is above it: a state from beyond the tip
   * is not of this log.
   */
  tick(): void {
    const { index } = this.#executor.base
    const waits = !this.#executor.placed && !this.#loader && !this.#asksTip
    if (!waits || !this.#log.commits || this.#log.committed >= index) return
    this.#asksTip = true
    this.#queries.tip((tip) => {
      this.#asksTip = false
      if (tip === null || this.#executor.placed || tip >= this.#executor.base.index) return
      this.#astray(`the log ends at ${tip}`)
    })
  }
}
