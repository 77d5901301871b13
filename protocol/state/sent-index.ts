// The newest sends of each user over all streams, from the committed log. Only that user may query
// them; execution never reads them.

import type { Answered } from './ledger-view.js'

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

  add(user: string, stream: Uint8Array, seq: number, answered: Answered, to: string): void {
    const { index, time, code } = answered
    // A copy: the stream is a view on a whole frame, which it would keep in memory.
    const sent = { stream: new Uint8Array(stream), seq, to, index, time, code }
    const all = this.#byUser.get(user)
    if (!all) return void this.#byUser.set(user, [sent])
    if (all.push(sent) >= 2 * KEPT_SENDS) all.splice(0, all.length - KEPT_SENDS)
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
    this.#byUser.delete(user)
  }
}
