// How many seeds each planted bug survives: node dist/test/simulator/hunt.js [--seeds N] [--only TEXT].
// Exit code 1 where one escapes.

import { parseArgs } from 'node:util'
import { BUGS, planted, type Bug } from './planted.js'
import { simulate } from './simulation.js'

export interface Catch {
  readonly seed: number
  readonly invariant: string
}

/** The first seeds that notice the bug. */
export async function hunt(bug: Bug, seeds: number, catches: number): Promise<Catch[]> {
  const workload = await planted(bug)
  const caught: Catch[] = []
  for (let seed = 1; seed <= seeds && caught.length < catches; seed++) {
    const five = seed % 3 === 0
    const sizes = { processing: 3, persistence: five ? 5 : 3, clients: 3 }
    const { violation } = simulate({ seed, sizes, workload: workload() })
    if (violation) caught.push({ seed, invariant: violation.invariant })
  }
  return caught
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '300' },
      only: { type: 'string', default: '' },
      catches: { type: 'string', default: '3' },
    },
  })
  for (const bug of BUGS.filter(({ name }) => name.includes(values.only))) {
    const caught = await hunt(bug, Number(values.seeds), Number(values.catches))
    const gaps = caught
      .map(({ seed }, i) => seed - (caught[i - 1]?.seed ?? 0))
      .sort((a, b) => a - b)
    const median = gaps[Math.floor(gaps.length / 2)] ?? '-'
    const names = [...new Set(caught.map(({ invariant }) => invariant))].join(' ')
    console.log(`${bug.name.padEnd(48)} ${(names || 'ESCAPED').padEnd(12)} ${median}`)
    if (caught.length === 0) process.exitCode = 1
  }
}

if (process.argv[1] === import.meta.filename) await main()
