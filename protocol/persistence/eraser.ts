// Carries out committed DROPs: erases bodies in memory at once, and in the file by a separate
// transaction, together with the index through which DROPs are carried out. After a crash the DROPs
// above that index are carried out again. Until then, pages leave out the messages of pending
// DROPs.

import type { PersistenceContext } from './context.js'
import type { PendingDrops } from './pending-drops.js'
import type { Reads } from './reads.js'
import type { Drop, NamedDrop } from '../entries/drop.js'

/** Drops of one transaction. */
const MAX_BATCH = 64

export class Eraser {
  readonly #context: PersistenceContext
  readonly #pending: PendingDrops
  readonly #reads: Reads
  #erasing = false

  /** `undone`: committed DROPs in the file that it has not carried out. */
  constructor(
    context: PersistenceContext,
    pending: PendingDrops,
    reads: Reads,
    undone: readonly Drop[],
  ) {
    this.#context = context
    this.#pending = pending
    this.#reads = reads
    for (const drop of undone) this.#take(drop)
  }

  #take(drop: Drop): void {
    this.#pending.add(drop)
    this.#context.log.erase(drop)
    this.#reads.dropped(drop.mailbox)
  }

  /**
   * Takes DROPs that are committed and in the file: only such a DROP can no longer be taken back.
   */
  pump(): void {
    const { log, writable, incarnation } = this.#context
    for (const drop of log.takeDrops()) this.#take(drop)
    const [first] = this.#pending.drops
    if (this.#erasing || !first) return
    if (!writable || incarnation.counter === 0) return
    this.#erasing = true
    if (first.indices) this.#eraseNamed()
    else this.#eraseMailbox(first)
  }

  #eraseNamed(): void {
    const { drops } = this.#pending
    const whole = drops.findIndex(({ indices }) => !indices)
    const erase = drops.slice(0, whole < 0 ? MAX_BATCH : Math.min(whole, MAX_BATCH))
    this.#erase(erase as NamedDrop[], erase.length)
  }

  /**
   * A page at a time: a mailbox may be larger than memory. All DROPs before this one are carried
   * out already.
   */
  #eraseMailbox({ index, mailbox }: Drop): void {
    const { stretch: limit, frameBytes: maxBytes } = this.#context.bounds
    const all = { mailbox, after: 0, through: index, without: [] }
    this.#context.outbox.read({ kind: 'mailbox', ...all, limit, maxBytes }, (page) => {
      if (page.kind !== 'mailbox') {
        this.#erasing = false
        return
      }
      const indices = page.messages.map((message) => message.index)
      const carriedOut = page.more ? index - 1 : index
      this.#erase([{ index: carriedOut, mailbox, indices }], page.more ? 0 : 1)
    })
  }

  /** `done`: the number of pending DROPs that this transaction completes. */
  #erase(erase: readonly NamedDrop[], done: number): void {
    const { log } = this.#context
    const commit = Math.min(log.commit, log.durable)
    this.#context.persist({ commit, erase }, (result) => {
      this.#erasing = false
      if (result.outcome === 'written') this.#pending.carriedOut(done)
    })
  }
}
