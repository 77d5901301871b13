// A history as a space-time table: one row per operation, time from left to right, one column for
// every call or return.

import type { Operation } from './linearize.js'

export interface Row {
  readonly asked: string
  readonly answered: string
}

const OPEN = '│'

export function table<What>(
  history: readonly Operation<What>[],
  describe: (what: What) => Row,
  timeOf: (place: number) => number,
): string {
  const rows = [...history].sort((a, b) => a.called - b.called)
  const places = rows
    .flatMap(({ called, returned }) => (returned === Infinity ? [called] : [called, returned]))
    .sort((a, b) => a - b)
  const column = new Map(places.map((place, i) => [place, i * 2]))
  const width = places.length * 2
  const bar = ({ called, returned }: Operation<What>): string => {
    const from = column.get(called)!
    const to = column.get(returned) ?? width
    const end = returned === Infinity ? '▷' : '┤'
    return `${' '.repeat(from)}├${'─'.repeat(to - from - 1)}${end}`.padEnd(width + 1)
  }
  const seconds = (place: number): string =>
    place === Infinity ? '...' : (timeOf(place) / 1000).toFixed(4)
  const cells = rows.map((row) => {
    const { asked, answered } = describe(row.what)
    const times = [seconds(row.called), seconds(row.returned)] as const
    return [row.who, asked, `→ ${answered}`, times[0], times[1], OPEN + bar(row) + OPEN]
  })
  const widths = cells[0]?.map((_, i) => Math.max(...cells.map((row) => row[i]!.length))) ?? []
  return cells.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')).join('\n')
}
