// How far the last streams of one user went that have ended: 24 bytes each, in one flat buffer. Ends
// are numbered, so that which of them are remembered follows from the log alone (C2).

/** Ended streams that are remembered of each user. */
export const KEPT_ENDS = 16

const ID_BYTES = 16
const END_BYTES = ID_BYTES + 8
const FIRST_ENDS = 2

export interface Ended {
  /** Number of the end among those of its user, from 1. */
  readonly number: number
  /** The seq that would have been executed next. */
  readonly next: number
}

export class EndedStreams {
  /** End `number` at ((number - 1) mod room). */
  #bytes = Buffer.alloc(FIRST_ENDS * END_BYTES)
  #count: number
  /** The last ends that are in the buffer. */
  #kept = 0

  /** `count`: ends before the first that is added. */
  constructor(count = 0) {
    this.#count = count
  }

  /** All ends of the user's streams, also those that are forgotten. */
  get count(): number {
    return this.#count
  }

  get #room(): number {
    return this.#bytes.length / END_BYTES
  }

  #at(number: number): number {
    return ((number - 1) % this.#room) * END_BYTES
  }

  /** `id` as idOf() makes it. */
  add(id: string, next: number): void {
    if (this.#kept === this.#room && this.#room < KEPT_ENDS) this.#grow()
    const at = this.#at(++this.#count)
    this.#kept = Math.min(this.#kept + 1, this.#room)
    this.#bytes.write(id, at, 'latin1')
    this.#bytes.writeDoubleBE(next, at + ID_BYTES)
  }

  #grow(): void {
    const known = [...this]
    this.#bytes = Buffer.alloc(Math.min(KEPT_ENDS, 2 * this.#room) * END_BYTES)
    this.#count -= known.length
    this.#kept = 0
    for (const [id, next] of known) this.add(id, next)
  }

  find(id: string): Ended | undefined {
    const bytes = Buffer.from(id, 'latin1')
    for (let number = this.#count; number > this.#count - this.#kept; number--) {
      const at = this.#at(number)
      if (this.#bytes.compare(bytes, 0, ID_BYTES, at, at + ID_BYTES) !== 0) continue
      return { number, next: this.#bytes.readDoubleBE(at + ID_BYTES) }
    }
    return undefined
  }

  /** Ids and next seqs of the remembered ones, the oldest first. */
  *[Symbol.iterator](): Generator<[id: string, next: number]> {
    for (let number = this.#count - this.#kept + 1; number <= this.#count; number++) {
      const at = this.#at(number)
      const id = this.#bytes.toString('latin1', at, at + ID_BYTES)
      yield [id, this.#bytes.readDoubleBE(at + ID_BYTES)]
    }
  }
}
