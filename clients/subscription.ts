// Messages as they arrive. Invariant: the application gets them in log order, each once.
// `#position` is the index of the last message received; messages up to it that are pushed again
// after a reconnect are dropped.

import { toInboxMessage, type WireMessage, type InboxMessage } from './inbox-message.js'
import { toCompact } from '../protocol/envelope/parts.js'
import { signedToCompact } from '../protocol/envelope/signed.js'
import { clientError, type TrocaError } from './errors.js'
import type { Operations } from './operations.js'

/** The message that {@link Client.messages} gives. */
export interface ReceivedMessage extends InboxMessage {
  /**
   * Marks everything up to this message as read, as {@link Client.ack} does. Later listeners do not
   * get the message again.
   *
   * @example
   * ```ts
   * for await (const message of client.messages()) {
   *   console.log(message.text)
   *   message.ack()
   * }
   * ```
   */
  ack(): void
}

/** A message as it is stored. */
export interface SealedMessage extends Omit<InboxMessage, 'text'> {
  /**
   * JWE compact serialization (RFC 7516 section 7.1). A message between client-held accounts has
   * its sender's signature as a sixth part; {@link openJwe} verifies it.
   */
  readonly jwe: string
}

/** `signed`: the stored body is a JWE followed by its sender's signature. */
export function toSealedMessage(message: WireMessage, signed: boolean): SealedMessage {
  const { text: _text, ...place } = toInboxMessage(message, signed)
  return { ...place, jwe: jweOf(message, signed) }
}

function jweOf({ index, envelope }: WireMessage, signed: boolean): string {
  try {
    const body = envelope ?? new Uint8Array()
    return signed ? signedToCompact(body) : toCompact(body)
  } catch (error) {
    throw clientError('BROKEN_PEER', `message ${index} has no valid envelope`, true, error)
  }
}

export interface SubscriptionOptions {
  /** Log index to begin after; null: that of the last acknowledged message. */
  readonly after: number | null
  readonly window: number
}

export interface Subscriber {
  acknowledge(index: number): void
  open(messages: readonly WireMessage[]): Promise<InboxMessage[]>
  /** Every message after `from` and up to the message `last` was received. */
  received(from: number, last: number): void
}

export class Subscription {
  readonly #operations: Operations
  readonly #subscriber: Subscriber
  readonly #window: number
  #position: number | null
  #arrived: WireMessage[] = []
  #wake: (() => void) | null = null
  #asking = false
  #ended = false
  #failure: TrocaError | null = null
  /** Histories that were left. */
  #history = 0

  constructor(options: SubscriptionOptions, operations: Operations, subscriber: Subscriber) {
    this.#position = options.after
    this.#window = options.window
    this.#operations = operations
    this.#subscriber = subscriber
  }

  /** Sends LISTEN: at the start, and on each new connection. */
  listen(): void {
    if (this.#asking || this.#ended) return
    this.#asking = true
    const listening = this.#operations.run({
      what: 'listening',
      build: (request) => ({
        type: 'LISTEN',
        request,
        after: this.#position,
        window: this.#window,
      }),
      timeoutMs: Infinity,
    })
    listening.then(
      (answer) => {
        this.#asking = false
        if (answer.type === 'LISTENING') this.#position ??= answer.after
      },
      (error: TrocaError) => {
        this.#asking = false
        this.end(error)
      },
    )
  }

  historyChanged(): void {
    this.#history++
    this.#position = null
    this.#arrived = []
  }

  push(messages: readonly WireMessage[]): void {
    const last = messages.at(-1)?.index ?? 0
    // Before LISTENING, #position may be null; the push then begins at the acknowledged mark.
    if (!this.#ended) this.#subscriber.received(this.#position ?? 0, last)
    for (const message of messages) {
      if (this.#ended || message.index <= (this.#position ?? -1)) continue
      this.#position = message.index
      this.#arrived.push(message)
    }
    this.#wake?.()
  }

  end(failure: TrocaError | null): void {
    this.#ended = true
    this.#failure ??= failure
    this.#wake?.()
  }

  async *messages(): AsyncGenerator<ReceivedMessage, void, undefined> {
    let batch: WireMessage[] = []
    for (;;) {
      if (this.#arrived.length === 0) {
        if (this.#failure) throw this.#failure
        if (this.#ended) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
        continue
      }
      batch = this.#arrived
      this.#arrived = []
      const history = this.#history
      for (const message of await this.#subscriber.open(batch)) {
        if (history !== this.#history) break
        const ack = (): void => {
          if (history === this.#history) this.#subscriber.acknowledge(message.index)
        }
        yield { ...message, ack }
      }
    }
  }
}
