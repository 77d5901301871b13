// The output of a campaign, for people and for programs.

import { knownNames } from '../coverage/known.js'
import { flagsOf, type Plan } from './plan.js'
import type { Failure } from './result.js'
import type { Shrunk } from './shrink.js'
import type { Tally } from './tally.js'

const command = (plan: Plan, more: string): string => `npm run simulate -- ${flagsOf(plan)}${more}`

function setting({ workload, mode, sizes }: Plan): string {
  const { processing, persistence, clients } = sizes
  const who =
    workload === 'whole' ? `${clients} clients` : 'writers in place of processing replicas'
  return `workload ${workload}, ${processing} + ${persistence} replicas, ${who}, mode ${mode}`
}

/** `planted`: name of the planted bug, if any. */
export function failureText(failure: Failure, commit: string, planted?: string): string {
  const { plan, violation, virtualMs, strikes } = failure
  const more = planted === undefined ? '' : ` --planted '${planted}'`
  return [
    `seed ${plan.seed} FAILED after ${(virtualMs / 1000).toFixed(3)} virtual seconds, commit ${commit}`,
    `  ${violation.message}`,
    `  ${setting(plan)}`,
    `  faults: ${strikes.join(' ') || 'none'}`,
    `  again:  ${command(plan, `${more} --trace`)}`,
    `  shrink: ${command(plan, `${more} --shrink`)}`,
  ].join('\n')
}

export function shrunkText({ from, to, runs }: Shrunk, commit: string, planted?: string): string {
  const size = ({ strikes, stormMs, plan }: Failure): string => {
    const { processing, persistence, clients } = plan.sizes
    return (
      `${strikes.length} strikes in ${stormMs} ms, ${processing} + ${persistence} replicas, ` +
      `${clients} clients`
    )
  }
  return [
    failureText(to, commit, planted),
    `smaller, in ${runs} runs: from ${size(from)}`,
    `                    to ${size(to)}`,
  ].join('\n')
}

function table(rows: readonly (readonly [string, number])[]): string[] {
  return rows.map(([name, count]) => `${String(count).padStart(10)}  ${name}`)
}

/**
 * The summary: faults, then every other state that was reached, then the known ones that were not.
 */
export function summaryText(tally: Tally): string {
  const names = [...new Set([...knownNames(), ...tally.reached.keys()])]
  const counted = names
    .map((name) => [name, tally.reached.get(name) ?? 0] as const)
    .filter(([, count]) => count > 0)
  const faults = counted.filter(([name]) => name.startsWith('fault '))
  const states = counted.filter(([name]) => !name.startsWith('fault '))
  const slowest = (what: string, list: Tally['served']): string[] =>
    list.map(({ ms, plan }) => `  ${what} after ${ms.toFixed(0)} ms: ${flagsOf(plan)}`)
  return [
    'faults',
    ...table(faults),
    'states and transitions',
    ...table(states),
    `not reached in ${tally.seeds} seeds: ${tally.holes.length}`,
    ...tally.holes.map((name) => `            ${name}`),
    'slowest after the faults',
    ...slowest('served', tally.served),
    ...slowest('converged', tally.converged),
    tally.progress,
  ].join('\n')
}

export function summaryJson(tally: Tally, commit: string): string {
  const recovery = ({ ms, plan }: Tally['served'][number]): object => ({ ms, flags: flagsOf(plan) })
  return JSON.stringify({
    commit,
    seeds: tally.seeds,
    seconds: tally.seconds,
    virtualHours: tally.virtualMs / 3_600_000,
    entries: tally.entries,
    failures: tally.failures.map(({ plan, violation }) => ({ ...violation, flags: flagsOf(plan) })),
    reached: Object.fromEntries(tally.reached),
    holes: tally.holes,
    slowest: { served: tally.served.map(recovery), converged: tally.converged.map(recovery) },
  })
}
