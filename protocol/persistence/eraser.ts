// Carries out committed DROPs: erases bodies in memory at once, and in the file by a separate
// transaction, together with the index through which DROPs are carried out. After a crash the DROPs
// above that index are carried out again. Until then, pages leave out the messages of pending
// DROPs.

import type { PersistenceContext } from './context.js'
import type { PendingDrops } from './pending-drops.js'
import type { Reads } from './reads.js'
import type { Drop, NamedDrop } from '../entries/drop.js'

/**
 * Messages of one transaction, at the most: in the worst case each lies in a part of the file of its
 * own, and appends wait meanwhile.
 */
const MOST_ERASED = 64

export class Eraser {
  readonly #context: PersistenceContext
  readonly #pending: PendingDrops
  readonly #reads: Reads
  #erasing = false
  /** Messages of the first pending DROP that are erased already. */
  #done = 0

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

  /** Erases messages of the first DROPs, as many as one transaction takes. */
  #eraseNamed(): void {
    const erase: NamedDrop[] = []
    let room = MOST_ERASED
    for (const [i, { index, mailbox, indices }] of this.#pending.drops.entries()) {
      if (!indices || room === 0) break
      const rest = i === 0 ? indices.slice(this.#done) : indices
      const some = rest.slice(0, room)
      room -= some.length
      const whole = some.length === rest.length
      erase.push({ index: whole ? index : index - 1, mailbox, indices: some, through: 0 })
      if (!whole) {
        this.#erase(erase, i, i === 0 ? this.#done + some.length : some.length)
        return
      }
    }
    this.#erase(erase, erase.length, 0)
  }

  /**
   * A page at a time: a mailbox may be larger than memory. All DROPs before this one are carried
   * out already.
   */
  #eraseMailbox({ index, mailbox, through }: Drop): void {
    const { stretch, frameBytes: maxBytes } = this.#context.bounds
    const limit = Math.min(stretch, MOST_ERASED)
    const all = { mailbox, after: 0, through, without: [], limit }
    this.#context.outbox.read({ kind: 'mailbox', ...all, maxBytes }, (page) => {
      if (page.kind !== 'mailbox') {
        this.#erasing = false
        return
      }
      const indices = page.messages.map((message) => message.index)
      const carriedOut = page.more ? index - 1 : index
      const drop = { index: carriedOut, mailbox, indices, through: 0 }
      this.#erase([drop], page.more ? 0 : 1, 0)
    })
  }

  /**
   * `completed`: the number of pending DROPs that this transaction completes; `begun`: messages that
   * are erased of the next one.
   */
  #erase(erase: readonly NamedDrop[], completed: number, begun: number): void {
    const { log } = this.#context
    const commit = Math.min(log.commit, log.durable)
    this.#context.persist({ commit, erase }, (result) => {
      this.#erasing = false
      if (result.outcome !== 'written') return
      this.#done = begun
      this.#pending.carriedOut(completed)
    })
  }
}
