// troca bench: a closed loop of sends between two throw-away users, then rate and latency.

import { randomBytes } from 'node:crypto'
import { build } from 'hdr-histogram-js'
import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress, progress, result, resultJson, table } from '../output.js'
import { withClient } from '../run.js'

const MAX_IN_FLIGHT = 256
const SHOW_MS = 500

interface Flags extends GlobalFlags {
  'in-flight': number
  size: number
  seconds: number
}

interface BenchResult {
  readonly inFlight: number
  readonly sizeBytes: number
  readonly seconds: number
  readonly sends: number
  readonly sendsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Keeps `inFlight` sends unanswered for `seconds`. */
async function measure(client: Client, to: string, flags: Flags): Promise<BenchResult> {
  const { 'in-flight': inFlight, size, seconds } = flags
  const histogram = build({ highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: 3 })
  const text = randomBytes(size).toString('base64').slice(0, size)
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1000
  let sends = 0
  const loop = async (): Promise<void> => {
    for (;;) {
      const sentAt = performance.now()
      if (sentAt >= endAt) return
      await client.send(to, text)
      histogram.recordValue(Math.round((performance.now() - sentAt) * 1000))
      sends++
    }
  }
  const shower = setInterval(() => {
    const elapsed = (performance.now() - startedAt) / 1000
    progress(`${elapsed.toFixed(1)} s  ${Math.round(sends / elapsed)} sends/s`)
  }, SHOW_MS)
  try {
    await Promise.all(Array.from({ length: inFlight }, loop))
  } finally {
    clearInterval(shower)
    clearProgress()
  }
  const elapsed = (performance.now() - startedAt) / 1000
  const percentileMs = (percent: number): number => histogram.getValueAtPercentile(percent) / 1000
  return {
    inFlight,
    sizeBytes: size,
    seconds: Number(elapsed.toFixed(3)),
    sends,
    sendsPerSecond: Math.round(sends / elapsed),
    p50Ms: percentileMs(50),
    p99Ms: percentileMs(99),
    maxMs: histogram.maxValue / 1000,
  }
}

async function bothUsers(client: Client): Promise<string> {
  const id = randomBytes(4).toString('hex')
  const [to, from] = [`bench-${id}-to`, `bench-${id}`]
  for (const name of [to, from]) {
    progress(`registering ${name}`)
    await client.register(name, randomBytes(16).toString('hex'))
  }
  clearProgress()
  return to
}

export const bench: CommandModule<GlobalFlags, Flags> = {
  command: 'bench',
  describe: 'measure sends: a closed loop',
  builder: (yargs) =>
    yargs
      .option('in-flight', {
        type: 'number',
        default: 64,
        describe: 'unanswered sends at a time, 256 at most',
      })
      .option('size', { type: 'number', default: 256, describe: 'bytes of a text' })
      .option('seconds', { type: 'number', default: 10 }),
  async handler(flags) {
    const context = new Context(flags)
    const inFlight = flags['in-flight']
    if (!(inFlight >= 1 && inFlight <= MAX_IN_FLIGHT)) {
      throw new Failure(EXIT.usage, `--in-flight: 1 to ${MAX_IN_FLIGHT}`)
    }
    const measured = await withClient(context, { sending: true }, async (client) =>
      measure(client, await bothUsers(client), flags),
    )
    if (context.json) return resultJson(measured)
    const { sends, sendsPerSecond, p50Ms, p99Ms, maxMs } = measured
    const head = ['in flight', 'sends', 'sends/s', 'p50 ms', 'p99 ms', 'max ms']
    result(table(head, [[inFlight, sends, sendsPerSecond, p50Ms, p99Ms, maxMs]]))
  },
}
