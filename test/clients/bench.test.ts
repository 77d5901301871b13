// troca bench: wrong arguments, the load against a scripted server, and the subtraction of metrics.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Deliveries } from '../../clients/cli/bench/deliveries.js'
import { countsBetween, costsBetween, samplesOf } from '../../clients/cli/bench/daemon-costs.js'
import { planOf } from '../../clients/cli/bench/plan.js'
import type { BenchFlags } from '../../clients/cli/bench/plan.js'
import { ALL, cluster, receipts, troca } from './cli-cluster.js'

t.setTimeout(120_000)

const FLAGS: BenchFlags = {
  ...{ 'in-flight': '64', size: 256, seconds: 10, 'warm-up': 1, senders: 1, recipients: 1 },
  ...{ consume: false, report: false },
}

t.test('a plan is made of the flags', async (t) => {
  t.match(planOf({ ...FLAGS, 'in-flight': '1, 16,64,256' }), { inFlight: [1, 16, 64, 256] })
  t.match(planOf({ ...FLAGS, 'in-flight': '512', senders: 2 }), { inFlight: [512], senders: 2 })
})

t.test('each wrong flag is named, with what is right', async (t) => {
  const wrong: [Partial<BenchFlags>, RegExp][] = [
    [{ 'in-flight': '0' }, /^--in-flight: whole numbers from 1 to 256, /],
    [{ 'in-flight': '257' }, /^--in-flight/],
    [{ 'in-flight': '513', senders: 2 }, /^--in-flight: whole numbers from 1 to 512, /],
    [{ 'in-flight': '16,,64' }, /^--in-flight/],
    [{ 'in-flight': '1.5' }, /^--in-flight/],
    [{ 'in-flight': 'many' }, /^--in-flight/],
    [{ size: 0 }, /^--size: a whole number from 1 to 65536$/],
    [{ size: 65_537 }, /^--size/],
    [{ seconds: 0 }, /^--seconds: a number above 0$/],
    [{ seconds: NaN }, /^--seconds/],
    [{ 'warm-up': -1 }, /^--warm-up/],
    [{ senders: 0 }, /^--senders: a whole number from 1 to 1000$/],
    [{ senders: 1.5 }, /^--senders/],
    [{ recipients: NaN }, /^--recipients/],
  ]
  for (const [flags, message] of wrong) {
    const failure = { name: 'Failure', exitCode: 2, message }
    t.throws(() => planOf({ ...FLAGS, ...flags }), failure, JSON.stringify(flags))
  }
})

t.test('a sweep has a phase for each number in flight', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const file = join(dir, 'out.json')
  const flags = ['--seconds', '0.2', '--warm-up', '0.1', '--senders', '2', '--recipients', '2']
  const more = ['--in-flight', '1,4', '--report', '--out', file, '--json']
  const { code, stdout, stderr } = await troca(dir, ['bench', ...flags, ...more])
  t.equal(code, 0, stderr)
  t.match(stderr, /no report: .* has no cluster.yaml/, 'a cluster elsewhere has no report')
  const told = JSON.parse(stdout) as { phases: { sent: { count: number } }[] }
  t.match(told, { senders: 2, phases: [{ inFlight: 1, daemons: null }, { inFlight: 4 }] })
  t.same(JSON.parse(readFileSync(file, 'utf8')), told)
  const counted = told.phases.reduce((sum, { sent }) => sum + sent.count, 0)
  t.ok(counted > 0)
  t.ok(server.sends().length > counted, 'the warm-up is not counted')
  const recipients = new Set(server.sends().map(({ to }) => to))
  t.equal(recipients.size, 2)
  t.equal((await troca(dir, ['bench', '--in-flight', 'x'])).code, 2)
})

t.test('receipt and push are matched, whichever comes first', async (t) => {
  const delivered: number[] = []
  const deliveries = new Deliveries((ms) => delivered.push(ms))
  deliveries.sent(1, 10)
  deliveries.pushed(2, 25)
  const all = deliveries.all()
  deliveries.pushed(1, 14)
  await all
  t.same(delivered, [4])
  deliveries.sent(2, 20)
  t.same(delivered, [4, 5])
  await deliveries.all()
  deliveries.sent(3, 0)
  await t.rejects(deliveries.all(1), /1 messages were not pushed/)
})

const BEFORE = [
  'process_cpu_seconds_total\t1.5',
  'troca_socket_writes_total{role="client"}\t10',
  'troca_socket_writes_total{role="persistence"}\t0',
  'troca_log_bytes{part="main"}\t4096',
  'troca_log_bytes{part="content"}\t8192',
  'troca_context_switches_total{kind="voluntary"}\t100',
  'troca_context_switches_total{kind="involuntary"}\t1',
].join('\n')
const AFTER = BEFORE.replace('1.5', '2')
  .replace('\t10\n', '\t17\n')
  .replace('\t100\n', '\t108\n')
  .replace('8192', '4096')

t.test('costs are differences; what is not told has no figure', async (t) => {
  const counts = countsBetween(samplesOf(BEFORE), samplesOf(AFTER))
  t.match(counts, { cpuSeconds: 0.5, contextSwitches: 8, logBytes: -4096 })
  t.match(counts.links.client, { writes: 7, framesIn: null })
  t.match(counts.links.persistence, { writes: 0 })
  t.match(counts.links.processing, { writes: null })
  t.equal(counts.transactions, null)
})

t.test('a daemon that restarted, or cannot be asked, has the reason', async (t) => {
  const [before, after] = [samplesOf(BEFORE), samplesOf(AFTER)]
  const [no, gone] = [new Error('no'), new Error('gone')]
  const costs = costsBetween(
    new Map(Object.entries({ p1: after, p2: before, p3: no })),
    new Map(Object.entries({ p1: before, p2: gone, p3: after })),
  )
  t.same(costs, [
    { replica: 'p1', reason: 'it restarted meanwhile' },
    { replica: 'p2', reason: 'gone' },
    { replica: 'p3', reason: 'no' },
  ])
})
