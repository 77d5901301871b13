// Ricart & Agrawala, "An Optimal Algorithm for Mutual Exclusion in Computer Networks", CACM 24(1),
// 1981. Each test is one rule of the paper with the messages that follow from it.

import t from 'tap'
import { Random } from '../simulator/random.js'
import { Floor } from './floor.js'

t.test('a node that wants to enter sends REQUEST to all other nodes', (t) => {
  const floor = new Floor(4)
  floor.at(2).request(5)
  t.same(floor.said(), ['2 → 1 REQUEST 5', '2 → 3 REQUEST 5', '2 → 4 REQUEST 5'])
  t.ok(floor.at(2).wanting)
  t.same(floor.at(2).missing, [1, 3, 4])
  t.end()
})

t.test('a node enters when all others have replied: 2 (N - 1) messages', (t) => {
  const floor = new Floor(4)
  floor.at(2).request(5)
  floor.deliverAll()
  t.same(floor.said().slice(3), ['1 → 2 REPLY 5', '3 → 2 REPLY 5', '4 → 2 REPLY 5'])
  t.same(floor.holders, [2])
  t.notOk(floor.at(2).wanting)
  t.end()
})

t.test('the permission of a majority is not enough', (t) => {
  const floor = new Floor(5)
  floor.at(1).request(1)
  for (const other of [2, 3, 4]) {
    floor.deliver(1, other)
    floor.deliver(other, 1)
    t.same(floor.holders, [])
  }
  t.same(floor.at(1).missing, [5])
  floor.deliver(1, 5)
  floor.deliver(5, 1)
  t.same(floor.holders, [1])
  t.end()
})

t.test('alone in the view a node enters at once', (t) => {
  const floor = new Floor(1)
  floor.at(1).request(1)
  t.same(floor.holders, [1])
  t.same(floor.said(), [])
  t.end()
})

t.test('a node in its critical section defers the reply until it leaves', (t) => {
  const floor = new Floor(2)
  floor.at(1).request(1)
  floor.deliverAll()
  floor.said()
  floor.at(2).request(9)
  floor.deliverAll()
  t.same(floor.said(), ['2 → 1 REQUEST 9'])
  t.ok(floor.at(1).awaited)
  floor.at(1).leave()
  t.same(floor.said(), ['1 → 2 REPLY 9'])
  t.notOk(floor.at(1).awaited)
  floor.deliverAll()
  t.same(floor.holders, [2])
  t.end()
})

t.test('even the oldest request waits for a node that is inside', (t) => {
  const floor = new Floor(2)
  floor.at(1).request(9)
  floor.deliverAll()
  floor.at(2).request(3)
  floor.deliverAll()
  t.same(floor.holders, [1])
  t.end()
})

t.test('the lower sequence number of two concurrent requests has priority', (t) => {
  const floor = new Floor(3)
  floor.at(3).request(4)
  floor.at(1).request(7)
  floor.deliverAll()
  t.same(floor.said(), [
    '3 → 1 REQUEST 4',
    '3 → 2 REQUEST 4',
    '1 → 2 REQUEST 7',
    '1 → 3 REQUEST 7',
    '1 → 3 REPLY 4',
    '2 → 3 REPLY 4',
    '2 → 1 REPLY 7',
  ])
  t.same(floor.holders, [3], '3 deferred its reply to 1')
  floor.at(3).leave()
  floor.deliverAll()
  t.same(floor.said(), ['3 → 1 REPLY 7'])
  t.same(floor.holders, [1])
  t.end()
})

t.test('the lower node number has priority if sequence numbers are equal', (t) => {
  const floor = new Floor(2)
  floor.at(2).request(6)
  floor.at(1).request(6)
  floor.deliverAll()
  t.same(floor.said(), ['2 → 1 REQUEST 6', '1 → 2 REQUEST 6', '2 → 1 REPLY 6'])
  t.same(floor.holders, [1])
  t.end()
})

t.test('fairness: requests are served in the order of their sequence numbers', (t) => {
  const floor = new Floor(5)
  const wanted: [number, number][] = [
    [5, 10],
    [2, 11],
    [4, 12],
    [1, 13],
    [3, 14],
  ]
  for (const [slot, stamp] of wanted) floor.at(slot).request(stamp)
  const served: number[] = []
  for (let i = 0; i < 5; i++) {
    floor.deliverAll()
    const [holder] = floor.holders
    served.push(holder!)
    floor.at(holder!).leave()
  }
  t.same(served, [5, 2, 4, 1, 3])
  t.end()
})

t.test('fairness: a node that leaves and wants again comes behind the waiting nodes', (t) => {
  const floor = new Floor(2)
  floor.at(1).request(1)
  floor.deliverAll()
  floor.at(2).request(5)
  floor.deliverAll()
  floor.at(1).leave()
  floor.at(1).request(8)
  floor.deliverAll()
  t.same(floor.holders, [2])
  floor.at(2).leave()
  floor.deliverAll()
  t.same(floor.holders, [1])
  t.end()
})

t.test('a reply with another stamp counts for nothing', (t) => {
  const floor = new Floor(2)
  floor.at(1).request(5)
  t.notOk(floor.at(1).onReply(2, 4), 'of an earlier request')
  t.notOk(floor.at(1).onReply(2, 6), 'of no request')
  t.same(floor.holders, [])
  t.ok(floor.at(1).onReply(2, 5))
  t.same(floor.holders, [1])
  t.notOk(floor.at(1).onReply(2, 5), 'the same once more')
  t.end()
})

t.test('a reply from a node that was not asked counts for nothing', (t) => {
  const floor = new Floor(3)
  floor.at(1).request(5)
  t.ok(floor.at(1).onReply(2, 5))
  t.notOk(floor.at(1).onReply(2, 5), 'twice from one makes no two')
  t.notOk(floor.at(1).onReply(9, 5), 'not a member')
  t.same(floor.holders, [])
  t.end()
})

t.test('the newer of two requests of a deferred node is answered', (t) => {
  const floor = new Floor(2)
  floor.at(1).request(1)
  floor.deliverAll()
  floor.said()
  floor.at(1).onRequest(2, 5)
  floor.at(1).onRequest(2, 9)
  floor.at(1).onRequest(2, 7)
  floor.at(1).leave()
  t.same(floor.said(), ['1 → 2 REPLY 9'])
  t.end()
})

t.test('a new connection repeats the request of the old one', (t) => {
  const floor = new Floor(3)
  floor.at(1).request(5)
  floor.deliver(1, 2)
  floor.deliver(2, 1)
  floor.said()
  floor.at(1).reconnected(2)
  t.same(floor.said(), [], 'its permission is there already')
  floor.at(1).reconnected(3)
  t.same(floor.said(), ['1 → 3 REQUEST 5'])
  t.end()
})

t.test('a new connection forgets the deferred request of the old one', (t) => {
  const floor = new Floor(2)
  floor.at(1).request(1)
  floor.deliverAll()
  floor.said()
  floor.at(1).onRequest(2, 5)
  floor.at(1).reconnected(2)
  floor.at(1).leave()
  t.same(floor.said(), [], 'the other side asks again itself')
  t.end()
})

t.test('P1: asking twice, or leaving a turn that is not held, breaks an assertion', (t) => {
  const floor = new Floor(2)
  t.throws(() => floor.at(1).leave(), { name: 'InvariantError' })
  floor.at(1).request(1)
  t.throws(() => floor.at(1).request(2), { name: 'InvariantError' })
  floor.deliverAll()
  t.throws(() => floor.at(1).request(3), { name: 'InvariantError' })
  t.end()
})

/** Every replica wants the turn again and again; messages arrive in any order that links allow. */
function walk(random: Random, members: number, entries: number): { most: number; served: number } {
  const floor = new Floor(members)
  let [clock, most, served] = [0, 0, 0]
  while (served < entries) {
    const slot = random.between(1, members)
    const turn = floor.at(slot)
    const path = floor.paths.length > 0 ? random.pick(floor.paths) : undefined
    if (path && random.chance(0.8)) floor.deliver(...path)
    else if (turn.holding) {
      turn.leave()
      served++
    } else if (!turn.wanting) turn.request(++clock)
    most = Math.max(most, floor.holders.length)
    const stuck = floor.paths.length === 0 && floor.holders.length === 0
    const wanting = Array.from({ length: members }, (_, i) => floor.at(i + 1).wanting)
    if (stuck && wanting.some(Boolean)) throw new Error('deadlock')
  }
  return { most, served }
}

t.test('mutual exclusion and no deadlock, whatever order messages arrive in', (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const members = 2 + (seed % 4)
    const { most } = walk(new Random(seed), members, 30)
    if (most > 1) t.fail(`P1: ${most} hold at once with seed ${seed}`)
  }
  t.pass('200 walks')
  t.end()
})
