// The statistics of benchmarks: quantiles, bins, and the comparison of two commits.

import t from 'tap'
import { comparisonOf } from './comparison.js'
import type { Round } from './comparison.js'
import { bins, quantile, spread } from './statistics.js'

t.test('quantiles lie between neighbours', async (t) => {
  t.equal(quantile([3, 1, 2], 0.5), 2)
  t.equal(quantile([4, 1, 2, 3], 0.5), 2.5)
  t.equal(quantile([10, 20], 0.9), 19)
  t.equal(quantile([7], 0.99), 7)
  t.ok(Number.isNaN(quantile([], 0.5)))
  t.same(spread([5, 1, 9]), { min: 1, median: 5, max: 9 })
})

t.test('bins cover the values from the least to the greatest, empty ones too', async (t) => {
  t.same(bins([210, 249, 310, 250], 50), [
    { from: 200, to: 250, count: 2 },
    { from: 250, to: 300, count: 1 },
    { from: 300, to: 350, count: 1 },
  ])
  t.same(
    bins([0, 100], 50).map(({ count }) => count),
    [1, 0, 1],
  )
  t.same(bins([], 50), [])
})

t.test('a comparison has the ratio of medians, of its number in flight only', async (t) => {
  const round = (side: 'A' | 'B', perSecond: number, inFlight = 64): Round => {
    const times = { p50Ms: 1_000 / perSecond, p99Ms: 5, cpuPer1000: 0.4 }
    return { side, round: 1, inFlight, perSecond, ...times }
  }
  const rounds = [
    ...[round('A', 100), round('B', 210), round('A', 120), round('B', 240), round('A', 90)],
    ...[round('B', 150), round('A', 9_000, 256), round('B', 1, 256)],
  ]
  const { inFlight, figures } = comparisonOf(rounds, 64)
  t.equal(inFlight, 64)
  t.match(figures[0], {
    name: 'sends/s',
    a: { min: 90, median: 100, max: 120 },
    b: { min: 150, median: 210, max: 240 },
    ratio: 2.1,
  })
  t.match(figures[1], { name: 'p50 ms', a: { median: 10 } })
  t.match(figures[3], { name: 'CPU s/1000', ratio: 1 })
})
