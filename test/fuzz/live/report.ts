// The report of a campaign, as text.

import Table from 'cli-table3'
import type { Plan, Report, Stage } from './campaign.js'

function table(head: string[], rows: (string | number)[][]): string {
  const made = new Table({ head, style: { head: [], border: [], compact: true } })
  made.push(...rows)
  return made.toString()
}

function kindsOf(stages: readonly Stage[]): [string, number][] {
  const sums = new Map<string, number>()
  for (const { kinds } of stages) {
    for (const [kind, count] of Object.entries(kinds)) {
      sums.set(kind, (sums.get(kind) ?? 0) + count)
    }
  }
  return [...sums].sort(([, a], [, b]) => b - a)
}

export function lines({ seed }: Plan, { stages, faults, halts }: Report): string[] {
  const frames = stages.reduce((sum, stage) => sum + stage.frames, 0)
  const connections = stages.reduce((sum, stage) => sum + stage.connections, 0)
  return [
    `seed ${seed}: ${frames} frames over ${connections} connections`,
    table(
      ['stage', 's', 'frames', 'honest sends', 'failed', 'p50 ms', 'p99 ms', 'max ms'],
      stages.map(({ name, seconds, frames: sent, honest }) => {
        const { sends, failed, p50, p99, max } = honest
        return [name, seconds, sent, sends, failed, p50, p99, max]
      }),
    ),
    table(
      ['stage', 'daemon', 'MiB at first', 'at the most', 'at last', 'ruok p50 ms', 'p99 ms'],
      stages.flatMap(({ name, vitals }) =>
        vitals.map((one) => [name, one.name, ...one.rss, one.p50, one.p99]),
      ),
    ),
    table(['frames of', 'how many'], kindsOf(stages)),
    ...halts.map((halt) => `deliberate: ${halt}`),
    ...faults.map((fault) => `FAULT: ${fault}`),
    faults.length === 0 ? 'no replica died, no message was lost' : `${faults.length} faults`,
  ]
}
