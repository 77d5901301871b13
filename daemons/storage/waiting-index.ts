// The index of entries that are written but not yet in the table `mail`. Invariant: it holds all
// entries above `indexed`, in order. The table is filled in large, sorted steps, because an update
// at every batch would touch a page for each mailbox and cost more than the log.

import { KIND, decodeMeta } from '../../protocol/entries/entry.js'
import type { Draft } from '../../protocol/entries/entry.js'
import { weigh } from '../../protocol/entries/entry.js'

export interface Waiting {
  readonly index: number
  readonly kind: number
  readonly mailbox: string
  /** Hex; empty for an entry without a stream. */
  readonly stream: string
  readonly seq: number
  readonly weight: number
  /** The body is erased, so no page shows the message. */
  readonly erased: boolean
}

export interface Found {
  readonly idx: number
  readonly weight: number
}

export function waitingOf(index: number, draft: Draft, erased: boolean): Waiting {
  const { kind, mailbox, stream, seq } = decodeMeta(draft.meta)
  const hex = Buffer.from(stream.buffer, stream.byteOffset, stream.length).toString('hex')
  return { index, kind, mailbox, stream: hex, seq, weight: weigh(draft), erased }
}

const isMail = ({ kind, erased }: Waiting): boolean => kind === KIND.message && !erased

const placeOf = ({ stream, seq }: Waiting): string | null => (seq > 0 ? `${stream} ${seq}` : null)

export class WaitingIndex {
  #waiting: Waiting[] = []
  readonly #places = new Set<string>()

  /**
   * Adds entries. Throws on a (stream, seq) that an entry here has already: C3, execution accepted a
   * message twice. `verify` checks the whole log.
   */
  add(added: readonly Waiting[]): void {
    for (const one of added) {
      const place = placeOf(one)
      if (place !== null && this.#places.has(place)) {
        throw new Error(`C3: entry ${one.index} repeats (stream, seq) = (${place})`)
      }
      if (place !== null) this.#places.add(place)
      this.#waiting.push(one)
    }
  }

  truncateAfter(index: number): void {
    while (this.#waiting.length > 0 && this.#waiting.at(-1)!.index > index) {
      this.#forget(this.#waiting.pop()!)
    }
  }

  /** Marks entries whose bodies the file has erased. */
  erase(indices: readonly number[]): void {
    const first = this.#waiting[0]?.index ?? 0
    for (const index of indices) {
      const one = this.#waiting[index - first]
      if (one) this.#waiting[index - first] = { ...one, erased: true }
    }
  }

  /** Messages in this mailbox, in log order. */
  mailbox(mailbox: string, after: number, through: number): Found[] {
    return this.#waiting
      .filter(
        (one) =>
          isMail(one) && one.mailbox === mailbox && one.index > after && one.index <= through,
      )
      .map(({ index, weight }) => ({ idx: index, weight }))
  }

  /** The entries at or below `commit`, which can no longer be truncated. */
  committed(commit: number): readonly Waiting[] {
    const first = this.#waiting[0]?.index ?? 0
    return this.#waiting.slice(0, Math.max(0, commit - first + 1))
  }

  /** Removes the entries that the tables now hold. */
  drop(through: number): void {
    const first = this.#waiting[0]?.index ?? 0
    for (const one of this.#waiting.splice(0, Math.max(0, through - first + 1))) this.#forget(one)
  }

  #forget(one: Waiting): void {
    const place = placeOf(one)
    if (place !== null) this.#places.delete(place)
  }
}

/** ?1 is mailParameter. Rows are sorted, so that neighbours go to the same page. */
export const INSERT_MAIL = `
INSERT INTO mail SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) ORDER BY 1, 2`

export function mailParameter(waiting: readonly Waiting[]): string {
  const messages = waiting.filter(isMail)
  return JSON.stringify(messages.map(({ mailbox, index, weight }) => [mailbox, index, weight]))
}
