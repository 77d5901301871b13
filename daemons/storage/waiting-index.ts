// The index of entries that are written but not yet in the table `mail`. Invariant: it holds all
// batches above `indexed`, in order. The table is filled in large, sorted steps, because an update
// at every batch would touch a page for each mailbox and cost more than the log.

import { idOf } from '../../protocol/bytes.js'
import { decodeHead, lacks, lastOf, type Batch } from '../../protocol/entries/batch.js'
import { KIND, weigh } from '../../protocol/entries/entry.js'

export interface Found {
  readonly idx: number
  readonly weight: number
}

interface Mail extends Found {
  readonly mailbox: string
}

/** Bodies are not kept. */
type Waiting = Pick<Batch, 'first' | 'head' | 'absent'>

export class WaitingIndex {
  #waiting: Waiting[] = []
  /** The last seq of each stream that has sends here. */
  #seqs = new Map<string, number>()
  readonly #erased = new Set<number>()

  /**
   * Adds batches. Throws on a send that does not follow the sends of its stream here: C3, execution
   * accepted a message twice. `verify` checks the whole log.
   */
  add(added: readonly Batch[]): void {
    for (const { first, head, absent } of added) {
      this.#waiting.push({ first, head, absent })
      this.#count({ first, head })
    }
  }

  #count({ first, head }: Pick<Waiting, 'first' | 'head'>): void {
    for (const [place, { meta }] of decodeHead(head).entries.entries()) {
      const { stream, seq } = meta
      if (seq === 0) continue
      const id = idOf(stream)
      const last = this.#seqs.get(id) ?? 0
      if (seq <= last) throw new Error(`C3: entry ${first + place} is send ${seq}, after ${last}`)
      this.#seqs.set(id, seq)
    }
  }

  #countAgain(): void {
    this.#seqs = new Map()
    for (const batch of this.#waiting) this.#count(batch)
  }

  truncateAfter(index: number): void {
    this.#waiting = this.#waiting.filter((batch) => lastOf(batch) <= index)
    this.#countAgain()
  }

  /** Notes entries whose bodies the file has erased. */
  erase(indices: readonly number[]): void {
    const first = this.#waiting[0]?.first ?? Infinity
    for (const index of indices) if (index >= first) this.#erased.add(index)
  }

  /** Messages in this mailbox, in log order. */
  mailbox(mailbox: string, after: number, through: number): Found[] {
    return this.#mail(after, through)
      .filter((one) => one.mailbox === mailbox)
      .map(({ idx, weight }) => ({ idx, weight }))
  }

  /** The parameter of INSERT_MAIL: the messages at or below `commit`, which stay in the log. */
  mailParameter(commit: number): string {
    const rows = this.#mail(0, commit).map(({ mailbox, idx, weight }) => [mailbox, idx, weight])
    return JSON.stringify(rows)
  }

  #mail(after: number, through: number): Mail[] {
    const mail: Mail[] = []
    for (const batch of this.#waiting) {
      if (batch.first > through || lastOf(batch) <= after) continue
      for (const [place, { meta, metaBytes, bytes }] of decodeHead(batch.head).entries.entries()) {
        const idx = batch.first + place
        if (meta.kind !== KIND.message || idx <= after || idx > through) continue
        if (lacks(batch, place) || this.#erased.has(idx)) continue
        mail.push({ idx, mailbox: meta.mailbox, weight: weigh(metaBytes, bytes) })
      }
    }
    return mail
  }

  /** Removes the batches whose messages the table now holds. */
  drop(through: number): void {
    this.#waiting = this.#waiting.filter((batch) => lastOf(batch) > through)
    for (const index of this.#erased) if (index <= through) this.#erased.delete(index)
    this.#countAgain()
  }
}

/** ?1 is mailParameter. Rows are sorted, so that neighbours go to the same page. */
export const INSERT_MAIL = `
INSERT INTO mail SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) ORDER BY 1, 2`
