// A short campaign of `npm run fuzz`: thousands of frames at daemons that must neither die nor grow,
// and an honest client among them that loses nothing.

import t from 'tap'
import { Campaign } from '../fuzz/live/campaign.js'

t.setTimeout(280_000)

const FRAMES = 20_000

t.test(`${FRAMES} frames at every port`, async (t) => {
  const report = await Campaign.run(t, { seed: 1, frames: FRAMES, minutes: 2 }, () => {})
  t.same(report.faults, [])
  for (const { name, frames, honest } of report.stages) {
    const { sends, p50, p99 } = honest
    t.comment(`${name}: ${frames} frames; honest: ${sends} sends, p50 ${p50} ms, p99 ${p99} ms`)
  }
  const attacked = report.stages.filter(({ frames }) => frames > 0)
  t.same(
    attacked.map(({ name }) => name),
    ['everybody', 'p3 lies', 's3 lies'],
  )
})
