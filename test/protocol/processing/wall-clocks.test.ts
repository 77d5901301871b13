// The rules of order time: growth of one wrong clock's influence is bounded by LEAD_MS.

import t from 'tap'
import { LEAD_MS, WallClocks } from '../../../protocol/processing/wall-clocks.js'

const NOON = 1_790_000_000_000
const HOUR = 3_600_000

/** The clocks of slot 1, whose own shows `own` after noon; the others' were heard a second ago. */
function clocks(own: number, ...others: number[]): WallClocks {
  const ring = {
    self: 1,
    live: [1, ...others.map((_, i) => i + 2)],
    now: { monotonic: 0, wall: NOON },
  }
  const heard = new WallClocks(ring)
  for (const [i, other] of others.entries()) heard.hear(i + 2, NOON + other)
  ring.now = { monotonic: 1_000, wall: NOON + 1_000 + own }
  return heard
}

const given = (ring: WallClocks, latest = 0): number => ring.timeAfter(latest) - NOON - 1_000

t.test('an order has the own time where a majority agrees with it', async (t) => {
  t.equal(given(clocks(0, 0, 0)), 0)
  t.equal(given(clocks(0)), 0, 'alone')
  t.equal(given(clocks(HOUR)), HOUR, 'alone, nobody can tell')
  t.equal(given(clocks(0, -HOUR, 0)), 0, 'one of the others is behind')
  t.equal(given(clocks(HOUR, -HOUR, HOUR)), HOUR, 'a majority is ahead')
  t.equal(given(clocks(-HOUR, 0, 0)), -HOUR, 'the own clock is behind')
})

t.test(
  'a clock that is ahead of a majority gives a time for which the majority votes',
  async (t) => {
    for (const ring of [clocks(HOUR, 0, 0), clocks(HOUR, 0), clocks(HOUR, 2 * HOUR, 0, 0, 0)]) {
      const time = given(ring)
      t.ok(time > 0 && time < LEAD_MS, `${time} ms ahead of the others`)
      t.equal(clocks(0).allows(NOON + 1_000 + time, 0), true)
      t.equal(ring.lead, HOUR)
    }
    t.equal(clocks(0, 0, HOUR).lead, 0)
  },
)

t.test('time never goes back, and stands still where the log is ahead', async (t) => {
  const latest = NOON + 24 * HOUR
  t.equal(clocks(0, 0, 0).timeAfter(latest), latest)
  const voter = clocks(0, 0, 0)
  t.equal(voter.allows(latest, latest), true)
  t.equal(voter.allows(latest + 1, latest), false)
  t.equal(voter.allows(NOON + 1_000 + LEAD_MS, 0), true)
  t.equal(voter.allows(NOON + 1_001 + LEAD_MS, 0), false)
})

t.test('a replica that has left counts no more, one without a heartbeat as right', async (t) => {
  const ring = clocks(HOUR, 0, 0)
  ring.forget(2)
  t.equal(given(ring), HOUR)
})

t.test('a warning is due once a minute', async (t) => {
  const ring = clocks(0)
  t.same([ring.warns, ring.warns], [true, false])
})
