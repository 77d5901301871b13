// The results of a benchmark: as an object for programs, as tables for people.

import { paint, table } from '../output.js'
import { ROLES, ofAllLinks, sumOf } from './daemon-costs.js'
import type { Counts, DaemonCosts } from './daemon-costs.js'
import type { Measured, Rate } from './load.js'
import type { Plan } from './plan.js'

export interface Phase extends Measured {
  readonly clientCpuSeconds: number
  /** null: no report was asked for, or none is possible. */
  readonly daemons: readonly DaemonCosts[] | null
}

type Cell = string | number

const NONE = '-'
const ROUND = 1e6

/** CPU seconds per 1,000 sends. */
function per1000(seconds: number | null, { sent }: Phase): number | null {
  if (seconds === null || sent.count === 0) return null
  return Math.round((seconds / sent.count) * 1000 * ROUND) / ROUND
}

function countsOf(costs: DaemonCosts): Counts | null {
  return 'counts' in costs ? costs.counts : null
}

function allCpu({ daemons }: Phase): number | null {
  return daemons && sumOf(daemons.map((one) => countsOf(one)?.cpuSeconds ?? null))
}

/** Counts divided by the number of sends, with the same names. */
function perMessage(counts: Counts, sends: number): unknown {
  const divide = (value: unknown): unknown => {
    if (typeof value === 'number') return Math.round((value / sends) * ROUND) / ROUND
    if (value === null || typeof value !== 'object') return null
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, divide(inner)]))
  }
  return divide(counts)
}

function daemonJson(costs: DaemonCosts, phase: Phase): unknown {
  const counts = countsOf(costs)
  if (!counts) return costs
  const cpuSecondsPer1000 = per1000(counts.cpuSeconds, phase)
  return { ...costs, cpuSecondsPer1000, perMessage: perMessage(counts, phase.sent.count) }
}

export function benchJson(plan: Plan, phases: readonly Phase[]): object {
  const { inFlight: _each, ...settings } = plan
  return {
    ...settings,
    phases: phases.map((phase) => ({
      ...phase,
      clientCpuSecondsPer1000: per1000(phase.clientCpuSeconds, phase),
      /** Of all daemons together; null if one of them does not tell its own. */
      cpuSeconds: allCpu(phase),
      cpuSecondsPer1000: per1000(allCpu(phase), phase),
      daemons: phase.daemons && phase.daemons.map((one) => daemonJson(one, phase)),
    })),
  }
}

const times = ({ perSecond, p50Ms, p99Ms, maxMs }: Rate): Cell[] => [perSecond, p50Ms, p99Ms, maxMs]

export function ratesTable(phases: readonly Phase[]): string {
  const pushes = phases.some(({ pushed }) => pushed)
  const reports = phases.some(({ daemons }) => daemons)
  const head = [
    ...['in flight', 'sends', 'sends/s', 'p50 ms', 'p99 ms', 'max ms'],
    ...(pushes ? ['pushes/s', 'p50 ms', 'p99 ms', 'max ms'] : []),
    ...(reports ? ['daemons CPU s/1000'] : []),
    'client CPU s/1000',
  ]
  const row = (phase: Phase): Cell[] => [
    ...[phase.inFlight, phase.sent.count, ...times(phase.sent)],
    ...(phase.pushed ? times(phase.pushed) : []),
    ...(reports ? [per1000(allCpu(phase), phase)?.toFixed(3) ?? NONE] : []),
    per1000(phase.clientCpuSeconds, phase)?.toFixed(3) ?? NONE,
  ]
  return table(head, phases.map(row))
}

interface Column {
  readonly head: string
  readonly read: (counts: Counts) => number | null
  /** Behind the point. */
  readonly digits: number
}

const COSTS: readonly Column[] = [
  { head: 'CPU s/1000', read: ({ cpuSeconds }) => cpuSeconds && cpuSeconds * 1000, digits: 3 },
  { head: 'frames in', read: (counts) => ofAllLinks(counts, 'framesIn'), digits: 2 },
  { head: 'out', read: (counts) => ofAllLinks(counts, 'framesOut'), digits: 2 },
  { head: 'writes', read: (counts) => ofAllLinks(counts, 'writes'), digits: 2 },
  { head: 'wake-ups', read: ({ wakeUps }) => wakeUps, digits: 2 },
  { head: 'switches', read: ({ contextSwitches }) => contextSwitches, digits: 2 },
  { head: 'transactions', read: ({ transactions }) => transactions, digits: 3 },
  { head: 'bytes written', read: ({ writtenBytes }) => writtenBytes, digits: 0 },
  { head: 'of log', read: ({ logBytes }) => logBytes, digits: 0 },
]

/** Bytes are those within TLS. */
const BYTES: readonly Column[] = ROLES.flatMap((role) => [
  { head: `${role} in`, read: ({ links }: Counts) => links[role].bytesIn, digits: 0 },
  { head: 'out', read: ({ links }: Counts) => links[role].bytesOut, digits: 0 },
])

/** Sum over all daemons; a figure that a tier lacks is 0 there. null: a daemon is missing. */
function inAll(daemons: readonly DaemonCosts[], read: Column['read']): number | null {
  const all = daemons.map(countsOf)
  if (all.includes(null)) return null
  const known = all.map((counts) => read(counts!)).filter((value) => value !== null)
  return known.length === 0 ? null : sumOf(known)
}

/** What a message costs each daemon: two tables, and the reasons of daemons without figures. */
export function costsText(phase: Phase): string {
  const { count } = phase.sent
  const daemons = phase.daemons ?? []
  const cell = (value: number | null, digits: number): string =>
    value === null || count === 0 ? NONE : (value / count).toFixed(digits)
  const shown = (columns: readonly Column[]): string => {
    const rows = daemons.map((one): Cell[] => {
      const counts = countsOf(one)
      return [
        one.replica,
        ...columns.map(({ read, digits }) => cell(counts && read(counts), digits)),
      ]
    })
    const total = columns.map(({ read, digits }) => cell(inAll(daemons, read), digits))
    return table(['', ...columns.map(({ head }) => head)], [...rows, ['in all', ...total]])
  }
  return [
    paint.bold(`${phase.inFlight} in flight, per message`),
    shown(COSTS),
    paint.bold('bytes per message, by the other end of the link'),
    shown(BYTES),
    ...daemons.flatMap((one) => ('reason' in one ? [`${one.replica}: ${one.reason}`] : [])),
  ].join('\n')
}
