// How far each user has received its mailbox, and dealt with it. Marks commute (the higher wins):
// they are appended outside the order, and execution never reads them.

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

  /** It says more than is known. */
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
