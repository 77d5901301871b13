// Polls the daemons' debug ports for memory, and for the time that an answer to `ruok` takes, which
// shows the lag of their event loops.

import type { Replica } from '../../system/replica.js'

const EVERY_MS = 100

export interface Vitals {
  readonly name: string
  /** Resident memory in MiB: first, highest and last. */
  readonly rss: readonly [number, number, number]
  /** Milliseconds until `ruok` is answered. */
  readonly p50: number
  readonly p99: number
}

interface Seen {
  readonly rss: number[]
  readonly lag: number[]
}

export class Watch {
  readonly #seen: ReadonlyMap<Replica, Seen>
  #stopping = false
  readonly #done: Promise<unknown>

  constructor(replicas: readonly Replica[]) {
    this.#seen = new Map(replicas.map((replica) => [replica, { rss: [], lag: [] }]))
    this.#done = Promise.all(replicas.map((replica) => this.#watch(replica)))
  }

  async #watch(replica: Replica): Promise<void> {
    const { rss, lag } = this.#seen.get(replica)!
    while (!this.#stopping) {
      const begun = performance.now()
      if ((await replica.ask('ruok')) === 'imok') lag.push(performance.now() - begun)
      const { process_resident_memory_bytes: bytes } = await replica.metrics()
      if (bytes) rss.push(Math.round(bytes / 2 ** 20))
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }

  async stop(): Promise<Vitals[]> {
    this.#stopping = true
    await this.#done
    return [...this.#seen].map(([{ name }, { rss, lag }]) => {
      lag.sort((a, b) => a - b)
      const at = (q: number): number => Math.round(lag[Math.floor(q * (lag.length - 1))] ?? 0)
      const ends = [rss[0] ?? 0, Math.max(0, ...rss), rss.at(-1) ?? 0] as const
      return { name, rss: ends, p50: at(0.5), p99: at(0.99) }
    })
  }
}
