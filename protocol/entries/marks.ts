// Marks: how far each user has received its mailbox, and dealt with it. Marks commute (the higher
// wins): they are appended outside the order, and execution never reads them.

import { isCount, readJson, writeJson } from './json-body.js'

export interface Mark {
  /** A client of the user has received everything up to this log index. */
  readonly delivered: number
  /** The user has dealt with everything up to this log index, and so has received it. */
  readonly read: number
}

const UNMARKED: Mark = { delivered: 0, read: 0 }

export class Marks {
  readonly #marks = new Map<string, Mark>()

  of(user: string): Mark {
    return this.#marks.get(user) ?? UNMARKED
  }

  /** Whether the mark is above the known one. */
  exceeds(user: string, mark: Mark): boolean {
    const known = this.of(user)
    return mark.read > known.read || mark.delivered > known.delivered
  }

  raise(user: string, mark: Mark): void {
    const known = this.of(user)
    const read = Math.max(known.read, mark.read)
    const delivered = Math.max(known.delivered, mark.delivered, read)
    this.#marks.set(user, { delivered, read })
  }

  get size(): number {
    return this.#marks.size
  }

  [Symbol.iterator](): IterableIterator<[string, Mark]> {
    return this.#marks.entries()
  }
}

export function encodeMarks(marks: Iterable<readonly [string, Mark]>): Uint8Array {
  return writeJson([...marks].map(([user, { read, delivered }]) => [user, read, delivered]))
}

/** Throws if the bytes are no marks. */
export function decodeMarks(body: Uint8Array): [string, Mark][] {
  const marks = readJson(body)
  const isMark = (one: unknown): boolean =>
    Array.isArray(one) && typeof one[0] === 'string' && one.slice(1).every(isCount)
  if (!Array.isArray(marks) || !marks.every(isMark)) {
    throw new RangeError('marks body: names and indices expected')
  }
  // Version 0.1 wrote only the read mark.
  return (marks as [user: string, read: number, delivered?: number][]).map(
    ([user, read, delivered = read]) => [user, { delivered, read }],
  )
}
