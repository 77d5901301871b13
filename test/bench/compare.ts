// npm run bench:compare -- REF: the speed of this checkout beside that of another commit. Clusters of
// both take turns, one at a time, under the same load. The ratio counts, not the figures: all
// rounds share one machine, and what else it does.

import { askDebugPort } from '../../clients/cli/debug-port.js'
import { table } from '../../clients/cli/output.js'
import { PACKAGE_DIR } from '../../clients/cli/programs.js'
import { MAX_IN_FLIGHT } from '../../clients/cli/bench/plan.js'
import * as ownLibrary from '../../clients/index.js'
import { WIRE_VERSION } from '../../protocol/schema/shared.js'
import { Command } from '../system/campaign.js'
import { buildCommit, git, moduleOf } from '../system/checkout.js'
import type { Cluster, Owner } from '../system/cluster.js'
import { startBenchCluster } from './cluster.js'
import type { Library } from './cluster.js'
import { comparisonOf } from './comparison.js'
import type { Round } from './comparison.js'

const WARM_UP_S = 1

const USAGE = `npm run bench:compare -- REF [--in-flight N,N] [--seconds N] [--rounds N] [--json]

  REF          the commit to compare with
  --in-flight  unanswered sends at a time, for each a measurement [64,256]
  --seconds    of each measurement [10]
  --rounds     clusters of each commit [3]
  --size       bytes of a text [256]
  --json       for programs`

interface Side {
  readonly name: 'A' | 'B'
  readonly root: string
  readonly library: Library
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** The library that loads A: this checkout's, unless the two speak different versions of the wire. */
async function libraryOf(root: string): Promise<Library> {
  const schema = (await moduleOf(root, 'protocol/schema/shared.js')) as {
    WIRE_VERSION?: number
  } | null
  if (schema?.WIRE_VERSION === WIRE_VERSION) {
    say(`both speak version ${WIRE_VERSION} of the wire: the client of this checkout loads both`)
    return ownLibrary
  }
  const other = schema?.WIRE_VERSION ? `version ${schema.WIRE_VERSION}` : 'an older version'
  say(`A speaks ${other} of the wire, B version ${WIRE_VERSION}: each is loaded by its own client`)
  const library = (await moduleOf(root, 'clients/index.js')) as Library | null
  if (!library) throw new Error('the commit has no client library at dist/clients/index.js')
  return library
}

/** CPU seconds of all daemons. Every commit's /metrics tells them. */
async function cpuSeconds(cluster: Cluster): Promise<number> {
  const each = cluster.replicas.map(async ({ name, place }) => {
    const answer = await askDebugPort(place.debugPort, 'GET /metrics HTTP/1.0')
    const found = /^process_cpu_seconds_total (\S+)$/m.exec(answer)
    if (!found) throw new Error(`${name} does not tell its CPU time`)
    return Number(found[1])
  })
  return (await Promise.all(each)).reduce((sum, seconds) => sum + seconds, 0)
}

interface Load {
  readonly inFlight: readonly number[]
  readonly seconds: number
  readonly sizeBytes: number
}

async function runRound(owner: Owner, side: Side, round: number, load: Load): Promise<Round[]> {
  const bench = await startBenchCluster(owner, { root: side.root })
  const loading = await bench.loading(load.sizeBytes, side.library)
  const rounds: Round[] = []
  for (const inFlight of load.inFlight) {
    await loading.load.run(inFlight, WARM_UP_S)
    const before = await cpuSeconds(bench.cluster)
    const { sent } = await loading.load.run(inFlight, load.seconds)
    const cpu = (await cpuSeconds(bench.cluster)) - before
    const { count, perSecond, p50Ms, p99Ms } = sent
    const cpuPer1000 = (cpu / count) * 1_000
    rounds.push({ side: side.name, round, inFlight, perSecond, p50Ms, p99Ms, cpuPer1000 })
    say(`${side.name} ${round}, ${inFlight} in flight: ${perSecond} sends/s, p50 ${p50Ms} ms`)
  }
  loading.end()
  await bench.stop()
  return rounds
}

const command = new Command('compare', USAGE)

const { values, positionals } = command.parse({
  allowPositionals: true,
  options: {
    'in-flight': { type: 'string', default: '64,256' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    size: { type: 'string', default: '256' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) command.help()
const [ref = ''] = positionals
if (positionals.length !== 1) command.wrong('one REF is needed: the commit to compare with')
const load: Load = {
  inFlight: values['in-flight']
    .split(',')
    .map((one) => command.whole('in-flight', one, MAX_IN_FLIGHT)),
  seconds: command.positive('seconds', values.seconds),
  sizeBytes: command.whole('size', values.size),
}
const rounds = command.whole('rounds', values.rounds)

function commitOf(name: string): string {
  try {
    return git('rev-parse', '--verify', '--quiet', `${name}^{commit}`)
  } catch {
    return command.wrong(`${name}: git knows no such commit`)
  }
}

const commit = commitOf(ref)

await command.carryOut(async (owner) => {
  say(`building ${ref}, ${commit.slice(0, 12)}`)
  const root = buildCommit(owner, commit)
  const a: Side = { name: 'A', root, library: await libraryOf(root) }
  const b: Side = { name: 'B', root: PACKAGE_DIR, library: ownLibrary }
  const all: Round[] = []
  for (let round = 1; round <= rounds; round++) {
    // A B, B A, A B: what slows the machine down by and by slows both alike.
    const turns = round % 2 === 1 ? [a, b] : [b, a]
    for (const side of turns) all.push(...(await runRound(owner, side, round, load)))
  }
  const comparisons = load.inFlight.map((inFlight) => comparisonOf(all, inFlight))
  if (values.json) {
    const sides = { a: commit, b: git('describe', '--always', '--dirty'), load }
    process.stdout.write(`${JSON.stringify({ ...sides, rounds: all, comparisons })}\n`)
    return true
  }
  const digits = (value: number, n: number): string => value.toFixed(n)
  const head = ['', 'round', 'in flight', 'sends/s', 'p50 ms', 'p99 ms', 'CPU s/1000']
  const rows = all.map((one) => [
    ...[one.side, one.round, one.inFlight, one.perSecond, one.p50Ms, one.p99Ms],
    digits(one.cpuPer1000, 3),
  ])
  const text = [`A: ${ref} (${commit.slice(0, 12)}); B: this checkout`, table(head, rows)]
  for (const { inFlight, figures } of comparisons) {
    const row = ({ name, a, b, ratio, digits: n }: (typeof figures)[number]) => [
      ...[name, ...[a, b].flatMap((s) => [s.min, s.median, s.max].map((v) => digits(v, n)))],
      digits(ratio, 3),
    ]
    const columns = ['A min', 'median', 'max', 'B min', 'median', 'max', 'B / A']
    text.push(table([`${inFlight} in flight`, ...columns], figures.map(row)))
  }
  process.stdout.write(`${text.join('\n')}\n`)
  return true
})
