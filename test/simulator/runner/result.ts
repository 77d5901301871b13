// The result of a run: plain data, which crosses from a worker to the main thread.

import { simulate, type Options, type Outcome } from '../simulation.js'
import { optionsOf, type Plan } from './plan.js'
import type { Workload } from '../simulation.js'

export interface Result extends Omit<Outcome, 'violation'> {
  readonly plan: Plan
  readonly violation: { readonly invariant: string; readonly message: string } | null
}

export interface Failure extends Result {
  readonly violation: { readonly invariant: string; readonly message: string }
}

export const failed = (result: Result): result is Failure => result.violation !== null

/** The result of a run that exhausted its thread's memory. */
export function exhausted(plan: Plan): Result {
  return {
    ...{ plan, seed: plan.seed, hash: 0, virtualMs: 0, stormMs: 0, events: 0, entries: 0 },
    ...{ servedMs: 0, convergedMs: 0, rates: {}, strikes: [], reached: new Map() },
    violation: { invariant: 'memory', message: `seed ${plan.seed} takes up ever more memory` },
  }
}

/** `workload`: as optionsOf has it. `print`: gets the transcript. */
export function runPlan(
  plan: Plan,
  workload?: Workload,
  print?: NonNullable<Options['print']>,
): Result {
  const outcome = simulate({ ...optionsOf(plan, workload), ...(print && { print }) })
  const { violation } = outcome
  return {
    ...outcome,
    plan,
    violation: violation && { invariant: violation.invariant, message: violation.message },
  }
}
