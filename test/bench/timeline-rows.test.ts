// The timeline of a send, from traces made by hand.

import t from 'tap'
import type { TraceEvent } from '../../daemons/runtime/trace.js'
import { coordinatorOf, timeline } from './timeline-rows.js'

const step = (us: number, of: string, peer = '', took = 5): TraceEvent => {
  return { us, what: 'step', of, peer, took }
}
const send = (us: number, of: string, peer: string): TraceEvent => {
  return { us, what: 'send', of, peer, took: 0 }
}

/** Three sends at 1,000, 2,000 and 3,000 µs; the last only ends the second. */
const TRACES = new Map<string, TraceEvent[]>([
  [
    'p1',
    [
      ...[step(900, 'SEND', 'client'), step(1_000, 'SEND', 'client'), send(1_010, 'ORDER', 'p2')],
      ...[send(1_011, 'ORDER', 'p3'), step(1_200, 'tick'), step(1_300, 'VOTE', 'p2')],
      ...[step(2_000, 'SEND', 'client'), send(2_030, 'ORDER', 'p2'), step(2_100, 'tick')],
      ...[send(2_033, 'ORDER', 'p3'), step(2_400, 'VOTE', 'p2'), step(2_450, 'VOTE', 'p2')],
      ...[step(3_000, 'SEND', 'client'), send(3_001, 'ORDER', 'p2')],
    ],
  ],
  [
    'p2',
    [step(1_100, 'ORDER', 'p1', 40), step(2_120, 'ORDER', 'p1', 60), send(2_170, 'VOTE', 'p1')],
  ],
])

t.test('times are those since the SEND before, on all daemons', async (t) => {
  t.equal(coordinatorOf(TRACES), 'p1')
  const { rows, sends } = timeline(TRACES, 2)
  t.equal(sends, 2)
  const shown = rows.map(
    (row) => `${row.medianUs} ${row.replica} ${row.what} ${row.of} ${row.peer}`,
  )
  t.same(shown, [
    '0 p1 step SEND client',
    '20 p1 send ORDER p2',
    '22 p1 send ORDER p3',
    '110 p2 step ORDER p1',
    '170 p2 send VOTE p1',
    '350 p1 step VOTE p2',
    '450 p1 step VOTE p2',
  ])
  t.match(rows[3], { p90Us: 118, tookUs: 50, share: 1 })
  t.match(rows[6], { share: 0.5 }, 'a second of its kind is a row of its own')
})

t.test('what most sends lack is no row', async (t) => {
  const { rows, sends } = timeline(TRACES, 3)
  t.equal(sends, 3)
  t.notOk(rows.some(({ medianUs }) => medianUs === 450))
  t.match(
    rows.find(({ of }) => of === 'VOTE'),
    { medianUs: 350, share: 2 / 3 },
  )
})

t.test('traces without a SEND have no timeline', async (t) => {
  t.throws(() => timeline(new Map([['p2', TRACES.get('p2')!]]), 1), /no daemon has got a SEND/)
})
