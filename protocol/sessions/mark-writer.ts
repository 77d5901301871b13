// Marks of users: how far each has received and read its mailbox, as clients here state. Marks
// commute (the higher wins), so each replica appends its own, one entry at a time, outside the
// term; execution never reads them.

import { KIND, plainMeta } from '../entries/entry.js'
import type { Executor } from '../state/executor.js'
import type { LogClient } from '../processing/log-client.js'
import type { LogWrites } from '../processing/log-writes.js'
import { encodeMarks, Marks, type Mark } from '../entries/marks.js'
import type { ProcessingContext } from '../processing/context.js'

/** Least time between two appends of marks. */
const INTERVAL_MS = 500

export class MarkWriter {
  readonly #context: ProcessingContext
  readonly #log: LogClient
  readonly #writes: LogWrites
  readonly #executor: Executor
  #pending = new Marks()
  #last = 0

  constructor(context: ProcessingContext, log: LogClient, writes: LogWrites, executor: Executor) {
    this.#context = context
    this.#log = log
    this.#writes = writes
    this.#executor = executor
  }

  /** Marks that are not appended yet. */
  get size(): number {
    return this.#pending.size
  }

  /** A mark that the log already holds is not appended again. */
  mark(user: string, mark: Mark): void {
    if (this.#executor.base.marks.exceeds(user, mark)) this.#pending.raise(user, mark)
  }

  tick(): void {
    const { now } = this.#context
    if (this.#pending.size === 0 || now.monotonic - this.#last < INTERVAL_MS) return
    const draft = { meta: plainMeta(KIND.marks), body: encodeMarks(this.#pending) }
    if (!this.#log.serves || !this.#writes.appendMarks(draft)) return
    this.#last = now.monotonic
    this.#pending = new Marks()
  }
}
