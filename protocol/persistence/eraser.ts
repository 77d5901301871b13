// Carries committed DROPs out: erases bodies in memory at once, and in the file by a transaction of
// its own, together with the mark of how far DROPs are carried out. What a crash leaves undone is
// found above that mark. Until then, pages leave out what is pending.

import type { Standing } from './context.js'
import { decodeDrop, type Drop, type NamedDrop } from '../entries/drop.js'
import type { Entry } from '../entries/entry.js'

/** Drops of one transaction. */
const MAX_BATCH = 64

export interface Hidden {
  readonly through: number
  readonly indices: readonly number[]
}

export class Drops {
  readonly #s: Standing
  /** Committed, and not yet carried out in the file; in log order. */
  #pending: Drop[] = []
  #erasing = false
  readonly #dropped: (mailbox: string) => void

  /** `undone`: committed entries that erase; the file holds them and has not carried them out. */
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

  /** Messages of this mailbox that the file may still hold: those named, and all up to `through`. */
  hidden(mailbox: string): Hidden {
    let through = 0
    const indices: number[] = []
    for (const drop of this.#pending) {
      if (drop.mailbox !== mailbox) continue
      if (drop.indices) indices.push(...drop.indices)
      else through = drop.index
    }
    return { through, indices }
  }

  /** Takes up what is committed and in the file: only that can no longer be taken back. */
  pump(): void {
    const { log, writable, incarnation } = this.#s
    for (const entry of log.takeDrops()) this.#take(entry)
    const [first] = this.#pending
    if (this.#erasing || !first) return
    if (!writable || incarnation.counter === 0) return
    this.#erasing = true
    if (first.indices) this.#eraseNamed()
    else this.#eraseMailbox(first)
  }

  #eraseNamed(): void {
    const whole = this.#pending.findIndex(({ indices }) => !indices)
    const erase = this.#pending.slice(0, whole < 0 ? MAX_BATCH : Math.min(whole, MAX_BATCH))
    this.#erase(erase as NamedDrop[], erase.length)
  }

  /** A page at a time: a mailbox may be larger than memory. All before it is carried out already. */
  #eraseMailbox({ index, mailbox }: Drop): void {
    const { stretch: limit, frameBytes: maxBytes } = this.#s.bounds
    const all = { mailbox, after: 0, through: index, without: [] }
    this.#s.outbox.read({ kind: 'mailbox', ...all, limit, maxBytes }, (page) => {
      if (page.kind !== 'mailbox') {
        this.#erasing = false
        return
      }
      const indices = page.entries.map((entry) => entry.index)
      const carriedOut = page.more ? index - 1 : index
      this.#erase([{ index: carriedOut, mailbox, indices }], page.more ? 0 : 1)
    })
  }

  /** `done`: so many of the pending ones are carried out by it. */
  #erase(erase: readonly NamedDrop[], done: number): void {
    const { log } = this.#s
    const commit = Math.min(log.commit, log.durable)
    this.#s.persist({ commit, erase }, (result) => {
      this.#erasing = false
      if (result.outcome === 'written') this.#pending = this.#pending.slice(done)
    })
  }
}
