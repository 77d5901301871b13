// How far each user has dealt with its mailbox. Cursors commute (the higher wins), so each replica
// appends its own, one entry at a time, outside the term; execution never reads them.

import { KIND, plainMeta } from '../log/entry.js'
import { encodeCursors } from '../order/bodies.js'
import type { Home } from '../order/home.js'
import type { RingStanding } from '../order/standing.js'

/** Cursors are appended at most this often. */
const INTERVAL_MS = 500

export class Cursors {
  readonly #s: RingStanding
  readonly #home: Home
  #pending = new Map<string, number>()
  #last = 0

  constructor(standing: RingStanding, home: Home) {
    this.#s = standing
    this.#home = home
  }

  acknowledge(user: string, index: number): void {
    this.#pending.set(user, Math.max(index, this.#pending.get(user) ?? 0))
  }

  tick(): void {
    const { now } = this.#s
    if (this.#pending.size === 0 || now.monotonic - this.#last < INTERVAL_MS) return
    const draft = { meta: plainMeta(KIND.cursors), body: encodeCursors(this.#pending) }
    if (!this.#home.appendCursors(draft)) return
    this.#last = now.monotonic
    this.#pending = new Map()
  }
}
