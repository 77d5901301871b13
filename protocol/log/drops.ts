// Carries committed DROPs out: erases bodies in memory at once, and in the file by a transaction of
// its own, together with the mark of how far DROPs are carried out. What a crash leaves undone is
// found above that mark. Until then, pages leave out what is pending.

import type { Standing } from '../view/standing.js'
import { decodeDrop, type Drop } from './drop.js'
import type { Entry } from './entry.js'

/** Drops of one transaction. */
const MAX_BATCH = 64

export class Drops {
  readonly #s: Standing
  /** Committed, and not yet carried out in the file; in log order. */
  #pending: Drop[] = []
  #erasing = false
  readonly #dropped: (mailbox: string) => void

  /** `undone`: committed DROP entries that the file holds and has not carried out. */
  constructor(standing: Standing, undone: readonly Entry[], dropped: (mailbox: string) => void) {
    this.#s = standing
    this.#dropped = dropped
    for (const entry of undone) this.#take(entry)
  }

  #take(entry: Entry): void {
    const drop = decodeDrop(entry)
    this.#pending.push(drop)
    this.#s.log.erase(drop)
    this.#dropped(drop.mailbox)
  }

  /** Messages of this mailbox that the file may still hold. */
  hidden(mailbox: string): number[] {
    return this.#pending.flatMap((drop) => (drop.mailbox === mailbox ? drop.indices : []))
  }

  /** Takes up what is committed and in the file: only that can no longer be taken back. */
  pump(): void {
    const { log, writable, incarnation } = this.#s
    for (const entry of log.takeDrops()) this.#take(entry)
    if (this.#erasing || this.#pending.length === 0) return
    if (!writable || incarnation.counter === 0) return
    this.#erasing = true
    const erase = this.#pending.slice(0, MAX_BATCH)
    const commit = Math.min(log.commit, log.durable)
    this.#s.persist({ commit, erase }, (result) => {
      this.#erasing = false
      if (result.outcome === 'written') this.#pending = this.#pending.slice(erase.length)
    })
  }
}
