// Bytes that each mailbox holds, counted from the committed log in its order: 12 bytes of memory
// for each stored message, in two columns. The sizes serve to refuse sends before they are ordered;
// execution never reads them.

import type { Drop } from '../entries/drop.js'
import type { RetentionRule } from '../entries/retention.js'
import { firstOf, pageOf } from './record-key.js'

interface Mailbox {
  /** Log indices, ascending, in the first `length` places. */
  indices: Float64Array
  /** Bytes of each message; 0: deleted. */
  sizes: Uint32Array
  length: number
  /** Messages of these that are not deleted. */
  live: number
  bytes: number
}

const FIRST = 8
const GROWTH = 1.5

/** Makes room for more messages, and leaves deleted ones out. */
function resized(mailbox: Mailbox): void {
  const { indices, sizes, length, live } = mailbox
  const room = Math.max(FIRST, Math.ceil(live * GROWTH))
  mailbox.indices = new Float64Array(room)
  mailbox.sizes = new Uint32Array(room)
  mailbox.length = 0
  for (let i = 0; i < length; i++) {
    if (sizes[i] === 0) continue
    mailbox.indices[mailbox.length] = indices[i]!
    mailbox.sizes[mailbox.length++] = sizes[i]!
  }
}

export class MailboxSizes {
  readonly #mailboxes = new Map<string, Mailbox>()
  readonly #touch: (mailbox: string, page: number) => void

  /** `touch` is called before a page of a mailbox changes. */
  constructor(touch: (mailbox: string, page: number) => void = () => {}) {
    this.#touch = touch
  }

  /** Messages that are counted. */
  get size(): number {
    return [...this.#mailboxes.values()].reduce((sum, { live }) => sum + live, 0)
  }

  of(mailbox: string): number {
    return this.#mailboxes.get(mailbox)?.bytes ?? 0
  }

  /** The committed log has this message. If its body is erased already, a later DROP says so. */
  add(name: string, index: number, bytes: number): void {
    const mailbox = this.#mailboxes.get(name) ?? {
      ...{ indices: new Float64Array(FIRST), sizes: new Uint32Array(FIRST) },
      ...{ length: 0, live: 0, bytes: 0 },
    }
    this.#touch(name, pageOf(index))
    this.#mailboxes.set(name, mailbox)
    if (mailbox.length === mailbox.indices.length) resized(mailbox)
    mailbox.indices[mailbox.length] = index
    mailbox.sizes[mailbox.length++] = bytes
    mailbox.live++
    mailbox.bytes += bytes
  }

  drop({ mailbox: name, indices, through }: Drop): void {
    const mailbox = this.#mailboxes.get(name)
    if (!mailbox) return
    const gone = indices ?? liveThrough(mailbox, through)
    for (const page of new Set(gone.map(pageOf))) this.#touch(name, page)
    for (const index of gone) {
      const at = placeOf(mailbox, index)
      const bytes = mailbox.sizes[at] ?? 0
      if (mailbox.indices[at] !== index || at >= mailbox.length || bytes === 0) continue
      mailbox.sizes[at] = 0
      mailbox.live--
      mailbox.bytes -= bytes
    }
    if (mailbox.live === 0) this.#mailboxes.delete(name)
    else if (mailbox.live * 2 < mailbox.length) resized(mailbox)
  }

  /**
   * The oldest messages that are beyond the rule, `most` at the most: their number, and the log index
   * of the last. `older`: messages through this log index are older than the rule's age.
   */
  expired(
    name: string,
    { count, bytes }: RetentionRule,
    older: number,
    most: number,
  ): { readonly through: number; readonly messages: number } {
    const mailbox = this.#mailboxes.get(name)
    if (!mailbox) return { through: 0, messages: 0 }
    let [live, held, through, found] = [mailbox.live, mailbox.bytes, 0, 0]
    for (let at = 0; at < mailbox.length && found < most; at++) {
      const size = mailbox.sizes[at]!
      if (size === 0) continue
      const index = mailbox.indices[at]!
      const beyond = index <= older || (count > 0 && live > count) || (bytes > 0 && held > bytes)
      if (!beyond) break
      ;[live, held, through, found] = [live - 1, held - size, index, found + 1]
    }
    return { through, messages: found }
  }

  /** Log indices and bytes of the messages of one page, in log order. */
  *page(name: string, page: number): Generator<[index: number, bytes: number]> {
    const mailbox = this.#mailboxes.get(name)
    if (!mailbox) return
    const { indices, sizes, length } = mailbox
    for (let at = placeOf(mailbox, firstOf(page)); at < length; at++) {
      if (pageOf(indices[at]!) !== page) return
      if (sizes[at] !== 0) yield [indices[at]!, sizes[at]!]
    }
  }

  /** All pages that may hold a message. */
  *pages(): Generator<[mailbox: string, page: number]> {
    for (const [name, mailbox] of this.#mailboxes)
      for (const page of pagesOf(mailbox)) yield [name, page]
  }
}

/** Log indices of the messages through an index. */
function liveThrough({ indices, sizes, length }: Mailbox, through: number): number[] {
  const found: number[] = []
  for (let at = 0; at < length && indices[at]! <= through; at++)
    if (sizes[at] !== 0) found.push(indices[at]!)
  return found
}

function pagesOf({ indices, length }: Mailbox): Set<number> {
  return new Set(indices.subarray(0, length).map(pageOf))
}

/** Position of the first message at `index` or later. */
function placeOf({ indices, length }: Mailbox, index: number): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (indices[middle]! < index) low = middle + 1
    else high = middle
  }
  return low
}
