import t from 'tap'
import { RecentlyUsed } from '../../protocol/recently-used.js'

t.test('the least recently used key is evicted', (t) => {
  const squares = new RecentlyUsed<number, number>(2)
  const made: number[] = []
  const get = (x: number): number =>
    squares.getOrMake(x, () => {
      made.push(x)
      return x * x
    })
  t.same([1, 2, 1, 3, 1, 2].map(get), [1, 4, 1, 9, 1, 4])
  t.same(made, [1, 2, 3, 2])
  t.equal(squares.size, 2)
  squares.clear()
  t.equal(squares.size, 0)
  t.end()
})

t.test('a failed make leaves no entry', (t) => {
  const cache = new RecentlyUsed<string, number>(2)
  const fail = (): number => {
    throw new Error('no')
  }
  t.throws(() => cache.getOrMake('a', fail), { message: 'no' })
  t.equal(
    cache.getOrMake('a', () => 1),
    1,
  )
  t.end()
})
