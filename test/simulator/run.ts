// The simulator's command: npm run simulate -- --help. Exit code 0: every seed passed; 1: a seed
// failed; 2: wrong usage.

import { load, plantNamed } from './planted/plant.js'
import { readArguments, Usage, type Arguments } from './runner/arguments.js'
import { campaign } from './runner/campaign.js'
import { commit } from './runner/commit.js'
import { planOf, type Plan } from './runner/plan.js'
import { failureText, shrunkText } from './runner/report.js'
import { failed, runPlan, type Result } from './runner/result.js'
import { shrink } from './runner/shrink.js'
import { withoutHeartbeats } from './transcript.js'

/** Runs one seed; false: it failed. */
async function one(seed: number, values: Arguments, planted?: string): Promise<boolean> {
  const make = planted === undefined ? undefined : await load(planted)
  const print = values.trace === 'all' ? console.log : withoutHeartbeats(console.log)
  const run = (plan: Plan, traced: boolean): Result =>
    runPlan(plan, make?.(plan.workload), traced ? print : undefined)
  const result = run(planOf(seed, values.wishes), values.trace !== 'no')
  if (!failed(result)) {
    console.log(`seed ${seed} passed, hash ${result.hash.toString(16)}`)
    return true
  }
  if (!values.shrink) console.log(failureText(result, commit(), values.planted))
  else {
    const tell = (text: string): void => void process.stderr.write(`${text}\n`)
    const shrunk = shrink(result, (plan) => run(plan, false), tell)
    console.log(shrunkText(shrunk, commit(), values.planted))
  }
  return false
}

async function main(): Promise<boolean> {
  const values = readArguments(process.argv.slice(2))
  if (!values) return true
  const planted = values.planted === undefined ? undefined : plantNamed(values.planted)
  if (values.planted !== undefined && planted === undefined) {
    throw new Usage(`--planted: no bug is named "${values.planted}"`)
  }
  return values.seed === undefined ? campaign(values, planted) : one(values.seed, values, planted)
}

// A reader that closes the pipe (head, a pager) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
})

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  if (!(error instanceof Usage)) throw error
  process.stderr.write(`simulate: ${error.message}. npm run simulate -- --help\n`)
  process.exitCode = 2
}
