// The mailbox of the account: pages, messages as they arrive, deletions.

import type { Message, The } from '../protocol/messages/catalogue.js'
import { MAX_DROP, MAX_WINDOW } from '../protocol/schema/shared.js'
import { refusedHere, type TrocaError } from './errors.js'
import type { Marks } from './marks.js'
import { onAbort, type Operations } from './operations.js'
import type { OperationOptions } from './options.js'
import {
  Subscription,
  toSealedMessage,
  type ReceivedMessage,
  type SealedMessage,
} from './subscription.js'
import { toInboxMessage, type InboxMessage, type WireMessage } from './inbox-message.js'

const PAGE_MESSAGES = 200
const WINDOW_MESSAGES = 256

/** A page of a mailbox. */
export interface PageOf<M> {
  /** In the order of the log. */
  readonly messages: readonly M[]
  /** The next page begins after this index. */
  readonly next: number
  /** Whether there are messages after `next`. */
  readonly more: boolean
  /** Log index up to which the account has acknowledged its mailbox. */
  readonly cursor: number
}

/** The page that {@link Client.inbox} gives. */
export type Page = PageOf<InboxMessage>
/** The page that {@link Client.envelopes} gives. */
export type EnvelopePage = PageOf<SealedMessage>

/** How much a mailbox holds. */
export interface Usage {
  /** Bytes of the stored messages, as they are kept. */
  readonly bytes: number
  /** From so many bytes on the mailbox takes no more messages. */
  readonly quota: number
}

/** Bounds beyond which the oldest messages of a mailbox are erased; 0: that bound is off. */
export interface RetentionRule {
  /** Milliseconds from the send of a message to its end. */
  readonly age: number
  /** Messages that are kept at the most. */
  readonly count: number
  /** Bytes of messages that are kept at the most, as they are stored. */
  readonly bytes: number
}

/** How long messages of a mailbox are kept: in each respect the stricter bound of both counts. */
export interface Retention {
  /** What the user has set. */
  readonly own: RetentionRule
  /** What the operator has set for every mailbox. */
  readonly cluster: RetentionRule
}

/** Which page of a mailbox. */
export interface PageOptions extends OperationOptions {
  /** Messages after this index; 0 by default. */
  readonly after?: number
  /** Messages of the page at most; 200 by default. */
  readonly limit?: number
  /** Only messages from this time on. */
  readonly since?: Date
}

/** How {@link Client.messages} listens. */
export interface ListenOptions {
  /**
   * Messages after this index; by default after the last acknowledged message. An index that was kept from
   * an earlier run is of the history of then: see {@link Client.historyId}.
   */
  readonly after?: number
  /** How many unacknowledged messages the service sends at most; 256 by default. */
  readonly window?: number
  /** Ends the sequence. */
  readonly signal?: AbortSignal
}

export interface MailboxOwner {
  /** True for a client-held account: the service opens nothing for it. */
  holdsKeys(): boolean
  /** Opens messages of a client-held account. */
  open(messages: readonly WireMessage[]): Promise<InboxMessage[]>
  acknowledge(index: number): void
}

export class Mailbox {
  readonly #operations: Operations
  readonly #marks: Marks
  readonly #owner: MailboxOwner
  #subscription: Subscription | null = null
  #ended: TrocaError | null = null

  constructor(operations: Operations, marks: Marks, owner: MailboxOwner) {
    this.#operations = operations
    this.#marks = marks
    this.#owner = owner
  }

  async inbox(options: PageOptions): Promise<Page> {
    const { messages, ...page } = await this.#page(options, false)
    return { messages: await this.#open(messages), ...page }
  }

  async envelopes(options: PageOptions): Promise<EnvelopePage> {
    const { messages, ...page } = await this.#page(options, true)
    const signed = this.#owner.holdsKeys()
    return { messages: messages.map((message) => toSealedMessage(message, signed)), ...page }
  }

  async #page(options: PageOptions, sealed: boolean): Promise<PageOf<WireMessage>> {
    const { after = 0, limit = PAGE_MESSAGES } = options
    const since = options.since ? options.since.getTime() : null
    const build = (request: number): Message => {
      return { type: 'INBOX', request, after, limit, sealed, since }
    }
    const page = (await this.#operations.ask('reading the inbox', build, options)) as The<'PAGE'>
    const { messages, next, more, cursor } = page
    // Messages before `since` were not received: a mark would cover them.
    if (since === null) this.#marks.received(after, next, messages.at(-1)?.index ?? 0)
    return { messages, next, more, cursor }
  }

  #open(messages: readonly WireMessage[]): Promise<InboxMessage[]> {
    if (this.#owner.holdsKeys()) return this.#owner.open(messages)
    return Promise.resolve(messages.map((message) => toInboxMessage(message)))
  }

  async usage(options: OperationOptions): Promise<Usage> {
    const build = (request: number): Message => ({ type: 'USAGE', request })
    const asked = this.#operations.ask('asking for the usage', build, options)
    const { bytes, quota } = (await asked) as The<'USAGE_IS'>
    return { bytes, quota }
  }

  async retention(options: OperationOptions): Promise<Retention> {
    const build = (request: number): Message => ({ type: 'RETENTION', request })
    return this.#retention(build, 'asking for the retention', options)
  }

  async retain(rule: RetentionRule, options: OperationOptions): Promise<Retention> {
    const { age, count, bytes } = rule
    const build = (request: number): Message => ({ type: 'RETAIN', request, age, count, bytes })
    return this.#retention(build, 'setting the retention', options)
  }

  async #retention(
    build: (request: number) => Message,
    what: string,
    options: OperationOptions,
  ): Promise<Retention> {
    const { own, cluster } = (await this.#operations.ask(
      what,
      build,
      options,
    )) as The<'RETENTION_IS'>
    return { own, cluster }
  }

  async delete(indices: readonly number[], options: OperationOptions): Promise<void> {
    for (let at = 0; at < indices.length; at += MAX_DROP) {
      const some = indices.slice(at, at + MAX_DROP)
      const build = (request: number): Message => ({ type: 'DELETE', request, indices: some })
      await this.#operations.ask('deleting', build, options)
    }
  }

  // ---- messages as they arrive ----------------------------------------------------------------

  async *messages(options: ListenOptions): AsyncGenerator<ReceivedMessage, void, undefined> {
    if (this.#ended) throw this.#ended
    if (this.#subscription) throw refusedHere('BAD_STATE', 'messages() is already being read')
    const { after = null, window = WINDOW_MESSAGES } = options
    if (!Number.isInteger(window) || window < 1 || window > MAX_WINDOW) {
      throw refusedHere('BAD_REQUEST', `window is ${window}; needed: 1 to ${MAX_WINDOW}`)
    }
    const subscription = new Subscription({ after, window }, this.#operations, {
      acknowledge: (index) => this.#owner.acknowledge(index),
      open: (messages) => this.#open(messages),
      received: (from, last) => this.#marks.received(from, last, last),
    })
    this.#subscription = subscription
    onAbort(options.signal, () => subscription.end(null))
    subscription.listen()
    try {
      yield* subscription.messages()
    } finally {
      subscription.end(null)
      if (this.#subscription === subscription) this.#subscription = null
    }
  }

  connected(): void {
    this.#subscription?.listen()
  }

  /** Positions of the subscription are of another history: it begins again, after the read mark. */
  historyChanged(): void {
    this.#subscription?.historyChanged()
  }

  push(messages: readonly WireMessage[]): void {
    this.#subscription?.push(messages)
  }

  /** Ends the subscription; its reader gets `reason` unless the application closed the client. */
  end(reason: TrocaError): void {
    this.#ended = reason
    this.stopListening(reason.name === 'CLOSED' ? null : reason)
  }

  stopListening(failure: TrocaError | null): void {
    this.#subscription?.end(failure)
  }
}
