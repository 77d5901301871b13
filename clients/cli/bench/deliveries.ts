// Matches each acknowledged send with its push, by the index of the log. Either may be heard of
// first: receipt and push take different ways.

import type { Client } from '../../client.js'
import { EXIT, Failure } from '../failure.js'

/** Longest time from the last receipt to the last push. */
const PUSH_MS = 30_000

export class Deliveries {
  readonly #sentAt = new Map<number, number>()
  readonly #pushedAt = new Map<number, number>()
  readonly #delivered: (ms: number) => void
  #whenAll: (() => void) | null = null

  /** `delivered` is told the time from each send to its push. */
  constructor(delivered: (ms: number) => void) {
    this.#delivered = delivered
  }

  sent(index: number, sentAt: number): void {
    const pushedAt = this.#pushedAt.get(index)
    if (pushedAt === undefined) this.#sentAt.set(index, sentAt)
    else this.#match(index, pushedAt - sentAt)
  }

  pushed(index: number, pushedAt: number): void {
    const sentAt = this.#sentAt.get(index)
    if (sentAt === undefined) this.#pushedAt.set(index, pushedAt)
    else this.#match(index, pushedAt - sentAt)
  }

  #match(index: number, ms: number): void {
    this.#sentAt.delete(index)
    this.#pushedAt.delete(index)
    this.#delivered(ms)
    if (this.#sentAt.size === 0) this.#whenAll?.()
  }

  /** Resolves when every send so far has been pushed. */
  all(withinMs = PUSH_MS): Promise<void> {
    if (this.#sentAt.size === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const late = (): void => {
        const text = `${this.#sentAt.size} messages were not pushed within ${withinMs / 1000} s`
        reject(new Failure(EXIT.timedOut, text))
      }
      const timer = setTimeout(late, withinMs)
      this.#whenAll = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Reads and acknowledges what `client` gets until it closes; `pushed` is told each index. */
export async function consume(client: Client, pushed: (index: number) => void): Promise<void> {
  for await (const message of client.messages()) {
    pushed(message.index)
    message.ack()
  }
}
