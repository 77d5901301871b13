// How far users have received their mailboxes and dealt with them, as their clients here say. Marks
// commute (the higher wins), so each replica appends its own, one entry at a time, outside the term;
// execution never reads them.

import { KIND, plainMeta } from '../entries/entry.js'
import { encodeMarks } from '../entries/bodies.js'
import type { Executor } from '../state/executor.js'
import type { Home } from '../processing/log-client.js'
import { Marks, type Mark } from '../entries/marks.js'
import type { RingStanding } from '../processing/context.js'

/** Marks are appended at most this often. */
const INTERVAL_MS = 500

export class Cursors {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #executor: Executor
  #pending = new Marks()
  #last = 0

  constructor(standing: RingStanding, home: Home, executor: Executor) {
    this.#s = standing
    this.#home = home
    this.#executor = executor
  }

  /** What the log holds already is not appended again. */
  mark(user: string, mark: Mark): void {
    if (this.#executor.base.marks.exceeds(user, mark)) this.#pending.raise(user, mark)
  }

  tick(): void {
    const { now } = this.#s
    if (this.#pending.size === 0 || now.monotonic - this.#last < INTERVAL_MS) return
    const draft = { meta: plainMeta(KIND.cursors), body: encodeMarks(this.#pending) }
    if (!this.#home.serves || !this.#home.unanswered.appendCursors(draft)) return
    this.#last = now.monotonic
    this.#pending = new Marks()
  }
}
