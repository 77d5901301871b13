// The planted bugs: each finds its lines in the build, leaves a program, and has a row in
// docs/PLANTED-BUGS.md; a few seeds notice those that are quick to notice.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hunt } from './hunt.js'
import { BUGS } from './planted/bugs.js'
import { measuredIn, plantedBugsPage } from './planted/page.js'
import { changedBy, load, plantNamed } from './planted/plant.js'
import { planOf, type Plan } from './runner/plan.js'
import { failed, runPlan } from './runner/result.js'
import { shrink } from './runner/shrink.js'

t.setTimeout(600_000)

t.test('every planted bug finds its lines in the build', async (t) => {
  t.ok(BUGS.length >= 45, `only ${BUGS.length} bugs are planted`)
  for (const bug of BUGS) t.doesNotThrow(() => changedBy(bug), bug.name)
})

t.test('every planted bug leaves a program that Node takes', async (t) => {
  const path = join(t.testdir(), 'changed.mjs')
  for (const bug of BUGS) {
    for (const text of changedBy(bug).values()) {
      writeFileSync(path, text)
      const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' })
      t.equal(stderr, '', bug.name)
    }
  }
})

t.test('docs/PLANTED-BUGS.md lists the planted bugs', async (t) => {
  const page = readFileSync(new URL('../../../docs/PLANTED-BUGS.md', import.meta.url), 'utf8')
  const again = plantedBugsPage(measuredIn(page))
  t.equal(page, again, 'run: npm run hunt -- --out docs/PLANTED-BUGS.md --only NAME')
  t.notMatch(page, 'not hunted yet')
})

/** Bugs that a few seeds notice; hunt.ts goes through all of them. */
const QUICK = [
  'a majority of permissions makes a holder',
  'a kept permission is not given back',
  'entries take no new stamp',
  'a promise is not persisted',
  'the view row is written before the log',
  'the holder counts itself before its fsync',
  'one file is enough for a commit',
  'the feed runs ahead of the commit',
  'a receipt names the index before its message',
]

for (const bug of BUGS.filter(({ name }) => QUICK.includes(name))) {
  t.test(`planted: ${bug.name}`, async (t) => {
    const [caught] = await hunt(bug, { seeds: 12, catches: 1, threads: 1 })
    t.ok(caught, 'no seed noticed it')
    t.ok(caught && bug.caughtBy.includes(caught.invariant), `noticed by ${caught?.invariant}`)
  })
}

t.test('shrink makes a failing run smaller', async (t) => {
  const workloads = await load(plantNamed('a holder gives its permission away')!)
  const run = (plan: Plan) => runPlan(plan, workloads(plan.workload))
  let from = run(planOf(1))
  for (let seed = 2; !failed(from) && seed <= 20; seed++) from = run(planOf(seed))
  t.ok(failed(from), 'the bug was not noticed')
  if (!failed(from)) return
  const told: string[] = []
  const { to } = shrink(from, run, (text) => told.push(text))
  t.equal(to.violation.invariant, from.violation.invariant)
  t.ok(to.strikes.length <= from.strikes.length && to.stormMs < from.stormMs)
  t.ok(told.length > 0, 'no progress was told')
  const again = run(to.plan)
  t.equal(again.hash, to.hash, 'the smaller plan replays')
})
