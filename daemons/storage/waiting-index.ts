// Entries that are written but not yet in the table `mail`. The table is filled in large, sorted steps:
// kept up with every group it would touch a page for each mailbox, and cost more than the log itself. Holds all entries above `indexed`, in order.

import { KIND, decodeMeta } from '../../protocol/entries/entry.js'
import type { Draft } from '../../protocol/entries/entry.js'
import { weigh } from '../../protocol/entries/entry.js'

export interface Waiting {
  readonly index: number
  readonly kind: number
  readonly mailbox: string
  /** Hex; empty where there is none. */
  readonly stream: string
  readonly seq: number
  readonly weight: number
  /** A message whose body is gone is on no page. */
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
   * Throws where one of these entries holds the (stream, seq) already: a tripwire for execution that lets
   * a message in twice (C3). `verify` looks at the whole log.
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

  /** They are in the file without their bodies now. */
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

  /** Those at or below `commit`: they can no longer be truncated. */
  committed(commit: number): readonly Waiting[] {
    const first = this.#waiting[0]?.index ?? 0
    return this.#waiting.slice(0, Math.max(0, commit - first + 1))
  }

  /** After the tables have them. */
  drop(through: number): void {
    const first = this.#waiting[0]?.index ?? 0
    for (const one of this.#waiting.splice(0, Math.max(0, through - first + 1))) this.#forget(one)
  }

  #forget(one: Waiting): void {
    const place = placeOf(one)
    if (place !== null) this.#places.delete(place)
  }
}

/** ?1: JSON of mailboxParameter. Sorted, so that neighbours go to the same page. */
export const INSERT_MAIL = `
INSERT INTO mail SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) ORDER BY 1, 2`

export function mailParameter(waiting: readonly Waiting[]): string {
  const messages = waiting.filter(isMail)
  return JSON.stringify(messages.map(({ mailbox, index, weight }) => [mailbox, index, weight]))
}
