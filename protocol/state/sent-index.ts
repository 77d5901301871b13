// The newest sends of each user over all streams, from the committed log. Only that user may query
// them; execution never reads them.

import { sameBytes } from '../bytes.js'
import type { Answered } from './ledger-view.js'
import { pageOf } from './record-key.js'

/** Sends kept for each user. */
export const KEPT_SENDS = 1_000

export interface SentMessage {
  readonly stream: Uint8Array
  readonly seq: number
  /** Empty if an older version refused the send: its entry does not name the recipient. */
  readonly to: string
  readonly index: number
  readonly time: number
  /** Code of the refusal; 0: stored. */
  readonly code: number
}

export class SentIndex {
  /** In log order; up to twice as many as are kept, so that forgetting costs little. */
  readonly #byUser = new Map<string, SentMessage[]>()
  readonly #touch: (user: string, page: number) => void

  /** `touch` is called before a page of a user's sends changes. */
  constructor(touch: (user: string, page: number) => void = () => {}) {
    this.#touch = touch
  }

  add(user: string, stream: Uint8Array, seq: number, answered: Answered, to: string): void {
    const { index, time, code } = answered
    const last = this.#byUser.get(user)?.at(-1)
    // The stream is a view on a whole frame, which it would keep in memory. Sends in a row share a
    // copy.
    const own = last && sameBytes(last.stream, stream) ? last.stream : new Uint8Array(stream)
    this.put(user, { stream: own, seq, to, index, time, code })
  }

  put(user: string, sent: SentMessage): void {
    this.#touch(user, pageOf(sent.index))
    const all = this.#byUser.get(user)
    if (!all) return void this.#byUser.set(user, [sent])
    if (all.length + 1 < 2 * KEPT_SENDS) return void all.push(sent)
    const forgotten = all.length + 1 - KEPT_SENDS
    this.#touchPages(user, all.slice(0, forgotten))
    all.push(sent)
    all.splice(0, forgotten)
  }

  #touchPages(user: string, sends: readonly SentMessage[]): void {
    for (const page of new Set(sends.map(({ index }) => pageOf(index)))) this.#touch(user, page)
  }

  /** Sends that are kept, of all users. */
  get size(): number {
    return [...this.#byUser.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** The sends of one page, in log order. */
  page(user: string, page: number): readonly SentMessage[] {
    return this.#byUser.get(user)?.filter(({ index }) => pageOf(index) === page) ?? []
  }

  /** All pages that hold a send. */
  *pages(): Generator<[user: string, page: number]> {
    for (const [user, sends] of this.#byUser)
      for (const page of new Set(sends.map(({ index }) => pageOf(index)))) yield [user, page]
  }

  #kept(user: string): readonly SentMessage[] {
    return this.#byUser.get(user)?.slice(-KEPT_SENDS) ?? []
  }

  /** Newest first, only those to `to`; null: to all. */
  newest(user: string, limit: number, to: string | null): SentMessage[] {
    const kept = this.#kept(user).filter((sent) => to === null || sent.to === to)
    return kept.reverse().slice(0, limit)
  }

  /** Sends of the user among these log indices that are stored. */
  storedAt(user: string, indices: readonly number[]): SentMessage[] {
    const wanted = new Set(indices)
    return this.#kept(user).filter(({ index, code }) => code === 0 && wanted.has(index))
  }

  /** The account has ended: no user can query its sends. */
  forget(user: string): void {
    this.#touchPages(user, this.#byUser.get(user) ?? [])
    this.#byUser.delete(user)
  }
}
