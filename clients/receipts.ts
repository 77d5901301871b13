// The states of the account's sends: accepted, stored, delivered, read, refused or expired. The service
// tells them to the sender alone. Followed sends are followed again on each new connection, which
// then reports states that were reached meanwhile.

import { errorName } from '../protocol/errors.js'
import type { ErrorName } from '../protocol/errors.js'
import type { Message, The } from '../protocol/messages/catalogue.js'
import { MAX_FOLLOWED, MAX_RECEIPTS } from '../protocol/schema/shared.js'
import type { Operations } from './operations.js'
import type { OperationOptions } from './options.js'
import type { SentPlace } from './outbox.js'

const DEFAULT_LIMIT = 100

/** A send of the account. */
export interface SentMessage extends SentPlace {
  /** Log index of the message. */
  readonly index: number
  /** When it was ordered, ms since 1970. */
  readonly time: number
  /**
   * `delivered`: a client of the recipient has received it. `read`: it was acknowledged as read.
   * `expired`: retention erased it before it was read.
   */
  readonly state: 'stored' | 'delivered' | 'read' | 'refused' | 'expired'
  /** Why the send was refused; null: it was not. */
  readonly error: ErrorName | null
}

/** A send has reached a later state; it may skip one. */
export interface ReceiptEvent extends SentPlace {
  /** `accepted`: the send is ordered but not yet stored, and may still fail. */
  readonly state: 'accepted' | 'stored' | 'delivered' | 'read' | 'expired'
  /** Log index of the message; null while it is only accepted. */
  readonly index: number | null
}

/** The options of {@link Receipts.list}. */
export interface ListOptions extends OperationOptions {
  /** Number of sends, 1,000 at most: the service keeps no more for an account. 100 by default. */
  readonly limit?: number
  /** Only sends to this recipient. */
  readonly to?: string
}

interface Unread extends SentPlace {
  delivered: boolean
}

type Following = 'no' | 'asking' | 'yes'

/** The states of the account's sends: {@link Client.receipts}. */
export class Receipts {
  readonly #operations: Operations
  readonly #tell: (event: ReceiptEvent) => void
  /** Stored sends that are not known to be read, by log index; the oldest is dropped first. */
  readonly #unread = new Map<number, Unread>()
  #following: Following = 'no'

  /** @internal */
  constructor(operations: Operations, tell: (event: ReceiptEvent) => void) {
    this.#operations = operations
    this.#tell = tell
  }

  /**
   * Asks for the newest sends of the account, by all its clients and sessions.
   *
   * @param options - `to`: only sends to this recipient; `limit`: sends, 100 by default, 1,000 at
   * most.
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
   * Follows sends: from then on {@link Client.events} emits `receipt` whenever a send of this
   * client, or one of `sends`, reaches a later state. The newest 1,024 unread sends are followed,
   * also after a reconnection.
   *
   * @param sends - Earlier sends, from {@link Receipts.list}.
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
   * Follows again on a new connection. Operations repeats a request that is still unanswered.
   *
   * @internal
   */
  connected(): void {
    if (this.#following !== 'yes') return
    this.#following = 'asking'
    // Without a time-out, only the end of the client rejects this.
    this.#ask({ timeoutMs: Infinity }).catch(() => {})
  }

  /**
   * Forgets the sends of the account before, when another one logs in.
   *
   * @internal
   */
  forget(): void {
    this.#following = 'no'
    this.#unread.clear()
  }

  /**
   * The indices of the followed sends are of another history.
   *
   * @internal
   */
  historyChanged(): void {
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
   * The recipient's marks have moved, or messages have expired. Each state of a send is told once.
   *
   * @internal
   */
  moved({ to, delivered, read, expired }: The<'RECEIPT_STATE'>): void {
    for (const index of expired) {
      const one = this.#unread.get(index)
      if (one?.to !== to) continue
      this.#unread.delete(index)
      this.#tell({ to, stream: one.stream, seq: one.seq, state: 'expired', index })
    }
    for (const [index, one] of this.#unread) {
      if (one.to !== to || index > delivered || (one.delivered && index > read)) continue
      one.delivered = true
      if (index <= read) this.#unread.delete(index)
      const { stream, seq } = one
      this.#tell({ to, stream, seq, state: index <= read ? 'read' : 'delivered', index })
    }
  }
}
