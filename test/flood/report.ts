// The report of a campaign, as text.

import Table from 'cli-table3'
import type { Phase, Report } from './campaign.js'

function table(head: string[], rows: (string | number)[][]): string {
  const made = new Table({ head, style: { head: [], border: [], compact: true } })
  made.push(...rows)
  return made.toString()
}

function sums(counts: Iterable<readonly [string, number]>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || '-'
}

function vitalsOf({ name, vitals }: Phase): (string | number)[] {
  const most = (tier: string, of: (one: Phase['vitals'][number]) => number): number =>
    Math.max(...vitals.filter((one) => one.name.startsWith(tier)).map(of))
  const rss = ['p', 's'].map((tier) => most(tier, (one) => one.rss[1]))
  const after = ['p', 's'].map((tier) => most(tier, (one) => one.rss[2]))
  const lag = ['p', 's'].map((tier) => most(tier, (one) => one.p99))
  return [name, rss.join(' / '), after.join(' / '), lag.join(' / ')]
}

export function lines({ phases, faults }: Report): string[] {
  return [
    table(
      ['phase', 'sends', 'p50 ms', 'p99 ms', 'max ms', 'log-ins', 'p50 ms', 'p99 ms', 'failed'],
      phases.map(({ name, sends, logIns }) => [
        ...[name, sends.sends, sends.p50, sends.p99, sends.max],
        ...[logIns.sends, logIns.p50, logIns.p99, sends.failed + logIns.failed],
      ]),
    ),
    table(
      ['phase', 'MiB at most, p / s', 'MiB at last', 'ruok p99 ms, p / s'],
      phases.map((phase) => vitalsOf(phase)),
    ),
    ...phases.map(({ name, refused }) => `${name}: refused: ${sums(Object.entries(refused))}`),
    ...phases.flatMap(({ name, outcomes }) =>
      [...outcomes].map(([attack, outcome]) => `${name}: ${attack} saw: ${sums(outcome)}`),
    ),
    ...faults.map((fault) => `FAULT: ${fault}`),
    faults.length === 0 ? 'no honest client has lost anything' : `${faults.length} faults`,
  ]
}
