// A plan is what a seed runs: the workload, the sizes, the mode. All of it follows from the seed,
// so that the seed alone replays a run; flags may override it.

import type { Sizes } from '../setting.js'
import { Random } from '../random.js'
import type { Mode, Options, Workload } from '../simulation.js'
import { workloadOf, type WorkloadName } from '../workload/choice.js'

export interface Plan {
  readonly seed: number
  readonly workload: WorkloadName
  readonly sizes: Sizes
  readonly mode: Mode
  /** The only strikes of faults that happen; absent: all. */
  readonly strikes?: readonly string[]
  readonly stormMs?: number
}

/** The parts of a plan that flags override. */
export interface Wishes {
  readonly workload?: WorkloadName | undefined
  readonly processing?: number | undefined
  readonly persistence?: number | undefined
  readonly clients?: number | undefined
  readonly mode?: Mode | undefined
  readonly strikes?: readonly string[] | undefined
  readonly stormMs?: number | undefined
}

/** Replicas of each tier, and the number of seeds of ten that have them. */
const SHARES = [
  [3, 3, 6],
  [5, 5, 2],
  [2, 3, 1],
  [1, 1, 1],
] as const

function replicasOf(share: number): readonly [number, number] {
  let upTo = 0
  for (const [processing, persistence, shares] of SHARES) {
    upTo += shares / 10
    if (share < upTo) return [processing, persistence]
  }
  return [3, 3]
}

export function planOf(seed: number, wishes: Wishes = {}): Plan {
  const random = new Random(seed, 'mix')
  const [processing, persistence] = replicasOf(random.float())
  const workload = random.chance(0.6) ? 'whole' : 'persistence'
  const mode = random.chance(0.1) ? 'beyond' : 'usual'
  const clients = random.between(2, 4)
  const { strikes, stormMs } = wishes
  return {
    seed,
    workload: wishes.workload ?? workload,
    sizes: {
      processing: wishes.processing ?? processing,
      persistence: wishes.persistence ?? persistence,
      clients: wishes.clients ?? clients,
    },
    mode: wishes.mode ?? mode,
    ...(strikes && { strikes }),
    ...(stormMs !== undefined && { stormMs }),
  }
}

/** `workload`: machines with a planted bug; absent: the product's, as the plan says. */
export function optionsOf(plan: Plan, workload: Workload = workloadOf(plan.workload)): Options {
  const { seed, sizes, mode, strikes, stormMs } = plan
  return {
    ...{ seed, sizes, mode, workload },
    ...(strikes && { strikes: new Set(strikes) }),
    ...(stormMs !== undefined && { stormMs }),
  }
}

/** The flags that give this plan: the seed, and each difference from the seed's own plan. */
export function flagsOf(plan: Plan): string {
  const usual = planOf(plan.seed)
  const flags = [`--seed ${plan.seed}`]
  if (plan.workload !== usual.workload) flags.push(`--workload ${plan.workload}`)
  if (plan.mode !== usual.mode) flags.push(`--mode ${plan.mode}`)
  for (const name of ['processing', 'persistence', 'clients'] as const) {
    if (plan.sizes[name] !== usual.sizes[name]) flags.push(`--${name} ${plan.sizes[name]}`)
  }
  if (plan.stormMs !== undefined) flags.push(`--storm-ms ${plan.stormMs}`)
  if (plan.strikes) flags.push(`--strikes '${plan.strikes.join(' ')}'`)
  return flags.join(' ')
}
