// An honest user that logs in again and again, each time on a new connection.

import type { Client } from '../../clients/index.js'
import type { Latency } from '../fuzz/live/honest.js'

const PACE_MS = 500

export class LogIns {
  readonly #logIn: () => Promise<Client>
  readonly errors: string[] = []
  #times: number[] = []
  #failed = 0
  #stopping = false
  readonly #done: Promise<void>

  constructor(logIn: () => Promise<Client>) {
    this.#logIn = logIn
    this.#done = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const begun = performance.now()
      try {
        const client = await this.#logIn()
        this.#times.push(performance.now() - begun)
        client.abandon('logged in')
      } catch (error) {
        this.#failed++
        this.errors.push(`log-in: ${(error as Error).message}`)
      }
      await new Promise((resolve) => setTimeout(resolve, PACE_MS))
    }
  }

  /** Latency of the log-ins since the last call. */
  latency(): Latency {
    const times = this.#times.sort((a, b) => a - b)
    const at = (q: number): number => Math.round(times[Math.floor(q * (times.length - 1))] ?? 0)
    const [sends, failed] = [times.length, this.#failed]
    this.#times = []
    this.#failed = 0
    return { sends, failed, p50: at(0.5), p99: at(0.99), max: at(1) }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#done
  }
}
