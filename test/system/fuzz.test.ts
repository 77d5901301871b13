// A short campaign of `npm run fuzz`: under thousands of frames the daemons neither die nor grow,
// and an honest client loses nothing.

import t from 'tap'
import { Campaign } from '../fuzz/live/campaign.js'

t.setTimeout(280_000)

const FRAMES = 20_000

t.test(`the daemons survive ${FRAMES} frames at their ports`, async (t) => {
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
