// What becomes of the own sends, as the service tells their sender alone: accepted, stored, delivered,
// read or refused. What is followed is followed again on each new connection, and what has moved
// meanwhile is told then.

import { errorName } from '../protocol/errors.js'
import type { ErrorName } from '../protocol/errors.js'
import type { Message, The } from '../protocol/messages/catalogue.js'
import { MAX_FOLLOWED, MAX_RECEIPTS } from '../protocol/schema/shared.js'
import type { Operations } from './operations.js'
import type { OperationOptions } from './options.js'
import type { SentPlace } from './outbox.js'

const DEFAULT_LIMIT = 100

/** One of the own sends. */
export interface SentMessage extends SentPlace {
  /** Place in the log. */
  readonly index: number
  /** When it was ordered, ms since 1970. */
  readonly time: number
  /** Delivered: a client of the recipient has it. Read: the recipient has dealt with it. */
  readonly state: 'stored' | 'delivered' | 'read' | 'refused'
  /** Why it was refused. */
  readonly error: ErrorName | null
}

/** A send has got further; it may pass over a state. */
export interface ReceiptEvent extends SentPlace {
  /** Accepted: it has a place in an order that is not on disk: it may still come to nothing. */
  readonly state: 'accepted' | 'stored' | 'delivered' | 'read'
  /** Place in the log; null: it is only accepted. */
  readonly index: number | null
}

export interface ListOptions extends OperationOptions {
  /** At most 1,000, which is what the service keeps of each user. */
  readonly limit?: number
  readonly to?: string
}

interface Unread extends SentPlace {
  delivered: boolean
}

type Following = 'no' | 'asking' | 'yes'

export class Receipts {
  readonly #operations: Operations
  readonly #tell: (event: ReceiptEvent) => void
  /** Stored and not known to be read, by log index; who comes first is forgotten first. */
  readonly #unread = new Map<number, Unread>()
  #following: Following = 'no'

  constructor(operations: Operations, tell: (event: ReceiptEvent) => void) {
    this.#operations = operations
    this.#tell = tell
  }

  /** The newest sends of the account, over all its clients; the newest first. */
  async list(options: ListOptions = {}): Promise<SentMessage[]> {
    const { limit = DEFAULT_LIMIT, to = null } = options
    const build = (request: number): Message => {
      return { type: 'RECEIPTS', request, limit: Math.min(limit, MAX_RECEIPTS), to }
    }
    const answer = await this.#operations.ask('asking for receipts', build, options)
    return (answer as The<'RECEIPTS_ARE'>).sends.map(({ code, stream, ...sent }) => {
      const error = code === 0 ? null : (errorName(code) ?? null)
      return { ...sent, stream: Buffer.from(stream).toString('hex'), error }
    })
  }

  /**
   * From now on `events` has a 'receipt' whenever a send of this client gets further, and each of
   * `sends`; of the newest 1,024 that are not read.
   */
  async follow(sends: readonly SentMessage[] = [], options: OperationOptions = {}): Promise<void> {
    for (const sent of sends.toReversed()) {
      const { index, state } = sent
      if (state === 'stored' || state === 'delivered') {
        this.#add(index, sent, state === 'delivered')
      }
    }
    this.#following = 'asking'
    await this.#ask(options)
  }

  async #ask(options: OperationOptions): Promise<void> {
    const build = (request: number): Message => {
      return { type: 'FOLLOW_RECEIPTS', request, indices: [...this.#unread.keys()] }
    }
    await this.#operations.ask('following receipts', build, options)
    this.#following = 'yes'
  }

  /** What was asked and not answered is asked again anyhow. */
  connected(): void {
    if (this.#following !== 'yes') return
    this.#following = 'asking'
    // Only the end of the client ends it.
    this.#ask({ timeoutMs: Infinity }).catch(() => {})
  }

  /** Another account: its sends are others. */
  forget(): void {
    this.#following = 'no'
    this.#unread.clear()
  }

  accepted(place: SentPlace): void {
    if (this.#following === 'no') return
    this.#tell({ ...place, state: 'accepted', index: null })
  }

  stored(place: SentPlace, index: number): void {
    if (this.#following === 'no') return
    this.#add(index, place, false)
    this.#tell({ ...place, state: 'stored', index })
  }

  #add(index: number, { to, stream, seq }: SentPlace, delivered: boolean): void {
    if (this.#unread.has(index)) return
    this.#unread.set(index, { to, stream, seq, delivered })
    if (this.#unread.size <= MAX_FOLLOWED) return
    const [oldest] = this.#unread.keys()
    this.#unread.delete(oldest!)
  }

  /** Up to these of its own messages; what was told before is not told again. */
  moved({ to, delivered, read }: The<'RECEIPT_STATE'>): void {
    for (const [index, one] of this.#unread) {
      if (one.to !== to || index > delivered || (one.delivered && index > read)) continue
      one.delivered = true
      if (index <= read) this.#unread.delete(index)
      const { stream, seq } = one
      this.#tell({ to, stream, seq, state: index <= read ? 'read' : 'delivered', index })
    }
  }
}
