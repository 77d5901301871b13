// The parts of a failover's gap, by the times of log lines.

import t from 'tap'
import { Pulse, partsOf } from './failover-parts.js'

const KILLED_AT = Date.parse('2026-11-30T10:00:00.000Z')
const line = (ms: number, event: string) => {
  return { at: new Date(KILLED_AT + ms).toISOString(), level: 'info', event }
}

t.test('parts end with the first event of their kind after the kill', async (t) => {
  const lines = [
    ...[line(-900, 'claiming'), line(-800, 'coordinator'), line(90, 'claiming')],
    ...[line(40, 'claiming'), line(60, 'claim-failed'), line(130, 'coordinator')],
  ]
  t.same(partsOf('coordinator', lines, KILLED_AT, KILLED_AT + 210), {
    'noticing and electing': 40,
    'claiming and rebuilding': 90,
    resending: 80,
  })
})

t.test('a gap whose course the logs do not tell has no parts', async (t) => {
  const lines = [line(40, 'view-proposed'), line(300, 'view-active')]
  t.equal(partsOf('holder', lines, KILLED_AT, KILLED_AT + 200), null, 'active after the receipt')
  t.equal(partsOf('coordinator', lines, KILLED_AT, KILLED_AT + 400), null)
  t.match(partsOf('holder', lines, KILLED_AT, KILLED_AT + 400), { 'agreeing on a view': 260 })
})

t.test('a pulse keeps its longest gap', async (t) => {
  let now = 100
  const pulse = new Pulse(() => now)
  for (const at of [110, 150, 155]) {
    now = at
    pulse.beat()
  }
  t.equal(pulse.count, 3)
  t.equal(pulse.longest.ms, 40)
  pulse.begin()
  t.equal(pulse.longest.ms, 0)
  now = 175
  pulse.beat()
  t.equal(pulse.longest.ms, 20, 'the gap under way counts whole')
})
