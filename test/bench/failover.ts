// npm run bench:failover: how long no send is acknowledged when the coordinator, or the holder of the
// turn, is killed again and again under load. Each gap is the client's: it ends with a receipt.

import { MAX_IN_FLIGHT } from '../../clients/cli/bench/plan.js'
import { table } from '../../clients/cli/output.js'
import type { Client } from '../../clients/index.js'
import { Command } from '../system/campaign.js'
import type { Cluster } from '../system/cluster.js'
import { startBenchCluster } from './cluster.js'
import { Pulse, STEPS, partsOf } from './failover-parts.js'
import type { Failover, Victim } from './failover-parts.js'
import { bins, quantile } from './statistics.js'

/** Acknowledgements that show that sends flow again. */
const FLOWS = 200
const SEND_MS = 60_000
const SIZE_BYTES = 256
const BAR_CHARACTERS = 40

const USAGE = `npm run bench:failover -- [--kills N] [--of coordinator|holder] [--in-flight N] [--json]

  --kills      how often kill -9 strikes [50]
  --of         coordinator: of the processing tier; holder: of the persistence tier's turn [coordinator]
  --in-flight  unanswered sends at a time [64]
  --bin        width of the histogram's bars in ms [25]
  --json       for programs`

const command = new Command('failover', USAGE)

const { values } = command.parse({
  options: {
    kills: { type: 'string', default: '50' },
    of: { type: 'string', default: 'coordinator' },
    'in-flight': { type: 'string', default: '64' },
    bin: { type: 'string', default: '25' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) command.help()
const kills = command.whole('kills', values.kills)
const inFlight = command.whole('in-flight', values['in-flight'], MAX_IN_FLIGHT)
const binMs = command.positive('bin', values.bin)
if (!Object.hasOwn(STEPS, values.of)) command.wrong(`--of ${values.of}: coordinator or holder`)
const victim = values.of as Victim

/** Keeps `inFlight` sends unanswered until `stopped`. Rejects if a send fails. */
async function sendAll(sender: Client, to: string, pulse: Pulse, stopped: () => boolean) {
  const text = 'x'.repeat(SIZE_BYTES)
  const lane = async (): Promise<void> => {
    while (!stopped()) {
      await sender.send(to, text, { timeoutMs: SEND_MS })
      pulse.beat()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

async function strike(cluster: Cluster, pulse: Pulse): Promise<Failover> {
  const flows = async (): Promise<void> => {
    const wanted = pulse.count + FLOWS
    await cluster.until('sends flow', () => Promise.resolve(pulse.count >= wanted ? true : null))
  }
  await flows()
  const replica = await (victim === 'coordinator' ? cluster.coordinator() : cluster.holder())
  pulse.begin()
  const killedAt = Date.now()
  await replica.kill()
  await flows()
  const gap = pulse.longest
  const survivors = cluster.replicas.filter((one) => one !== replica)
  const parts = partsOf(
    victim,
    survivors.flatMap((one) => one.log()),
    killedAt,
    gap.endedAt,
  )
  pulse.begin()
  replica.start()
  await cluster.untilCaughtUp(replica)
  return { replica: replica.name, gapMs: gap.ms, parts, rejoinGapMs: pulse.longest.ms }
}

function summary(name: string, gaps: readonly number[]): string[] {
  const shares = [0, 0.5, 0.9, 0.99, 1]
  return [name, ...shares.map((share) => quantile(gaps, share).toFixed(0))]
}

/** A line for each bin of gaps; bins without any are left out between dots. */
function bars(gaps: readonly number[]): string[] {
  const found = bins(gaps, binMs)
  const most = Math.max(...found.map(({ count }) => count))
  return found.flatMap(({ from, to, count }, i) => {
    if (count === 0) return found[i - 1]!.count === 0 ? [] : ['     …']
    const bar = '█'.repeat(Math.ceil((count / most) * BAR_CHARACTERS))
    return [
      `${String(from).padStart(6)} – ${String(to).padStart(5)} ms ${String(count).padStart(4)} ${bar}`,
    ]
  })
}

function show(failovers: readonly Failover[]): string {
  const gaps = failovers.map(({ gapMs }) => gapMs)
  const parts = STEPS[victim].map(({ part }) => {
    const known = failovers.flatMap((one) => one.parts?.[part] ?? [])
    return summary(`  ${part} (${known.length} of ${failovers.length} logs tell)`, known)
  })
  const rejoins = failovers.map(({ rejoinGapMs }) => rejoinGapMs)
  const rows = [
    summary('longest gap after the kill', gaps),
    ...parts,
    summary('longest gap while it rejoins', rejoins),
  ]
  return [table(['ms', 'min', 'p50', 'p90', 'p99', 'max'], rows), ...bars(gaps)].join('\n')
}

await command.carryOut(async (owner) => {
  const bench = await startBenchCluster(owner)
  const { sender, recipient } = await bench.loading(SIZE_BYTES)
  const pulse = new Pulse()
  let over = false
  const sending = sendAll(sender, recipient, pulse, () => over)
  // A send that fails ends the wait for sends that flow.
  const failed = sending.then(() => new Promise<never>(() => {}))
  const failovers: Failover[] = []
  for (let i = 1; i <= kills; i++) {
    const failover = await Promise.race([strike(bench.cluster, pulse), failed])
    failovers.push(failover)
    const { replica, gapMs } = failover
    process.stderr.write(`${i}: kill -9 ${replica}: ${gapMs.toFixed(0)} ms\n`)
  }
  over = true
  await sending
  const all = { of: victim, inFlight, sends: pulse.count, failovers }
  process.stdout.write(`${values.json ? JSON.stringify(all) : show(failovers)}\n`)
  return true
})
