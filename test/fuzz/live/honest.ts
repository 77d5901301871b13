// An honest client during a campaign: it sends messages to itself, one after the other, and reads
// them all back in the end. Latencies of the sends are kept for each stage.

import type { Client } from '../../../clients/index.js'
import { readMailbox } from '../../system/load.js'

const PACE_MS = 20
/** Longer than any failover. */
const SEND_MS = 60_000

export interface Latency {
  readonly sends: number
  readonly failed: number
  /** p50, p99 and max are milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export class Honest {
  readonly #client: Client
  readonly #acknowledged: { text: string; index: number }[] = []
  readonly errors: string[] = []
  #times: number[] = []
  #failed = 0
  #sent = 0
  #stopping = false
  readonly #done: Promise<void>

  constructor(client: Client) {
    this.#client = client
    this.#done = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const text = `honest ${++this.#sent}`
      const begun = performance.now()
      try {
        const { index } = await this.#client.send(this.#client.user!, text, { timeoutMs: SEND_MS })
        this.#times.push(performance.now() - begun)
        this.#acknowledged.push({ text, index })
      } catch (error) {
        this.#failed++
        this.errors.push(`${text}: ${(error as Error).message}`)
      }
      await new Promise((resolve) => setTimeout(resolve, PACE_MS))
    }
  }

  get acknowledged(): number {
    return this.#acknowledged.length
  }

  /** Latency of the sends since the last call. */
  latency(): Latency {
    const times = this.#times.sort((a, b) => a - b)
    const at = (q: number): number => Math.round(times[Math.floor(q * (times.length - 1))] ?? 0)
    const told = {
      sends: times.length,
      failed: this.#failed,
      p50: at(0.5),
      p99: at(0.99),
      max: at(1),
    }
    this.#times = []
    this.#failed = 0
    return told
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#done
  }

  /** Faults of the mailbox; empty: every acknowledged message is there once, in order. */
  async faults(reader: Client): Promise<string[]> {
    const mailbox = await readMailbox(reader)
    const own = mailbox.filter(({ from }) => from === this.#client.user)
    const places = new Map(own.map(({ text, index }) => [text, index]))
    const faults = own.length === places.size ? [] : ['a message is there twice']
    for (const { text, index } of this.#acknowledged) {
      const found = places.get(text)
      if (found !== index) faults.push(`"${text}": acknowledged at ${index}, found at ${found}`)
    }
    const order = own.map(({ text }) => Number(text!.split(' ')[1]))
    if (order.some((number, i) => i > 0 && number <= order[i - 1]!)) faults.push('out of order')
    return faults
  }
}
