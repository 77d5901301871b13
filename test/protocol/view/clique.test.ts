import t from 'tap'
import { bestClique } from '../../../protocol/view/clique.js'

/** All slots reach each other except in these directions: "1>2". */
const allBut =
  (...cut: readonly string[]) =>
  (a: number, b: number): boolean =>
    !cut.includes(`${a}>${b}`)

t.test('the clique has all slots that reach each other', (t) => {
  t.same(bestClique(2, [3, 1, 2], allBut()), [1, 2, 3])
  t.same(bestClique(2, [], allBut()), [2], 'a replica is always in its own clique')
  t.end()
})

t.test('a link that is cut one way counts as none', (t) => {
  t.same(bestClique(1, [1, 2, 3], allBut('2>3')), [1, 2])
  t.same(bestClique(1, [1, 2, 3], allBut('3>2')), [1, 2])
  t.same(bestClique(3, [1, 2, 3], allBut('3>2')), [1, 3])
  t.end()
})

t.test('the most members come before the lowest slots', (t) => {
  const reaches = allBut('1>3', '1>4', '1>5')
  t.same(bestClique(2, [1, 2, 3, 4, 5], reaches), [2, 3, 4, 5])
  t.end()
})

t.test('among cliques of equal size, the one with the lowest slots is chosen', (t) => {
  t.same(bestClique(3, [1, 2, 3, 4, 5], allBut('1>4', '2>5', '1>2', '4>5')), [1, 3, 5])
  t.same(bestClique(5, [1, 2, 3, 4, 5], allBut('3>4', '1>2')), [1, 3, 5])
  t.end()
})

t.test('all replicas that see the same links choose the same members', (t) => {
  const reaches = allBut('2>4')
  const chosen = [1, 3, 5].map((self) => bestClique(self, [1, 2, 3, 4, 5], reaches).join(' '))
  t.same(chosen, ['1 2 3 5', '1 2 3 5', '1 2 3 5'])
  t.end()
})

t.test('two halves that share one of nine slots: each chooses its own half with it', (t) => {
  const half = (slot: number): number => (slot === 5 ? 0 : Math.sign(slot - 5))
  const reaches = (a: number, b: number): boolean => half(a) * half(b) >= 0
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  t.same(bestClique(5, all, reaches), [1, 2, 3, 4, 5])
  t.same(bestClique(9, all, reaches), [5, 6, 7, 8, 9])
  t.end()
})
