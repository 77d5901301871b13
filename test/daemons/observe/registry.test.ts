// Metrics of a replica: Prometheus's own parser reads them, and no row is left out.

import t from 'tap'
import { Figures, histogramsOf, rowsOf } from '../../../daemons/observe/registry.js'
import { Durations } from '../../../protocol/durations.js'
import type { Tier } from '../../../protocol/slots.js'
import { ERRORS } from '../../../protocol/errors.js'
import { checkedIn, metricsDocument } from '../../generate-metrics.js'
import { BarePeer } from '../net/bare-peer.js'
import { parseExposition, skipWithoutParser } from './exposition.js'
import { startToy, type Toy } from '../runtime/toy-replica.js'

const P1 = { role: 'processing', slot: 1 } as const

function figuresOf(toy: Toy, tier: Tier = 'processing'): Figures {
  return new Figures(tier, {
    ...{ machine: toy.machine, links: toy.links, driver: toy.driver },
    ...{ notReady: () => null, credentials: null, disk: () => ({ size: 9_000, free: 7_000 }) },
    store: {
      scrubbedAt: 0,
      scrub: { verified: 0 },
      housekeeping: { segments: 4, vacuumedPages: 5, vacuumedAt: 6_000 },
      transactions: 3,
      sizes: () => Promise.resolve({ main: 4_096, content: 8_192 }),
    },
    computations: () => ({ threads: 2, running: 1, waiting: 7 }),
  })
}

t.test('docs/METRICS.md matches the rows', async (t) => {
  t.equal(checkedIn(), metricsDocument(), 'run: npm run generate')
})

t.test('durations are counted in buckets, in seconds', async (t) => {
  const durations = new Durations()
  for (const ms of [0, 1, 2, 30, 99_000]) durations.add(ms)
  t.equal(durations.count, 5)
  t.equal(durations.sumSeconds, 99.033)
  const within = (seconds: number) => durations.buckets().find((b) => b.seconds === seconds)?.count
  t.same([0.001, 0.002, 0.05, 10, Infinity].map(within), [2, 3, 4, 4, 5])
})

t.test('lines have the samples of the exposition, with a tab', async (t) => {
  const p1 = await startToy(P1)
  t.teardown(() => p1.stop())
  const figures = figuresOf(p1)
  const lines = (await figures.lines()).split('\n')
  for (const line of lines) t.match(line, /^[a-z0-9_]+(\{.*\})?\t\S+$/)
  t.ok(lines.includes('troca_computations_waiting\t7'))
  t.ok(lines.includes('troca_links{role="client"}\t0'))
  t.ok(lines.includes('troca_disk_bytes{part="free"}\t7000'))
  t.ok(lines.some((line) => /^troca_build_info\{version="\d+\.\d+\.\d+.*\t1$/.test(line)))
})

t.test("Prometheus's parser reads the metrics", { skip: skipWithoutParser }, async (t) => {
  const turns = new Durations()
  for (const ms of [0, 3, 400]) turns.add(ms)
  for (const tier of ['processing', 'persistence'] as const) {
    const toy = await startToy(P1)
    const histograms = histogramsOf(tier)
    const measured = Object.keys(histograms).filter((name) => name !== 'troca_log_write_seconds')
    toy.machine.durations = () => Object.fromEntries(measured.map((name) => [name, turns]))
    const figures = figuresOf(toy, tier)
    figures.wrote(0.004)
    // A message each way, an error and a refusal, so that every label has a sample.
    toy.machine.react = (input) => {
      if (input.type !== 'message') return []
      const { code } = ERRORS.NOT_READY
      const answer = { type: 'ERROR', request: 1, code, text: 'x', definite: true } as const
      const message = { ...answer, retryAfter: null, expected: null }
      return [{ type: 'send', link: input.link, message }]
    }
    const client = await BarePeer.connect(toy.port)
    await client.hello()
    client.say({ type: 'STATUS', request: 1 })
    await client.hears('ERROR')
    client.say({ type: 'GAP', id: 1, expected: 1 })
    await client.closed

    const families = parseExposition(await figures.exposition())
    toy.stop()
    const rows = rowsOf(tier)
    const own = families.filter(
      ({ name }) => name.startsWith('troca_') || name in rows || `${name}_total` in rows,
    )
    const names = own.map(({ name, type }) => (type === 'counter' ? `${name}_total` : name))
    const wanted = [...Object.keys(rows), ...Object.keys(histograms)]
    t.same(names.sort(), wanted.sort(), 'every row, and nothing else')
    for (const { name, type, help, samples } of families) {
      t.ok(help !== '', `${name} has a HELP`)
      t.not(type, 'unknown', `${name} has a TYPE`)
      for (const sample of samples) t.match(sample.name, name, sample.name)
    }
    for (const { name, samples } of own.filter(({ type }) => type === 'histogram')) {
      const counts = samples.filter((one) => one.name.endsWith('_bucket')).map((one) => one.value!)
      t.same(
        counts,
        counts.toSorted((a, b) => a - b),
        `${name} is cumulative`,
      )
      const count = samples.find((one) => one.name === `${name}_count`)!.value
      t.equal(counts.at(-1), count, `${name}: +Inf counts all`)
      t.match(samples.filter((one) => one.labels['le']).at(-1)!.labels, { le: '+Inf' })
    }
    const sample = (name: string, labels: object) =>
      own
        .flatMap(({ samples }) => samples)
        .find((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels))
        ?.value
    t.equal(sample('troca_messages_received_total', { message: 'STATUS' }), 1)
    t.equal(sample('troca_messages_sent_total', { message: 'ERROR' }), 1)
    t.equal(sample('troca_requests_refused_total', { reason: 'NOT_READY' }), 1)
    t.equal(sample('troca_links_refused_total', { reason: 'BAD_STATE' }), 1)
    t.ok(sample('troca_received_bytes_total', { role: 'client' })! > 0)
    t.equal(sample('troca_received_frames_total', { role: 'client' }), 2, 'STATUS and GAP')
    t.equal(sample('troca_sent_frames_total', { role: 'client' }), 3, 'WELCOME, an ERROR for each')
    t.equal(sample('troca_socket_writes_total', { role: 'client' }), 3)
    t.ok(sample('process_cpu_seconds_total', {})! > 0)
    t.ok(sample('troca_loop_iterations_total', {})! > 0)
    t.ok(sample('troca_context_switches_total', { kind: 'voluntary' })! > 0)
    if (tier === 'persistence') {
      t.equal(sample('troca_transactions_total', {}), 3)
      t.equal(sample('troca_log_bytes', { part: 'content' }), 8_192)
    }
    t.equal(sample('troca_links_up_total', { role: 'client' }), 1)
    t.ok(families.some(({ name }) => name === 'process_resident_memory_bytes'))
    t.ok(families.some(({ name }) => name === 'nodejs_eventloop_lag_seconds'))
  }
  t.throws(() => parseExposition('troca_x{ 1\n'), 'the parser refuses an invalid text')
})
