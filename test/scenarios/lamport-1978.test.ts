// Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM 21(7), 1978.
// Each test is one sentence of the paper, on the clocks that stamp requests and entries (P6).

import t from 'tap'
import { LamportClock, MAX_JUMP } from '../../protocol/clocks/lamport.js'

t.test('IR1: a process increments its clock between any two successive events', (t) => {
  const clock = new LamportClock()
  t.same([clock.tick(), clock.tick(), clock.tick()], [1, 2, 3])
  t.equal(clock.now, 3, 'looking at the clock is no event')
  t.equal(clock.now, 3)
  t.end()
})

t.test('IR2: a receipt sets the clock above its own value and above the stamp', (t) => {
  const [p, q] = [new LamportClock(), new LamportClock(10)]
  const sent = q.tick() // q → p, stamped 11
  t.ok(p.receive(sent))
  t.equal(p.now, 12, 'p was behind: above the stamp')
  const back = p.tick() // p → q, stamped 13
  q.tick()
  q.tick()
  q.tick() // q is at 14 by now
  t.ok(q.receive(back))
  t.equal(q.now, 15, 'q was ahead: above its own value')
  t.end()
})

t.test('clock condition: if a happened before b, then C(a) < C(b)', (t) => {
  const [p, q, r] = [new LamportClock(), new LamportClock(), new LamportClock(5)]
  const a = p.tick() // p → q
  q.receive(a)
  const b = q.tick() // q → r
  r.receive(b)
  const c = r.tick() // r → p
  p.receive(c)
  const d = p.tick()
  t.ok(a < b && b < c && c < d, `${a} < ${b} < ${c} < ${d}`)
  t.end()
})

t.test('the converse does not hold: concurrent events may have any stamps', (t) => {
  const [p, q] = [new LamportClock(), new LamportClock()]
  const a = p.tick()
  q.tick()
  const b = q.tick()
  t.ok(a < b, 'and yet neither knows of the other')
  t.equal(p.tick(), b, 'their stamps may even be equal')
  t.end()
})

t.test('total order: by stamp, ties by the order of the processes', (t) => {
  const clocks = [new LamportClock(), new LamportClock(), new LamportClock()]
  const events = clocks.flatMap((clock, process) => [
    { process, stamp: clock.tick() },
    { process, stamp: clock.tick() },
  ])
  const ordered = events.sort((a, b) => a.stamp - b.stamp || a.process - b.process)
  t.same(
    ordered.map(({ stamp, process }) => [stamp, process]),
    [
      [1, 0],
      [1, 1],
      [1, 2],
      [2, 0],
      [2, 1],
      [2, 2],
    ],
  )
  t.end()
})

t.test('a stamp beyond MAX_JUMP is refused and changes nothing', (t) => {
  const clock = new LamportClock(7)
  t.notOk(clock.receive(7 + MAX_JUMP + 1))
  t.equal(clock.now, 7)
  t.notOk(clock.receive(Number.MAX_SAFE_INTEGER))
  t.notOk(clock.receive(Infinity))
  t.equal(clock.now, 7)
  t.ok(clock.receive(7 + MAX_JUMP), 'as far as may be')
  t.equal(clock.now, 8 + MAX_JUMP)
  t.end()
})

t.test('after a restart the clock is not below any stamp of the log', (t) => {
  const clock = new LamportClock()
  clock.raise(40)
  t.equal(clock.tick(), 41)
  clock.raise(12)
  t.equal(clock.tick(), 42, 'an older entry takes nothing back')
  t.end()
})
