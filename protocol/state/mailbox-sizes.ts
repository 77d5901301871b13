// Bytes that each mailbox holds, counted from the committed log in its order: 12 bytes of memory
// for each stored message, in two columns. The sizes serve to refuse sends before they are ordered;
// execution never reads them.

import type { Drop } from '../entries/drop.js'
import type { RetentionRule } from '../entries/retention.js'
import { ALL_BUCKETS, bucketOf, firstOf, pageOf } from './record-key.js'

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
  /** By bucket. */
  readonly #mailboxes = ALL_BUCKETS.map(() => new Map<string, Mailbox>())
  readonly #touch: (bucket: number, page: number) => void

  /** `touch` is called before a page of a bucket changes. */
  constructor(touch: (bucket: number, page: number) => void = () => {}) {
    this.#touch = touch
  }

  /** Messages that are counted. */
  get size(): number {
    let sum = 0
    for (const bucket of this.#mailboxes) for (const { live } of bucket.values()) sum += live
    return sum
  }

  of(mailbox: string): number {
    return this.#get(mailbox)?.bytes ?? 0
  }

  #get(mailbox: string): Mailbox | undefined {
    return this.#mailboxes[bucketOf(mailbox)]!.get(mailbox)
  }

  /** The committed log has this message. If its body is erased already, a later DROP says so. */
  add(name: string, index: number, bytes: number): void {
    const bucket = bucketOf(name)
    const mailboxes = this.#mailboxes[bucket]!
    const mailbox = mailboxes.get(name) ?? {
      ...{ indices: new Float64Array(FIRST), sizes: new Uint32Array(FIRST) },
      ...{ length: 0, live: 0, bytes: 0 },
    }
    this.#touch(bucket, pageOf(index))
    mailboxes.set(name, mailbox)
    if (mailbox.length === mailbox.indices.length) resized(mailbox)
    mailbox.indices[mailbox.length] = index
    mailbox.sizes[mailbox.length++] = bytes
    mailbox.live++
    mailbox.bytes += bytes
  }

  drop({ mailbox: name, indices, through }: Drop): void {
    const bucket = bucketOf(name)
    const mailbox = this.#mailboxes[bucket]!.get(name)
    if (!mailbox) return
    const gone = indices ?? liveThrough(mailbox, through)
    for (const page of new Set(gone.map(pageOf))) this.#touch(bucket, page)
    for (const index of gone) {
      const at = placeOf(mailbox, index)
      const bytes = mailbox.sizes[at] ?? 0
      if (mailbox.indices[at] !== index || at >= mailbox.length || bytes === 0) continue
      mailbox.sizes[at] = 0
      mailbox.live--
      mailbox.bytes -= bytes
    }
    if (mailbox.live === 0) this.#mailboxes[bucket]!.delete(name)
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
    const mailbox = this.#get(name)
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

  /** By mailbox of the bucket, in the order of names: its messages of one page, in log order. */
  *page(
    bucket: number,
    page: number,
  ): Generator<[mailbox: string, messages: [index: number, bytes: number][]]> {
    const mailboxes = this.#mailboxes[bucket] ?? new Map<string, Mailbox>()
    for (const name of [...mailboxes.keys()].sort()) {
      const messages = messagesOf(mailboxes.get(name)!, page)
      if (messages.length > 0) yield [name, messages]
    }
  }

  /** All pages that may hold a message. */
  *pages(): Generator<[bucket: number, page: number]> {
    for (const [bucket, mailboxes] of this.#mailboxes.entries()) {
      const pages = new Set<number>()
      for (const mailbox of mailboxes.values()) {
        for (const page of pagesOf(mailbox)) pages.add(page)
      }
      for (const page of pages) yield [bucket, page]
    }
  }
}

function messagesOf(mailbox: Mailbox, page: number): [index: number, bytes: number][] {
  const { indices, sizes, length } = mailbox
  const found: [number, number][] = []
  for (let at = placeOf(mailbox, firstOf(page)); at < length; at++) {
    if (pageOf(indices[at]!) !== page) break
    if (sizes[at] !== 0) found.push([indices[at]!, sizes[at]!])
  }
  return found
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
