// The drafts of a scripted writer: messages of one stream for each term, and deletions.

import { encodeDrop } from '../../../protocol/entries/drop.js'
import { KIND, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import { sha256 } from '../../../protocol/bytes.js'
import type { Random } from '../random.js'

const MAILBOXES = ['alice', 'bob', 'carol']

export class Drafts {
  readonly #random: Random
  #stream: Uint8Array = new Uint8Array(16)
  #seq = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Begins another stream, with its first message. */
  begin(): void {
    this.#stream = this.#random.bytes(16)
    this.#seq = 0
  }

  mailbox(): string {
    return this.#random.pick(MAILBOXES)
  }

  /** `applied`: the index up to which the writer knows the log. */
  next(applied: number): Draft {
    if (applied > 0 && this.#random.chance(0.04)) return this.#drop(applied)
    const body = this.#random.bytes(this.#random.chance(0.02) ? 20_000 : 24)
    const meta = {
      kind: KIND.message,
      answer: 0,
      mailbox: this.mailbox(),
      stream: this.#stream,
      seq: ++this.#seq,
      digest: sha256(body),
    }
    return { meta, body }
  }

  /** Erases some of the latest messages of a mailbox, if there are any. */
  #drop(applied: number): Draft {
    const latest = (): number => Math.max(1, applied - this.#random.below(20))
    const indices = Array.from({ length: this.#random.between(1, 8) }, latest)
    const meta = plainMeta(KIND.drop, 0, this.mailbox())
    return { meta, body: encodeDrop(indices) }
  }
}
