// Chang & Roberts, "An Improved Algorithm for Decentralized Extrema-Finding in Circular
// Configurations of Processes", CACM 22(5), 1979; then what Troca adds for messages that are lost
// and members that die. The counts are the paper's.

import t from 'tap'
import { Circle, ROUND_MS } from './circle.js'

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  )
}

t.test('the highest id wins', (t) => {
  for (const order of permutations([1, 2, 3, 4])) {
    for (const starter of order) {
      const circle = new Circle(order)
      circle.start(starter)
      circle.deliverAll()
      if (circle.winners.join() !== '4') t.fail(`${order} started by ${starter}: ${circle.winners}`)
    }
  }
  t.pass('every circle of four, started by each')
  t.end()
})

t.test('a lower id is replaced by the own, a higher one is passed on', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.start(1)
  circle.deliverAll()
  t.same(circle.said(), [
    '1 → 2 ELECTION 1',
    '2 → 3 ELECTION 2',
    '3 → 1 ELECTION 3',
    '1 → 2 ELECTION 3',
    '2 → 3 ELECTION 3',
  ])
  t.same(circle.winners, [3])
  t.end()
})

t.test('a participant drops a lower id', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.start(2, 1)
  circle.deliver() // 2 → 3
  circle.deliver() // 1 → 2: 2 takes part and is higher
  circle.deliverAll()
  t.same(circle.said(), [
    '2 → 3 ELECTION 2',
    '1 → 2 ELECTION 1',
    '3 → 1 ELECTION 3',
    '1 → 2 ELECTION 3',
    '2 → 3 ELECTION 3',
  ])
  t.same(circle.winners, [3])
  t.end()
})

t.test('a replica wins exactly when its own id comes back', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.start(3)
  circle.deliver()
  circle.deliver()
  t.same(circle.winners, [], 'all others have seen it, and it knows nothing yet')
  circle.deliver()
  t.same(circle.winners, [3])
  t.notOk(circle.at(3).participant)
  t.end()
})

t.test('an election that the highest id starts alone takes n messages', (t) => {
  for (const n of [2, 3, 5, 9]) {
    const order = Array.from({ length: n }, (_, i) => i + 1)
    const circle = new Circle(order)
    circle.start(n)
    circle.deliverAll()
    t.equal(circle.said().length, n)
  }
  t.end()
})

t.test('all start, ids rising along the circle (the order of slots): 2 n - 1 messages', (t) => {
  for (const n of [2, 3, 5, 9]) {
    const order = Array.from({ length: n }, (_, i) => i + 1)
    const circle = new Circle(order)
    circle.start(...order)
    circle.deliverAll()
    t.same(circle.winners, [n])
    t.equal(circle.said().length, 2 * n - 1)
  }
  t.end()
})

t.test(
  'all start, ids falling along the circle: n (n + 1) / 2 messages, the most there can be',
  (t) => {
    for (const n of [2, 3, 5, 9]) {
      const order = Array.from({ length: n }, (_, i) => n - i)
      const circle = new Circle(order)
      circle.start(...order)
      circle.deliverAll()
      t.same(circle.winners, [n])
      t.equal(circle.said().length, (n * (n + 1)) / 2)
    }
    t.end()
  },
)

t.test('an election takes n H(n) messages on the average', (t) => {
  const circles = permutations([1, 2, 3, 4, 5])
  let messages = 0
  for (const order of circles) {
    const circle = new Circle(order)
    circle.start(...order)
    circle.deliverAll()
    const count = circle.said().length
    if (count > 15) t.fail(`${order} took ${count} messages`)
    messages += count
  }
  t.equal(messages, 120 * 5 * (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5))
  t.end()
})

t.test('a replica that cannot work passes every id on and offers none', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.ineligible.add(3)
  circle.start(3)
  t.same(circle.said(), [], 'it does not even start')
  circle.start(1)
  circle.deliverAll()
  t.same(circle.said(), [
    '1 → 2 ELECTION 1',
    '2 → 3 ELECTION 2',
    '3 → 1 ELECTION 2',
    '1 → 2 ELECTION 2',
  ])
  t.same(circle.winners, [2])
  t.end()
})

t.test('a replica that cannot work any more has not won, though its id comes back', (t) => {
  const circle = new Circle([1, 2])
  circle.start(2)
  circle.deliver()
  circle.ineligible.add(2)
  circle.deliverAll()
  t.same(circle.winners, [])
  t.end()
})

t.test('the hop limit ends the id of a dead candidate', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.start(3)
  circle.deliver() // on its way from 1 to 2
  circle.die(3)
  circle.deliverAll()
  const said = circle.said()
  t.ok(said.length <= 2 * 3 + 1, `${said.length} messages`)
  t.same(circle.winners, [])
  circle.now += ROUND_MS
  circle.start(1, 2)
  circle.deliverAll()
  t.same(circle.winners, [2], 'the next round is without it')
  t.end()
})

t.test('a round is given up only after its time', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.start(3)
  circle.loseAll()
  circle.said()
  circle.now = ROUND_MS - 1
  circle.start(3)
  t.same(circle.said(), [])
  circle.now = ROUND_MS
  circle.start(3)
  t.same(circle.said(), ['3 → 1 ELECTION 3'])
  circle.deliverAll()
  t.same(circle.winners, [3])
  t.end()
})

t.test('an own id of an earlier round does not win this round', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.start(3)
  circle.loseAll()
  circle.now = ROUND_MS
  circle.start(3)
  t.notOk(circle.at(3).onElection({ round: 1, candidate: 3, hops: 3 }, circle.now))
  t.ok(circle.at(3).onElection({ round: 2, candidate: 3, hops: 3 }, circle.now))
  t.end()
})

t.test(
  'after two fruitless rounds a replica claims without the ring: links need not be transitive',
  (t) => {
    const circle = new Circle([1, 2, 3])
    circle.start(2)
    circle.loseAll()
    circle.now += ROUND_MS
    circle.start(2) // the first was fruitless
    circle.loseAll()
    t.same(circle.winners, [])
    circle.now += ROUND_MS
    circle.start(2) // and so was the second
    t.same(circle.winners, [2])
    t.end()
  },
)

t.test('a live coordinator in between resets the count of fruitless rounds', (t) => {
  const circle = new Circle([1, 2, 3])
  circle.start(2)
  circle.now += ROUND_MS
  circle.start(2)
  circle.loseAll()
  circle.at(2).rest()
  circle.now += ROUND_MS
  circle.start(2)
  circle.now += ROUND_MS
  circle.start(2)
  t.same(circle.winners, [])
  circle.now += ROUND_MS
  circle.start(2)
  t.same(circle.winners, [2])
  t.end()
})

t.test('a replica alone has won at once, without a message', (t) => {
  const circle = new Circle([2])
  circle.start(2)
  t.same(circle.winners, [2])
  t.same(circle.said(), [])
  t.end()
})

t.test('a replica alone and unable to work has won nothing', (t) => {
  const circle = new Circle([2])
  circle.ineligible.add(2)
  circle.start(2)
  t.same(circle.winners, [])
  t.end()
})
