// Messages as they arrive, in log order, each given to the application once: `position` is the last
// that was taken in, and whatever is pushed again after a reconnect at or below it is dropped.

import { toCompact } from '../protocol/envelope/parts.js'
import type { The } from '../protocol/messages/catalogue.js'
import { clientError } from './errors.js'
import type { TrocaError } from './errors.js'
import type { Operations } from './operations.js'

type WireMessage = The<'PUSH'>['messages'][number]

/** A message out of the own mailbox. */
export interface InboxMessage {
  readonly index: number
  readonly from: string
  readonly to: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** Hex. */
  readonly stream: string
  readonly seq: number
  /** null: the envelope does not open with this account's key. */
  readonly text: string | null
}

export interface ReceivedMessage extends InboxMessage {
  /** Says that everything up to this message is dealt with: it is not given again. */
  ack(): void
}

export function toInboxMessage(message: WireMessage): InboxMessage {
  const { index, from, to, time, seq, text } = message
  return { index, from, to, time, stream: Buffer.from(message.stream).toString('hex'), seq, text }
}

/** A message as it is stored. */
export interface SealedMessage extends Omit<InboxMessage, 'text'> {
  /** JWE compact serialization (RFC 7516 section 7.1). */
  readonly jwe: string
}

export function toSealedMessage(message: WireMessage): SealedMessage {
  const { text: _text, ...place } = toInboxMessage(message)
  return { ...place, jwe: jweOf(message) }
}

function jweOf({ index, envelope }: WireMessage): string {
  try {
    return toCompact(envelope ?? new Uint8Array())
  } catch (error) {
    throw clientError('BROKEN_PEER', `message ${index} has no sound envelope`, true, error)
  }
}

export interface SubscriptionOptions {
  /** null: after what was acknowledged before. */
  readonly after: number | null
  readonly window: number
}

export class Subscription {
  readonly #operations: Operations
  readonly #acknowledge: (index: number) => void
  readonly #window: number
  #position: number | null
  #arrived: WireMessage[] = []
  #wake: (() => void) | null = null
  #asking = false
  #ended = false
  #failure: TrocaError | null = null

  constructor(
    options: SubscriptionOptions,
    operations: Operations,
    acknowledge: (index: number) => void,
  ) {
    this.#position = options.after
    this.#window = options.window
    this.#operations = operations
    this.#acknowledge = acknowledge
  }

  /** On each new connection, and at the start. */
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

  push(messages: readonly WireMessage[]): void {
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
      for (const message of batch) {
        const ack = (): void => this.#acknowledge(message.index)
        yield { ...toInboxMessage(message), ack }
      }
    }
  }
}
