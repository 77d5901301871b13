// A short campaign of `npm run flood`: under every attack, no honest client loses anything.

import t from 'tap'
import { Campaign } from '../flood/campaign.js'

t.setTimeout(560_000)

t.test('honest clients are served under every attack', async (t) => {
  const report = await Campaign.run(t, { seconds: 2, scale: 0.02 }, () => {})
  t.same(report.faults, [])
  for (const { name, sends, logIns } of report.phases) {
    const sent = `${sends.sends} sends, p50 ${sends.p50} ms, p99 ${sends.p99} ms`
    t.comment(`${name}: ${sent}; ${logIns.sends} log-ins, p50 ${logIns.p50} ms`)
  }
  const together = report.phases.find(({ name }) => name === 'all at once')!
  t.ok(together.outcomes.get('slowloris')?.get('begun'), 'some attackers dripped bytes')
  t.ok(together.outcomes.get('connections')?.get('connected'), 'some attackers only connected')
})
