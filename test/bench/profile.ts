// npm run bench:profile: what the daemons' main threads spend their time on under load, by V8's
// profiler. Threads of SQLite and of the workers are not in it.

import { cpSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { MAX_IN_FLIGHT } from '../../clients/cli/bench/plan.js'
import { table } from '../../clients/cli/output.js'
import { Command } from '../system/campaign.js'
import { startBenchCluster } from './cluster.js'
import { CATEGORIES, byCategory, selfTimes } from './cpu-profile.js'
import type { CpuProfile, SelfTime } from './cpu-profile.js'

const WARM_UP_S = 1

const USAGE = `npm run bench:profile -- [--in-flight N] [--seconds N] [--top N] [--out DIR] [--json]

  --in-flight  unanswered sends at a time [256]
  --seconds    of load that is looked at [10]
  --size       bytes of a text [256]
  --top        functions to show of each daemon [15]
  --out        keeps the .cpuprofile files, for a browser's developer tools
  --json       for programs`

const command = new Command('profile', USAGE)

const { values } = command.parse({
  options: {
    'in-flight': { type: 'string', default: '256' },
    seconds: { type: 'string', default: '10' },
    size: { type: 'string', default: '256' },
    top: { type: 'string', default: '15' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) command.help()
const inFlight = command.whole('in-flight', values['in-flight'], MAX_IN_FLIGHT)
const seconds = command.positive('seconds', values.seconds)
const sizeBytes = command.whole('size', values.size)
const top = command.whole('top', values.top)

/** The profile of a process's main thread; Node names the file with date, pid and thread. */
function profileOf(directory: string, pid: number): CpuProfile {
  const file = readdirSync(directory).find((name) => name.includes(`.${pid}.0.`))
  if (!file) throw new Error(`process ${pid} has left no profile`)
  return JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile
}

/** µs of the clock that V8 stamps its profiles with. */
const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n)

interface Profiled {
  readonly replica: string
  readonly times: readonly SelfTime[]
}

function show(all: readonly Profiled[]): string {
  const totals = all.map(({ times }) => times.reduce((sum, { us }) => sum + us, 0))
  const percent = (us: number, i: number): string => ((100 * us) / totals[i]!).toFixed(1)
  const sums = all.map(({ times }) => byCategory(times))
  const head = ['% of the time', ...all.map(({ replica }) => replica)]
  const rows = CATEGORIES.map((category) => [
    category,
    ...sums.map((sum, i) => percent(sum.get(category)!, i)),
  ])
  const functions = all.map(({ replica, times }, i) => {
    const busy = times.filter(({ category }) => category !== 'idle').slice(0, top)
    const lines = busy.map((one) => [percent(one.us, i), one.functionName, one.file, one.category])
    return table(['%', `${replica}: function`, 'file', 'category'], lines)
  })
  return [table(head, rows), ...functions].join('\n')
}

await command.carryOut(async (owner) => {
  const profiles = join(owner.testdir(), 'profiles')
  mkdirSync(profiles)
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const bench = await startBenchCluster(owner, { nodeArgs })
  const pids = bench.cluster.replicas.map(({ name, pid }) => ({ replica: name, pid: pid! }))
  const loading = await bench.loading(sizeBytes)
  await loading.load.run(inFlight, WARM_UP_S)
  const fromUs = nowUs()
  const { sent } = await loading.load.run(inFlight, seconds)
  const toUs = nowUs()
  loading.end()
  await bench.stop()
  const all = pids.map(({ replica, pid }): Profiled => {
    return { replica, times: selfTimes(profileOf(profiles, pid), { fromUs, toUs }) }
  })
  const unseen = all.filter(({ times }) => times.length === 0).map(({ replica }) => replica)
  if (unseen.length > 0) throw new Error(`no sample within the load: ${unseen.join(', ')}`)
  if (values.out !== undefined) cpSync(profiles, values.out, { recursive: true })
  if (values.json) {
    const daemons = all.map(({ replica, times }) => {
      return { replica, us: Object.fromEntries(byCategory(times)), top: times.slice(0, top) }
    })
    process.stdout.write(`${JSON.stringify({ inFlight, sent, daemons })}\n`)
    return true
  }
  const rate = `${inFlight} in flight: ${sent.perSecond} sends/s while profiled`
  process.stdout.write(`${rate}\n${show(all)}\n`)
  return true
})
