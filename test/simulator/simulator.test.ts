// A fixed few minutes of the simulator: seeds of both workloads, the same course twice from one
// seed, and planted bugs that must be noticed. More of it by hand: test/simulator/run.ts, hunt.ts.

import t from 'tap'
import type { Sizes } from './cluster.js'
import { hunt } from './hunt.js'
import { BUGS, planted } from './planted.js'
import { simulate, type Outcome } from './simulation.js'
import { workloadOf, type WorkloadName } from './workload/choice.js'

const STORM_MS = 3_000

const SIZES: readonly Sizes[] = [
  { processing: 3, persistence: 3, clients: 3 },
  { processing: 3, persistence: 5, clients: 2 },
  { processing: 2, persistence: 3, clients: 2 },
  { processing: 3, persistence: 3, clients: 2 },
  { processing: 1, persistence: 1, clients: 1 },
]

function run(name: WorkloadName, seed: number): Outcome {
  const sizes = SIZES[seed % SIZES.length]!
  return simulate({ seed, sizes, workload: workloadOf(name), stormMs: STORM_MS })
}

function again(name: WorkloadName, { seed }: Outcome): string {
  const { processing, persistence, clients } = SIZES[seed % SIZES.length]!
  return (
    `node dist/test/simulator/run.js --seed ${seed} --workload ${name} --storm-ms ${STORM_MS} ` +
    `--processing ${processing} --persistence ${persistence} --clients ${clients} --trace`
  )
}

/** Seeds that once failed, with what was wrong. */
const ONCE_FAILED = [
  {
    seed: 201_375,
    why: 'ACTIVE was lost, nobody wrote: the log of the new view was never committed',
  },
] as const

for (const { seed, why } of ONCE_FAILED) {
  t.test(`seed ${seed}: ${why}`, async (t) => {
    const sizes: Sizes = { processing: 3, persistence: 3, clients: 3 }
    const { violation } = simulate({ seed, sizes, workload: workloadOf('whole') })
    t.notOk(violation, violation?.message ?? '')
  })
}

for (const name of ['persistence', 'whole'] as const) {
  t.test(`120 seeds of the ${name} workload`, async (t) => {
    let entries = 0
    for (let seed = 1; seed <= 120; seed++) {
      const outcome = run(name, seed)
      entries += outcome.entries
      if (outcome.violation) t.fail(`${outcome.violation.message}; again: ${again(name, outcome)}`)
    }
    t.ok(entries > 1_000, `only ${entries} entries were committed`)
  })

  t.test(`one seed of the ${name} workload has one course`, async (t) => {
    const [first, second] = [run(name, 7), run(name, 7)]
    t.equal(first.hash, second.hash)
    t.equal(first.events, second.events)
    t.not(run(name, 8).hash, first.hash)
  })
}

t.test('every planted bug still finds its line', async (t) => {
  for (const bug of BUGS) await t.resolves(planted(bug), bug.name)
})

/** Those that a few seeds notice; hunt.ts goes through all of them. */
const QUICK = [
  'a majority of permissions makes a holder',
  'a kept permission is not given back',
  'a promise is not persisted',
  'the view row is written before the log',
  'the holder counts itself before its fsync',
  'one file is enough for a commit',
  'entries take no new stamp',
  'the feed runs ahead of the commit',
  'a receipt names the place before',
]

for (const bug of BUGS.filter(({ name }) => QUICK.includes(name))) {
  t.test(`planted: ${bug.name}`, async (t) => {
    const [caught] = await hunt(bug, 12, 1)
    t.ok(caught, 'no seed noticed it')
    t.ok(caught && bug.caughtBy.includes(caught.invariant), `noticed by ${caught?.invariant}`)
  })
}
