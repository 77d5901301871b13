// How many seeds each planted bug survives: npm run hunt -- --help. Exit code 1: a bug escaped; 2: wrong
// usage.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import yargs from 'yargs'
import { BUGS } from './planted/bugs.js'
import type { Bug } from './planted/bug.js'
import { measuredIn, plantedBugsPage } from './planted/page.js'
import { plant } from './planted/plant.js'
import { THREADS, threadsOf, usage, Usage, wholeNumber } from './runner/arguments.js'
import { commit } from './runner/commit.js'
import { planOf } from './runner/plan.js'
import { spread, type Task } from './runner/pool.js'
import { failed } from './runner/result.js'

export interface Caught {
  readonly seed: number
  readonly invariant: string
}

interface Bounds {
  readonly seeds: number
  readonly catches: number
  readonly threads: number
}

/** The first seeds of a campaign that notice the bug. `tell` gets how many have been run. */
export async function hunt(
  bug: Bug,
  bounds: Bounds,
  tell: (seeds: number) => void = () => {},
): Promise<Caught[]> {
  const { seeds, catches, threads } = bounds
  const planted = plant(bug)
  const caught: Caught[] = []
  let seed = 0
  let run = 0
  const next = (): Task | undefined => {
    if (seed >= seeds || caught.length >= catches) return undefined
    return { plan: planOf(++seed, { workload: bug.workload }), planted, control: true }
  }
  await spread(threads, next, (result) => {
    tell(++run)
    if (failed(result)) caught.push({ seed: result.seed, invariant: result.violation.invariant })
  })
  return caught.sort((a, b) => a.seed - b.seed).slice(0, catches)
}

/** Seeds from one catch to the next, the median; null: there is no catch. */
function median(caught: readonly Caught[]): number | null {
  const gaps = caught.map(({ seed }, i) => seed - (caught[i - 1]?.seed ?? 0)).sort((a, b) => a - b)
  return gaps[Math.floor(gaps.length / 2)] ?? null
}

interface Found {
  readonly bug: string
  readonly invariants: readonly string[]
  readonly expected: readonly string[]
  readonly median: number | null
  readonly caught: readonly Caught[]
}

function line({ bug, invariants, expected, median }: Found): string {
  const strange = invariants.filter((name) => !expected.includes(name))
  const note = strange.length > 0 ? `  not expected: ${strange.join(' ')}` : ''
  return `${bug.padEnd(64)} ${(invariants.join(' ') || 'ESCAPED').padEnd(16)} ${median ?? '-'}${note}`
}

/** Writes the page of all bugs; bugs that were not hunted keep what the file says of them. */
function writePage(file: string, found: readonly Found[], { catches: wanted }: Bounds): void {
  const measured = measuredIn(existsSync(file) ? readFileSync(file, 'utf8') : '')
  for (const { bug, invariants, median, caught } of found) {
    const few = caught.length > 0 && caught.length < wanted ? ` (caught ${caught.length} x)` : ''
    const caughtBy = invariants.join(', ') || '**escaped**'
    measured.set(bug, { caughtBy, median: `${median ?? '-'}${few}`, commit: commit() })
  }
  writeFileSync(file, plantedBugsPage(measured))
}

/** Overwrites the line of progress, where stderr is a terminal. */
function show(progress: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${progress}`)
}

async function main(): Promise<boolean> {
  const text = { type: 'string' } as const
  const values = usage(
    yargs(process.argv.slice(2)).scriptName('npm run hunt --').usage('$0 [options]'),
  )
    .options({
      only: { type: 'string', default: '', describe: 'only bugs with this in their names' },
      seeds: { ...text, describe: 'at most so many seeds a bug [300]' },
      catches: { ...text, describe: 'until a bug was caught so often [3]' },
      threads: THREADS,
      json: { type: 'boolean', default: false, describe: 'the findings as JSON; lines on stderr' },
      out: { ...text, describe: 'put the findings into this file, such as docs/PLANTED-BUGS.md' },
    })
    .parseSync()
  if ('help' in values) return true
  const bounds = {
    seeds: wholeNumber('seeds', 1)(values.seeds) ?? 300,
    catches: wholeNumber('catches', 1)(values.catches) ?? 3,
    threads: threadsOf(values.threads),
  }
  const bugs = BUGS.filter(({ name }) => name.includes(values.only))
  if (bugs.length === 0) throw new Usage(`--only: no bug has "${values.only}" in its name`)
  const found: Found[] = []
  const say = values.json ? console.error : console.log
  for (const bug of bugs) {
    const { name, caughtBy: expected } = bug
    const place = `${found.length + 1} of ${bugs.length}: ${name}`
    const caught = await hunt(bug, bounds, (seeds) => show(`${place}, ${seeds} seeds`))
    const invariants = [...new Set(caught.map(({ invariant }) => invariant))]
    found.push({ bug: name, invariants, expected, median: median(caught), caught })
    show('')
    say(line(found.at(-1)!))
  }
  if (values.out) writePage(values.out, found, bounds)
  if (values.json) console.log(JSON.stringify({ commit: commit(), ...bounds, found }))
  return found.every(({ caught }) => caught.length > 0)
}

if (process.argv[1] === import.meta.filename) {
  process.once('SIGINT', () => process.exit(130))
  try {
    process.exitCode = (await main()) ? 0 : 1
  } catch (error) {
    if (!(error instanceof Usage)) throw error
    process.stderr.write(`hunt: ${error.message}. npm run hunt -- --help\n`)
    process.exitCode = 2
  }
}
