// The kept answers of one stream, in one flat buffer: 50 bytes an answer. A stream has an answer for
// each seq below its next one, and the ring keeps the last KEPT_ANSWERS of them. It grows with the
// stream, in powers of two, as most streams are short.

import type { Answered } from './ledger-view.js'

/** Answers of a stream that are kept for repeated requests. */
export const KEPT_ANSWERS = 256

const DIGEST_BYTES = 32
const INDEX_AT = DIGEST_BYTES
const TIME_AT = INDEX_AT + 8
const CODE_AT = TIME_AT + 8
/** Bytes of one answer: digest, log index and time (doubles), code (u16). */
export const ANSWER_BYTES = CODE_AT + 2
const FIRST_ANSWERS = 4
const NOTHING = Buffer.alloc(0)

/** A power of two that has room for the answers to the seqs below `next`. */
function roomFor(next: number): number {
  let room = FIRST_ANSWERS
  while (room < next - 1 && room < KEPT_ANSWERS) room *= 2
  return room
}

export class AnswerRing {
  /** Answer to `seq` at (seq mod room): the answers that are kept have different places. */
  #bytes = NOTHING

  /** Bytes that the ring has taken. */
  get bytes(): number {
    return this.#bytes.length
  }

  #at(seq: number): number {
    return (seq % (this.#bytes.length / ANSWER_BYTES)) * ANSWER_BYTES
  }

  #has(seq: number, next: number): boolean {
    return this.#bytes.length > 0 && seq > 0 && seq < next && seq >= next - KEPT_ANSWERS
  }

  /**
   * The answer to a seq of a stream whose next seq is `next`; undefined: it is not kept. Its digest
   * is a view, which the next `put` may change.
   */
  get(seq: number, next: number): Answered | undefined {
    if (!this.#has(seq, next)) return undefined
    const at = this.#at(seq)
    const index = this.#bytes.readDoubleBE(at + INDEX_AT)
    if (index === 0) return undefined
    return {
      digest: this.#bytes.subarray(at, at + DIGEST_BYTES),
      code: this.#bytes.readUInt16BE(at + CODE_AT),
      index,
      time: this.#bytes.readDoubleBE(at + TIME_AT),
    }
  }

  /** The answer to a seq below `next`, with its log index, which is not 0. */
  put(seq: number, { digest, code, index, time }: Answered, next: number): void {
    this.#grow(next)
    const at = this.#at(seq)
    this.#bytes.set(digest, at)
    this.#bytes.writeDoubleBE(index, at + INDEX_AT)
    this.#bytes.writeDoubleBE(time, at + TIME_AT)
    this.#bytes.writeUInt16BE(code, at + CODE_AT)
  }

  #grow(next: number): void {
    const room = roomFor(next)
    const before = this.#bytes.length / ANSWER_BYTES
    if (room <= before) return
    const grown = Buffer.alloc(room * ANSWER_BYTES)
    // Fewer answers were kept than there was room for, so the seqs from 1 to `before` are there.
    for (let seq = 1; seq <= before; seq++) {
      const at = this.#at(seq)
      this.#bytes.copy(grown, (seq % room) * ANSWER_BYTES, at, at + ANSWER_BYTES)
    }
    this.#bytes = grown
  }

  /** The seqs whose answers are kept, ascending. */
  *seqs(next: number): Generator<number> {
    for (let seq = Math.max(1, next - KEPT_ANSWERS); seq < next; seq++)
      if (this.get(seq, next)) yield seq
  }
}
