// The numbers, bytes, words and messages heard so far in a conversation. Frames made of these pass
// the first checks, which random frames alone never would.

import { BY_NAME } from '../../protocol/messages/catalogue.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import type { WireValue } from '../../protocol/schema/schema.js'
import type { Random } from '../simulator/random.js'

/** Items kept of each kind; a new one replaces the oldest. */
const KEPT = 64

class Ring<T> {
  readonly #items: T[] = []
  #next = 0

  add(item: T): void {
    this.#items[this.#next] = item
    this.#next = (this.#next + 1) % KEPT
  }

  pick(random: Random): T | undefined {
    return this.#items.length === 0 ? undefined : random.pick(this.#items)
  }
}

export class Pool {
  readonly numbers = new Ring<number>()
  readonly bytes = new Ring<Uint8Array>()
  readonly words = new Ring<string>()
  readonly #messages = new Map<string, Ring<Message>>()

  learn(message: Message): void {
    const known = this.#messages.get(message.type) ?? new Ring<Message>()
    this.#messages.set(message.type, known)
    known.add(message)
    this.#values(BY_NAME.get(message.type)!.write(message).slice(1))
  }

  heard(type: string, random: Random): Message | undefined {
    return this.#messages.get(type)?.pick(random)
  }

  #values(values: readonly WireValue[]): void {
    for (const value of values) {
      if (typeof value === 'number' || typeof value === 'bigint') this.numbers.add(Number(value))
      else if (typeof value === 'string') this.words.add(value)
      else if (value instanceof Uint8Array) this.bytes.add(value)
      else if (Array.isArray(value)) this.#values(value)
    }
  }
}
