// The checker on registers: the histories of Herlihy & Wing 1990 and of later papers, and random
// ones compared with trying every order.

import t from 'tap'
import { Random } from '../random.js'
import { linearize, type Model, type Operation } from './linearize.js'
import { minimal } from './minimal.js'
import { table } from './table.js'

type Register = { readonly write: number } | { readonly read: number }
type History = readonly Operation<Register>[]

const REGISTER: Model<number, Register> = {
  init: 0,
  key: (state) => state,
  step: (state, what) => ('write' in what ? what.write : what.read === state ? state : null),
  isQuery: (what) => 'read' in what,
}

const write = (write: number): Register => ({ write })
const read = (read: number): Register => ({ read })

/**
 * `A  |--w1--|`: one row per process, as the papers draw it; `...` at its end: the operation never
 * returns.
 */
function history(
  ...rows: readonly (readonly [who: string, called: number, returned: number, Register])[]
): History {
  return rows.map(([who, called, returned, what]) => ({ who, called, returned, what }))
}

const verdict = (of: History): string => linearize(of, REGISTER)

t.test('sequential histories', async (t) => {
  t.equal(verdict([]), 'linearizable')
  t.equal(verdict(history(['A', 1, 2, write(1)], ['A', 3, 4, read(1)])), 'linearizable')
  t.equal(verdict(history(['A', 1, 2, write(1)], ['A', 3, 4, read(0)])), 'not linearizable')
})

t.test('Herlihy & Wing: a read that overlaps a write sees it or not', async (t) => {
  const overlapping = (seen: number): History =>
    history(['A', 1, 4, write(1)], ['B', 2, 3, read(seen)])
  t.equal(verdict(overlapping(0)), 'linearizable')
  t.equal(verdict(overlapping(1)), 'linearizable')
  t.equal(verdict(overlapping(2)), 'not linearizable')
})

t.test('a value that one read saw is seen by every later read', async (t) => {
  const two = (first: number, second: number): History =>
    history(['A', 1, 6, write(1)], ['B', 2, 3, read(first)], ['C', 4, 5, read(second)])
  t.equal(verdict(two(0, 1)), 'linearizable')
  t.equal(verdict(two(1, 0)), 'not linearizable')
})

t.test('sequential consistency is not enough', async (t) => {
  // In program order alone B could come first; in real time it cannot.
  t.equal(verdict(history(['A', 1, 2, write(1)], ['B', 3, 4, read(0)])), 'not linearizable')
})

t.test('two concurrent writes: all reads agree on their order', async (t) => {
  const writes = history(['A', 1, 4, write(1)], ['B', 2, 3, write(2)])
  const reads = (...seen: number[]): History => [
    ...writes,
    ...history(...seen.map((v, i) => ['C', 5 + 2 * i, 6 + 2 * i, read(v)] as const)),
  ]
  t.equal(verdict(reads(1, 1)), 'linearizable')
  t.equal(verdict(reads(2, 2)), 'linearizable')
  t.equal(verdict(reads(1, 2)), 'not linearizable')
})

t.test('an operation that never returned takes effect at any later time, or never', async (t) => {
  const open = (...seen: number[]): History => [
    ...history(['A', 1, Infinity, write(1)]),
    ...history(...seen.map((v, i) => ['B', 5 + 2 * i, 6 + 2 * i, read(v)] as const)),
  ]
  t.equal(verdict(open(0, 0, 0)), 'linearizable', 'never')
  t.equal(verdict(open(0, 0, 1)), 'linearizable', 'late')
  t.equal(verdict(open(1, 1, 1)), 'linearizable', 'at once')
  t.equal(verdict(open(0, 1, 0)), 'not linearizable', 'but once')
  const before = history(['B', 1, 2, read(1)], ['A', 3, Infinity, write(1)])
  t.equal(verdict(before), 'not linearizable', 'and not before its call')
})

t.test('the search gives up at its bound and says undecided', async (t) => {
  const writes = Array.from({ length: 12 }, (_, i) => ['A', i, 100 + i, write(i)] as const)
  const wrong = history(...writes, ['B', 200, 201, read(99)])
  t.equal(linearize(wrong, REGISTER, 1_000), 'undecided')
  t.equal(linearize(wrong, REGISTER), 'not linearizable')
})

/** Every order that the calls and returns allow, with every choice of open ones left out. */
function byTryingAll(left: History, state = REGISTER.init): boolean {
  if (left.every(({ returned }) => returned === Infinity)) return true
  const firstReturn = Math.min(...left.map(({ returned }) => returned))
  return left.some((one) => {
    if (one.called > firstReturn) return false
    const next = REGISTER.step(state, one.what)
    return (
      next !== null &&
      byTryingAll(
        left.filter((other) => other !== one),
        next,
      )
    )
  })
}

function randomHistory(random: Random): History {
  const places = random.shuffled(Array.from({ length: 12 }, (_, i) => i))
  return Array.from({ length: 6 }, (_, i) => {
    const [a, b] = [places[2 * i]!, places[2 * i + 1]!]
    const value = random.between(0, 2)
    const returned = random.chance(0.2) ? Infinity : Math.max(a, b)
    const what = random.chance(0.5) ? write(value) : read(value)
    return { who: `p${i}`, called: Math.min(a, b), returned, what }
  })
}

t.test('the verdict is that of trying every order, on 3,000 random histories', async (t) => {
  const random = new Random(1, 'registers')
  const counts = { linearizable: 0, 'not linearizable': 0, undecided: 0 }
  let wrong = 0
  for (let i = 0; i < 3_000; i++) {
    const one = randomHistory(random)
    const said = linearize(one, REGISTER)
    counts[said]++
    if ((said === 'linearizable') !== byTryingAll(one)) wrong++
    // The shortcut for queries changes no verdict.
    if (linearize(one, { ...REGISTER, isQuery: () => false }) !== said) wrong++
  }
  t.equal(wrong, 0)
  t.ok(counts.linearizable > 500 && counts['not linearizable'] > 500, 'both kinds were seen')
})

t.test('a minimal sub-history is right without any one of its operations', async (t) => {
  const random = new Random(2, 'registers')
  const isWrong = (of: History): boolean => verdict(of) === 'not linearizable'
  const failed: string[] = []
  let tried = 0
  for (let i = 0; i < 300; i++) {
    const all = [0, 1, 2].flatMap((n) =>
      randomHistory(random).map((one): Operation<Register> => {
        return { ...one, called: one.called + 12 * n, returned: one.returned + 12 * n }
      }),
    )
    if (!isWrong(all)) continue
    tried++
    const least = minimal(all, isWrong)
    if (!isWrong(least)) failed.push(`${i}: right`)
    const spare = least.filter((one) => isWrong(least.filter((other) => other !== one)))
    if (spare.length > 0) failed.push(`${i}: more could go`)
  }
  t.same(failed, [])
  t.ok(tried > 100)
})

t.test('a history prints as a space-time table', async (t) => {
  const shown = table(
    history(['A', 10, 40, write(1)], ['B', 20, 30, read(1)], ['C', 35, Infinity, write(2)]),
    (what) =>
      'write' in what
        ? { asked: `write ${what.write}`, answered: 'done' }
        : { asked: 'read', answered: `${what.read}` },
    (place) => place * 100,
  )
  t.equal(
    shown,
    [
      'A  write 1  → done  1.0000  4.0000  │├───────┤  │',
      'B  read     → 1     2.0000  3.0000  │  ├─┤      │',
      'C  write 2  → done  3.5000  ...     │      ├───▷│',
    ].join('\n'),
  )
})
