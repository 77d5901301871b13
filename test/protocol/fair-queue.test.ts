import t from 'tap'
import { FairQueue } from '../../protocol/fair-queue.js'

function filled(): FairQueue<string> {
  const queue = new FairQueue<string>()
  for (let i = 1; i <= 4; i++) queue.push('flood', `flood ${i}`)
  queue.push('alice', 'alice 1')
  queue.push('bob', 'bob 1')
  queue.push('alice', 'alice 2')
  return queue
}

t.test('origins take turns, each with its items in order', (t) => {
  const queue = filled()
  const order = Array.from({ length: 7 }, () => queue.shift())
  const rounds = ['flood 1', 'alice 1', 'bob 1', 'flood 2', 'alice 2', 'flood 3', 'flood 4']
  t.same(order, rounds)
  t.equal(queue.shift(), undefined)
  t.equal(queue.size, 0)
  t.end()
})

t.test('a later origin waits for one item of each earlier origin, not for all', (t) => {
  const queue = filled()
  queue.shift()
  queue.push('carol', 'carol 1')
  const order = Array.from({ length: 4 }, () => queue.shift())
  t.same(order, ['alice 1', 'bob 1', 'flood 2', 'carol 1'])
  t.end()
})

t.test('an item too many is dropped from the origin that has most', (t) => {
  const queue = filled()
  t.equal(queue.dropFromLongest(), 'flood 4')
  t.equal(queue.dropFromLongest(), 'flood 3')
  t.equal(queue.size, 5)
  t.same(queue.clear(), ['flood 1', 'flood 2', 'alice 1', 'alice 2', 'bob 1'])
  t.equal(queue.dropFromLongest(), undefined)
  t.end()
})
