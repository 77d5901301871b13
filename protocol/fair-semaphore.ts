// A counting semaphore that is fair among origins: waiting origins take turns, so an origin with
// many requests does not delay one with few.

import { FairQueue } from './fair-queue.js'

/** Work that holds a place of the semaphore until it calls `done`, once. */
export type Begin = (done: () => void) => void

export class FairSemaphore {
  #free: number
  readonly #waiting = new FairQueue<Begin>()

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  take(origin: string, begin: Begin): void {
    this.#waiting.push(origin, begin)
    this.#next()
  }

  #next(): void {
    while (this.#free > 0 && this.#waiting.size > 0) {
      this.#free--
      this.#waiting.shift()!(() => {
        this.#free++
        this.#next()
      })
    }
  }
}
