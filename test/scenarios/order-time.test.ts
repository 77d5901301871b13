// The time of orders where clocks are wrong: one clock never owns it, and service goes on.

import t from 'tap'
import { LEAD_MS } from '../../protocol/processing/wall-clocks.js'
import { Ring } from './ring.js'

const DAY = 24 * 3_600_000

/** Sends, and returns by how much its order was ahead of the right time, ms. */
function leadOf(ring: Ring, seq: number): number {
  t.match(ring.ask(seq, `text ${seq}`), { type: 'RECEIPT', seq })
  const right = ring.stage.host(ring.others[0]!).wall - ring.stage.host(ring.others[0]!).wallOffset
  return ring.messages.at(-1)!.time - right
}

t.test(
  'a coordinator two days ahead goes on coordinating, in the time of the others',
  async (t) => {
    const ring = new Ring().begin()
    const { coordinator } = ring
    ring.stage.host(coordinator).wallOffset = 2 * DAY
    const mark = ring.stage.said.length
    const lead = leadOf(ring, 1)
    t.ok(lead > 0 && lead < LEAD_MS, `${lead} ms ahead`)
    t.equal(ring.stage.sent('VOTE', mark).length, 2, 'both others vote')
    t.ok(leadOf(ring, 2) < LEAD_MS)
    ring.stage.host(coordinator).wallOffset = 0
    t.equal(ring.coordinator, coordinator)
    t.ok(leadOf(ring, 3) < LEAD_MS)
  },
)

t.test(
  'a follower an hour behind does not vote; the order has the majority it needs',
  async (t) => {
    const ring = new Ring().begin()
    const [behind] = ring.others
    ring.stage.host(behind!).wallOffset = -DAY
    const mark = ring.stage.said.length
    t.match(ring.ask(1, 'olá'), { type: 'RECEIPT', seq: 1 })
    t.same(
      new Set(ring.stage.sent('VOTE', mark).map(({ from }) => from)),
      new Set([ring.others[1]]),
    )
  },
)

t.test('a log that is ahead keeps its time until the clocks are there', async (t) => {
  const ring = new Ring().begin()
  for (const name of ['p1', 'p2', 'p3']) ring.stage.host(name).wallOffset = DAY
  ring.stage.run(1_000)
  const ahead = leadOf(ring, 1)
  t.ok(ahead > DAY / 2, 'a majority was ahead')
  for (const name of ['p1', 'p2', 'p3']) ring.stage.host(name).wallOffset = 0
  const { time } = ring.messages.at(-1)!
  const mark = ring.stage.said.length
  leadOf(ring, 2)
  t.equal(ring.messages.at(-1)!.time, time, 'it stands still')
  t.equal(ring.stage.sent('VOTE', mark).length, 2, 'and both others vote')
})

t.test('a TERM has the time of the log before it', async (t) => {
  const ring = new Ring().begin()
  leadOf(ring, 1)
  const { time } = ring.log.at(-1)!
  for (const name of ring.others) ring.stage.host(name).wallOffset = DAY
  ring.stage.crash(ring.coordinator)
  ring.stage.until('a new TERM', () => ring.log.at(-1)!.term > 1)
  t.equal(ring.log.at(-1)!.time, time)
})
