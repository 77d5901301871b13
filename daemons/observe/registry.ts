// The metrics of one replica, as Prometheus reads them and as lines for people, with the same names
// and values. Each replica has its own registry, so that tests can run several in one process.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { ROWS, STORE_ROWS, type Sources } from './metrics.js'
import { PROCESS_ROWS } from './process-metrics.js'
import type { Row, Sample } from './row.js'
import type { Durations } from '../../protocol/durations.js'
import type { Tier } from '../../protocol/slots.js'
import {
  PERSISTENCE_DURATIONS,
  PERSISTENCE_METRICS,
  PROCESSING_DURATIONS,
  PROCESSING_METRICS,
} from '../../protocol/machine/metrics.js'

const WRITES = {
  name: 'troca_log_write_seconds',
  help: 'A transaction of the log, from asking for it until it is on disk.',
}
/** Buckets below a millisecond, unlike the machine's: a transaction may be that fast. */
const WRITE_BUCKETS_S = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5]
/** Interval at which the event loop's lag is sampled. */
const LAG_EVERY_MS = 250

/** Rows of all metrics of a tier: those of its machine, and those of the daemon. */
export function rowsOf(tier: Tier): Record<string, Row<Sources>> {
  const helps = tier === 'processing' ? PROCESSING_METRICS : PERSISTENCE_METRICS
  const own = Object.entries(helps).map(([name, help]): [string, Row<Sources>] => [
    name,
    {
      help,
      type: name.endsWith('_total') ? 'counter' : 'gauge',
      read: ({ machine }) => [{ labels: {}, value: machine.metrics()[name] ?? 0 }],
    },
  ])
  return { ...Object.fromEntries(own), ...ROWS, ...(tier === 'persistence' && STORE_ROWS) }
}

/** Help of each histogram. */
export function histogramsOf(tier: Tier): Readonly<Record<string, string>> {
  if (tier === 'processing') return PROCESSING_DURATIONS
  return { ...PERSISTENCE_DURATIONS, [WRITES.name]: WRITES.help }
}

function register(registry: Registry, name: string, row: Row<Sources>, sources: Sources): void {
  const { help, type, labels: labelNames = [], read } = row
  const options = { name, help, labelNames, registers: [registry] }
  // Samples replace the old ones in one go, as two scrapes may wait for theirs at the same time.
  const collected = (take: (samples: readonly Sample[]) => void): void | Promise<void> => {
    const samples = read(sources)
    return samples instanceof Promise ? samples.then(take) : take(samples)
  }
  if (type === 'gauge') {
    const gauge = new Gauge({
      ...options,
      collect: () =>
        collected((samples) => {
          gauge.reset()
          for (const { labels, value } of samples) gauge.set({ ...labels }, value)
        }),
    })
    return
  }
  const counter = new Counter({
    ...options,
    collect: () =>
      collected((samples) => {
        counter.reset()
        for (const { labels, value } of samples) counter.inc({ ...labels }, value)
      }),
  })
}

/** Registers a machine's histogram, whose buckets the machine has counted itself. */
function registerDurations(registry: Registry, name: string, help: string, durations: Durations) {
  const get = () => {
    const bucket = ({ seconds, count }: { seconds: number; count: number }) => ({
      metricName: `${name}_bucket`,
      labels: { le: seconds === Infinity ? '+Inf' : String(seconds) },
      value: count,
    })
    const sum = { metricName: `${name}_sum`, labels: {}, value: durations.sumSeconds }
    const count = { metricName: `${name}_count`, labels: {}, value: durations.count }
    return Promise.resolve({
      ...{ name, help, type: 'histogram' },
      values: [...durations.buckets().map(bucket), sum, count],
    })
  }
  // prom-client reads only these members of a metric. Its Histogram cannot take counted buckets.
  registry.registerMetric({ name, help, type: 'histogram', get } as unknown as Histogram)
}

export class Figures {
  readonly #registry = new Registry()
  /** Node's other metrics. They take longest to collect, so `lines` leaves them out. */
  readonly #process = new Registry()
  readonly #writes: Histogram | null

  constructor(tier: Tier, sources: Sources) {
    const registers = [this.#registry]
    for (const [name, row] of Object.entries(rowsOf(tier))) {
      register(this.#registry, name, row, sources)
    }
    const measured = sources.machine.durations?.() ?? {}
    const helps = histogramsOf(tier)
    for (const [name, durations] of Object.entries(measured)) {
      registerDurations(this.#registry, name, helps[name] ?? '', durations)
    }
    this.#writes =
      tier === 'persistence'
        ? new Histogram({ ...WRITES, buckets: WRITE_BUCKETS_S, registers })
        : null
    collectDefaultMetrics({
      register: this.#process,
      eventLoopMonitoringPrecision: LAG_EVERY_MS,
    })
    for (const name of Object.keys(PROCESS_ROWS)) this.#process.removeSingleMetric(name)
  }

  /** Records the duration of a log transaction. */
  wrote(seconds: number): void {
    this.#writes?.observe(seconds)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async exposition(): Promise<string> {
    const [own, process] = await Promise.all([this.#registry.metrics(), this.#process.metrics()])
    return `${own}\n${process}`
  }

  /** The metrics for people, without Node's other ones: name, a tab, value. */
  async lines(): Promise<string> {
    const lines = (await this.#registry.metrics()).split('\n')
    const samples = lines.filter((line) => line !== '' && !line.startsWith('#'))
    return samples.map((line) => line.replace(/ (?=\S+$)/, '\t')).join('\n')
  }
}
