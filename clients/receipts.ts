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

/** Which sends {@link Receipts.list} gives. */
export interface ListOptions extends OperationOptions {
  /** At most 1,000, which is what the service keeps of each user. */
  readonly limit?: number
  /** To this recipient only. */
  readonly to?: string
}

interface Unread extends SentPlace {
  delivered: boolean
}

type Following = 'no' | 'asking' | 'yes'

/** What becomes of the own sends: {@link Client.receipts}. */
export class Receipts {
  readonly #operations: Operations
  readonly #tell: (event: ReceiptEvent) => void
  /** Stored and not known to be read, by log index; who comes first is forgotten first. */
  readonly #unread = new Map<number, Unread>()
  #following: Following = 'no'

  /** @internal */
  constructor(operations: Operations, tell: (event: ReceiptEvent) => void) {
    this.#operations = operations
    this.#tell = tell
  }

  /**
   * Asks for the newest sends of the account, over all its clients and sessions.
   *
   * @param options - `to`: to this recipient only; `limit`: sends, 100 by default, 1,000 at most.
   * @returns The sends, the newest first, each with its state.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * for (const { to, index, state } of await client.receipts.list({ to: 'alice', limit: 20 })) {
   *   console.log(index, to, state)
   * }
   * ```
   */
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
   * Follows sends: from then on {@link Client.events} has a `receipt` whenever a send of this
   * client, or one of `sends`, gets further. The newest 1,024 that are not read are followed, over
   * reconnections too.
   *
   * @param sends - Earlier sends, as {@link Receipts.list} gives them.
   * @returns Nothing, once the service follows.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * client.events.on('receipt', ({ to, seq, state }) => console.log(`${seq} to ${to}: ${state}`))
   * await client.receipts.follow(await client.receipts.list())
   * await client.send('alice', 'olá') // accepted, stored, delivered, read
   * ```
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

  /**
   * Asks again on a new connection; what was asked and not answered is asked again anyhow.
   *
   * @internal
   */
  connected(): void {
    if (this.#following !== 'yes') return
    this.#following = 'asking'
    // Only the end of the client ends it.
    this.#ask({ timeoutMs: Infinity }).catch(() => {})
  }

  /**
   * Forgets the sends of an account that the client no longer acts as.
   *
   * @internal
   */
  forget(): void {
    this.#following = 'no'
    this.#unread.clear()
  }

  /** @internal */
  accepted(place: SentPlace): void {
    if (this.#following === 'no') return
    this.#tell({ ...place, state: 'accepted', index: null })
  }

  /** @internal */
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

  /**
   * Up to these of its own messages; what was told before is not told again.
   *
   * @internal
   */
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
