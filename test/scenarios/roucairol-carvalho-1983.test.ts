// Carvalho & Roucairol, "On Mutual Exclusion in Computer Networks", CACM 26(2), 1983: a permission
// once given holds until it is asked back, so a turn costs between 0 and 2 (N - 1) messages.

import t from 'tap'
import { Floor } from './floor.js'

/** Three replicas, of which the first has had the turn and left it. */
function afterFirst(): Floor {
  const floor = new Floor(3)
  floor.at(1).request(1)
  floor.deliverAll()
  floor.at(1).leave()
  floor.said()
  return floor
}

t.test('a kept permission costs no messages', (t) => {
  const floor = afterFirst()
  for (const stamp of [2, 3, 4]) {
    floor.at(1).request(stamp)
    t.same(floor.holders, [1])
    floor.at(1).leave()
  }
  t.same(floor.said(), [])
  t.end()
})

t.test('a node asks only for the permissions that it gave away', (t) => {
  const floor = afterFirst()
  floor.at(2).request(5)
  floor.deliver(2, 1)
  floor.deliver(1, 2)
  floor.deliver(2, 3)
  floor.deliver(3, 2)
  floor.at(2).leave()
  floor.said()
  floor.at(1).request(8)
  t.same(floor.said(), ['1 → 2 REQUEST 8'], '3 has not asked: its permission still stands')
  floor.deliverAll()
  t.same(floor.said(), ['2 → 1 REPLY 8'])
  t.same(floor.holders, [1])
  t.end()
})

t.test('a node that gives a permission away while it wants the turn asks for it again', (t) => {
  const floor = new Floor(3)
  floor.at(1).request(1)
  floor.deliverAll()
  floor.at(1).leave()
  floor.at(3).request(4) // 3 asks 1 and 2; 1 hears of it, 2 not yet
  floor.deliver(3, 1)
  floor.said()
  floor.at(1).request(9) // has 2's permission, asks 3 for the one that it gave away
  t.same(floor.said(), ['1 → 3 REQUEST 9'])
  floor.at(2).request(6)
  floor.deliver(2, 1) // older: 1 gives 2's permission away, and wants it back
  t.same(floor.said(), ['2 → 1 REQUEST 6', '2 → 3 REQUEST 6', '1 → 2 REPLY 6', '1 → 2 REQUEST 9'])
  t.same(floor.at(1).missing, [3, 2])
  const served: number[] = []
  for (let i = 0; i < 3; i++) {
    floor.deliverAll()
    served.push(...floor.holders)
    floor.at(floor.holders[0]!).leave()
  }
  t.same(served, [3, 2, 1])
  t.end()
})

t.test('a node that does not want the turn gives a permission away without asking for it', (t) => {
  const floor = afterFirst()
  floor.at(2).request(5)
  floor.deliver(2, 1)
  t.same(floor.said(), ['2 → 1 REQUEST 5', '2 → 3 REQUEST 5', '1 → 2 REPLY 5'])
  t.end()
})

t.test('a node that leaves gives its permission to the nodes that it deferred', (t) => {
  const floor = afterFirst()
  floor.at(1).request(2)
  floor.at(2).request(5)
  floor.deliverAll()
  t.same(floor.holders, [1])
  floor.at(1).leave()
  floor.deliverAll()
  t.same(floor.holders, [2])
  floor.said()
  floor.at(1).request(7)
  t.same(floor.said(), ['1 → 2 REQUEST 7'])
  t.end()
})

t.test('no permission survives a change of the view', (t) => {
  const floor = afterFirst()
  floor.at(1).install([2, 3])
  floor.at(1).request(2)
  t.same(floor.said(), ['1 → 2 REQUEST 2', '1 → 3 REQUEST 2'])
  floor.at(1).install([2])
  t.notOk(floor.at(1).wanting, 'nor does it want any more')
  floor.deliverAll()
  t.same(floor.holders, [], 'and what was asked in the old one makes nobody a holder')
  t.end()
})
