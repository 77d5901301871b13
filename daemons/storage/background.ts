// Work that goes on beside the writes, from `start` until `stop`.

import { setTimeout as sleep } from 'node:timers/promises'

export class Background {
  readonly #stopped = new AbortController()
  #ended: Promise<void> = Promise.resolve()

  /** Begins; `failed` is called once, unless the work ends because it is stopped. */
  start(work: () => Promise<void>, failed: (error: Error) => void): void {
    this.#ended = work().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) failed(error as Error)
    })
  }

  /** Resolves when the work has ended, which it does at its next pause. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#ended
  }

  /** Rejects once the work is stopped. */
  pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stopped.signal })
  }
}
