// The comparison of two commits: for each figure the spread of its rounds, and the ratio of medians.

import { spread } from './statistics.js'
import type { Spread } from './statistics.js'

export interface Round {
  readonly side: 'A' | 'B'
  readonly round: number
  readonly inFlight: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU seconds of all daemons per 1,000 sends. */
  readonly cpuPer1000: number
}

interface Figure {
  readonly name: string
  /** Digits to show behind the point. */
  readonly digits: number
  readonly a: Spread
  readonly b: Spread
  /** Median of B over that of A. */
  readonly ratio: number
}

export interface Comparison {
  readonly inFlight: number
  readonly figures: readonly Figure[]
}

const FIGURES = [
  { key: 'perSecond', name: 'sends/s', digits: 0 },
  { key: 'p50Ms', name: 'p50 ms', digits: 2 },
  { key: 'p99Ms', name: 'p99 ms', digits: 2 },
  { key: 'cpuPer1000', name: 'CPU s/1000', digits: 3 },
] as const

export function comparisonOf(rounds: readonly Round[], inFlight: number): Comparison {
  const own = rounds.filter((round) => round.inFlight === inFlight)
  const figures = FIGURES.map(({ key, name, digits }): Figure => {
    const of = (side: Round['side']): Spread =>
      spread(own.filter((round) => round.side === side).map((round) => round[key]))
    const [a, b] = [of('A'), of('B')]
    return { name, digits, a, b, ratio: b.median / a.median }
  })
  return { inFlight, figures }
}
