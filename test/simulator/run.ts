// The simulator by hand: node dist/test/simulator/run.js --seed N --trace | --seeds N [--first N] |
// --minutes M [--processing N --persistence N --clients N] [--coverage]. Exit code 1 where a seed
// fails.

import { parseArgs } from 'node:util'
import type { Sizes } from './cluster.js'
import { FAULTS } from './faults/storm.js'
import { simulate, type Outcome } from './simulation.js'
import { WORKLOADS, workloadOf } from './workload/choice.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    first: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    processing: { type: 'string' },
    persistence: { type: 'string' },
    clients: { type: 'string', default: '3' },
    workload: { type: 'string', default: 'whole' },
    strikes: { type: 'string' },
    beyond: { type: 'boolean', default: false },
    'storm-ms': { type: 'string' },
    trace: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
})

const workload = WORKLOADS.find((name) => name === values.workload)
if (!workload) throw new Error(`--workload: one of ${WORKLOADS.join(', ')}`)

/** Most clusters are 3 + 3; some are larger or smaller. */
function sizesOf(seed: number): Sizes {
  const share = seed % 10
  const [p, s] = share === 7 ? [5, 5] : share === 8 ? [2, 3] : share === 9 ? [1, 1] : [3, 3]
  return {
    processing: Number(values.processing ?? p),
    persistence: Number(values.persistence ?? s),
    clients: Number(values.clients),
  }
}

function run(seed: number, print?: (line: string) => void): Outcome {
  const options = {
    seed,
    sizes: sizesOf(seed),
    workload: workloadOf(workload!),
    ...(values['storm-ms'] === undefined ? {} : { stormMs: Number(values['storm-ms']) }),
    ...(print ? { print } : {}),
    mode: values.beyond ? ('beyond' as const) : ('usual' as const),
    ...(values.strikes === undefined ? {} : { strikes: new Set(values.strikes.split(',')) }),
  }
  return simulate(options)
}

function report(outcome: Outcome): void {
  const { seed, violation, virtualMs, rates } = outcome
  const { processing, persistence, clients } = sizesOf(seed)
  console.log(`\nseed ${seed} FAILED after ${(virtualMs / 1000).toFixed(3)} virtual seconds`)
  console.log(`  ${violation!.message}`)
  console.log(`  faults: ${Object.keys(rates).join(' ') || 'none'}`)
  console.log(
    `  again: node dist/test/simulator/run.js --seed ${seed} --workload ${values.workload} ` +
      `--processing ${processing} --persistence ${persistence} --clients ${clients} --trace`,
  )
}

function one(seed: number): void {
  const outcome = run(seed, values.trace ? (line) => console.log(line) : undefined)
  if (outcome.violation) report(outcome)
  else console.log(`seed ${seed} passed, hash ${outcome.hash.toString(16)}`)
  process.exitCode = outcome.violation ? 1 : 0
}

function many(): void {
  const first = Number(values.first)
  const last = values.seeds === undefined ? Infinity : first + Number(values.seeds) - 1
  const begun = performance.now()
  const minutes = values.minutes === undefined ? Infinity : Number(values.minutes)
  const total = new Map<string, number>()
  let [seeds, failed, virtualMs, entries] = [0, 0, 0, 0]
  const slowest = { served: 0, servedBy: 0, converged: 0, convergedBy: 0 }
  const elapsed = (): number => (performance.now() - begun) / 1000
  const progress = (): string =>
    `${seeds} seeds, ${failed} failed, ${(virtualMs / 3_600_000).toFixed(2)} virtual hours, ` +
    `${(virtualMs / 1000 / elapsed()).toFixed(0)} virtual seconds a second, ${entries} entries`
  for (let seed = first; seed <= last && elapsed() < minutes * 60; seed++) {
    const outcome = run(seed)
    seeds++
    virtualMs += outcome.virtualMs
    entries += outcome.entries
    if (outcome.servedMs > slowest.served) {
      Object.assign(slowest, { served: outcome.servedMs, servedBy: seed })
    }
    if (outcome.convergedMs > slowest.converged) {
      Object.assign(slowest, { converged: outcome.convergedMs, convergedBy: seed })
    }
    for (const [what, count] of outcome.reached) total.set(what, (total.get(what) ?? 0) + count)
    if (process.stderr.isTTY || seeds % 50 === 0) process.stderr.write(`\r${progress()}  `)
    if (!outcome.violation) continue
    failed++
    report(outcome)
    if (!values['keep-going']) break
  }
  console.log(`\n${progress()}`)
  console.log(
    `slowest after the faults: served in ${slowest.served.toFixed(0)} ms (seed ` +
      `${slowest.servedBy}), converged in ${slowest.converged.toFixed(0)} ms (seed ` +
      `${slowest.convergedBy})`,
  )
  if (values.coverage) {
    for (const name of Object.keys(FAULTS)) if (!total.has(`fault ${name}`)) total.set(name, 0)
    for (const [what, count] of [...total].sort())
      console.log(`${String(count).padStart(9)} ${what}`)
  }
  process.exitCode = failed > 0 ? 1 : 0
}

if (values.seed === undefined) many()
else one(Number(values.seed))
