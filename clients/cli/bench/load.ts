// The closed loop: keeps a number of sends unanswered for some time, then waits until all are
// answered, and pushed where recipients listen. So whatever the daemons count between the two ends
// of a phase belongs to its sends.

import { randomBytes } from 'node:crypto'
import { build } from 'hdr-histogram-js'
import type { Histogram } from 'hdr-histogram-js'
import { Deliveries, consume } from './deliveries.js'
import type { Fleet } from './fleet.js'
import type { Plan } from './plan.js'

const HIGHEST_US = 120_000_000

export interface Rate {
  readonly count: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface Measured {
  readonly inFlight: number
  readonly seconds: number
  /** Sends, with the time from each to its receipt. */
  readonly sent: Rate
  /** Pushes, with the time from each send to its push; null if nobody listens. */
  readonly pushed: Rate | null
}

class Meter {
  readonly #histogram: Histogram = build({
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
  })
  #lastAt = 0

  add(ms: number): void {
    this.#histogram.recordValue(Math.min(HIGHEST_US, Math.max(0, Math.round(ms * 1000))))
    this.#lastAt = performance.now()
  }

  get count(): number {
    return this.#histogram.totalCount
  }

  rate(startedAt: number): Rate {
    const histogram = this.#histogram
    const percentileMs = (percent: number): number => histogram.getValueAtPercentile(percent) / 1000
    const seconds = (this.#lastAt - startedAt) / 1000
    return {
      count: this.count,
      perSecond: this.count === 0 ? 0 : Math.round(this.count / seconds),
      p50Ms: percentileMs(50),
      p99Ms: percentileMs(99),
      maxMs: histogram.maxValue / 1000,
    }
  }
}

export class LoadGenerator {
  readonly #fleet: Fleet
  readonly #text: string
  #deliveries: Deliveries | null = null
  /** Rejects when a listener fails; it never resolves before the clients close. */
  readonly #listening: Promise<void> | null

  constructor(fleet: Fleet, { sizeBytes }: Pick<Plan, 'sizeBytes'>) {
    this.#fleet = fleet
    this.#text = randomBytes(sizeBytes).toString('base64').slice(0, sizeBytes)
    const pushed = (index: number): void => this.#deliveries?.pushed(index, performance.now())
    const { listeners } = fleet
    this.#listening =
      listeners.length > 0
        ? Promise.all(listeners.map((one) => consume(one, pushed))).then(() => {})
        : null
    // The failure is thrown by the phase that waits for pushes.
    this.#listening?.catch(() => {})
  }

  /** Runs one phase; `show` is told its progress, again and again. */
  async run(
    inFlight: number,
    seconds: number,
    show: (elapsedSeconds: number, sends: number) => void = () => {},
  ): Promise<Measured> {
    const sent = new Meter()
    const pushed = new Meter()
    const deliveries = this.#listening ? new Deliveries((ms) => pushed.add(ms)) : null
    this.#deliveries = deliveries
    const startedAt = performance.now()
    const endAt = startedAt + seconds * 1000
    const lane = async (first: number): Promise<void> => {
      for (let number = first; ; number += inFlight) {
        const sentAt = performance.now()
        if (sentAt >= endAt) return
        const { index } = await this.#send(number)
        sent.add(performance.now() - sentAt)
        deliveries?.sent(index, sentAt)
      }
    }
    const shower = setInterval(() => show((performance.now() - startedAt) / 1000, sent.count), 500)
    try {
      await Promise.all(Array.from({ length: inFlight }, (_, i) => lane(i)))
      if (deliveries) await Promise.race([deliveries.all(), this.#listening!])
    } finally {
      clearInterval(shower)
    }
    return {
      inFlight,
      seconds: Number(((performance.now() - startedAt) / 1000).toFixed(3)),
      sent: sent.rate(startedAt),
      pushed: deliveries && pushed.rate(startedAt),
    }
  }

  /** Each sender sends to each recipient in turn. */
  #send(number: number): Promise<{ readonly index: number }> {
    const { senders, recipients } = this.#fleet
    const to = recipients[Math.floor(number / senders.length) % recipients.length]!
    return senders[number % senders.length]!.send(to, this.#text)
  }
}
