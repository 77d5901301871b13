// So many things at a time, of whoever asks; the others wait, each address in its turn. Nobody who asks
// for much keeps who asks for little waiting.

import { FairQueue } from './fair-queue.js'

/** Calls `done`, once, when it is over. */
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
