// Lamport 1978, "Time, clocks, and the ordering of events in a distributed system".

import t from 'tap'
import { LamportClock, MAX_JUMP } from '../../protocol/clocks/lamport.js'

t.test('IR1: between two events of one process the clock goes up', async (t) => {
  const clock = new LamportClock()
  const stamps = [clock.tick(), clock.tick(), clock.tick()]
  t.same(stamps, [1, 2, 3])
})

t.test('IR2: a receipt is later than what it receives', async (t) => {
  const [a, b] = [new LamportClock(40), new LamportClock(3)]
  const sent = a.tick()
  t.ok(b.receive(sent))
  t.ok(b.now > sent)
  t.equal(b.now, 42)
})

t.test('a receipt from the past moves the clock on by one', async (t) => {
  const clock = new LamportClock(10)
  clock.receive(4)
  t.equal(clock.now, 11)
})

t.test(
  'an event that happened before another has the smaller stamp, through others too',
  async (t) => {
    const [a, b, c] = [new LamportClock(), new LamportClock(), new LamportClock()]
    const cause = a.tick()
    b.receive(cause)
    const middle = b.tick()
    c.receive(middle)
    const effect = c.tick()
    t.ok(cause < middle && middle < effect)
  },
)

t.test('a stamp that jumps absurdly far is refused, and changes nothing', async (t) => {
  const clock = new LamportClock(7)
  t.notOk(clock.receive(7 + MAX_JUMP + 1))
  t.equal(clock.now, 7)
})
