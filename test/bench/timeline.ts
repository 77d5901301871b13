// npm run bench:timeline: what happens when to one send alone, on all daemons, by their traces.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { table } from '../../clients/cli/output.js'
import type { TraceEvent } from '../../daemons/runtime/trace.js'
import { Command } from '../system/campaign.js'
import { startBenchCluster } from './cluster.js'
import { coordinatorOf, timeline } from './timeline-rows.js'
import type { Row } from './timeline-rows.js'

/** Sends before those that count, until code and connections are warm. */
const WARM_UP = 100

const USAGE = `npm run bench:timeline -- [--sends N] [--size N] [--json]

  --sends  sends to look at, one after the other [50]
  --size   bytes of a text [256]
  --json   for programs`

const command = new Command('timeline', USAGE)

const { values } = command.parse({
  options: {
    sends: { type: 'string', default: '50' },
    size: { type: 'string', default: '256' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) command.help()
const sends = command.whole('sends', values.sends)
const sizeBytes = command.whole('size', values.size)

function described({ what, of, peer, tookUs }: Row): string {
  if (what === 'write') return 'asks for a transaction'
  if (what === 'send') return `${of} for ${peer}`
  const step = of === 'stored' ? 'the transaction is on disk' : of
  return `${peer ? `${step} of ${peer}` : step}, a step of ${tookUs.toFixed(0)} µs`
}

await command.carryOut(async (owner) => {
  const folder = join(owner.testdir(), 'traces')
  mkdirSync(folder)
  const bench = await startBenchCluster(owner, { env: { TROCA_TRACE: folder } })
  const { sender, recipient } = await bench.loading(sizeBytes)
  const text = 'x'.repeat(sizeBytes)
  for (let i = 0; i <= WARM_UP + sends; i++) await sender.send(recipient, text)
  await bench.stop()
  const traces = new Map(
    bench.cluster.replicas.map(({ name }): [string, TraceEvent[]] => {
      const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
        .trim()
        .split('\n')
      return [name, lines.map((line) => JSON.parse(line) as TraceEvent)]
    }),
  )
  const coordinator = coordinatorOf(traces)
  const found = timeline(traces, sends)
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ coordinator, ...found })}\n`)
    return true
  }
  const rows = found.rows.map((row) => [
    ...[row.medianUs.toFixed(0), row.p90Us.toFixed(0), row.replica, described(row)],
    row.share > 0.99 ? '' : `in ${(100 * row.share).toFixed(0)} %`,
  ])
  const title = `µs since SEND reached ${coordinator}, the coordinator; ${found.sends} sends`
  const head = ['median', 'p90', '', 'what', 'of the sends']
  process.stdout.write(`${title}\n${table(head, rows)}\n`)
  return true
})
