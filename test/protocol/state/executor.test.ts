import t from 'tap'
import { KIND, plainMeta, type Draft, type Entry } from '../../../protocol/entries/entry.js'
import { encodeTerm } from '../../../protocol/entries/fence.js'
import type { The } from '../../../protocol/messages/catalogue.js'
import type { Command } from '../../../protocol/state/commands/registry.js'
import { Executor } from '../../../protocol/state/executor.js'
import { readKey, seal } from '../../simulator/compute.js'
import { open, register, send } from './orders.js'

const executor = (): Executor => new Executor(seal, readKey)

function order(k: number, commands: Command[], change: Partial<The<'ORDER'>> = {}): The<'ORDER'> {
  const seeds = { seed: new Uint8Array(32).fill(k), keySeed: new Uint8Array(32) }
  const place = { term: 1, k, attempt: 1, live: [1, 2, 3], base: 1, time: 1_000 }
  return { type: 'ORDER', ...place, ...seeds, diverged: false, commands, ...change }
}

let next = 0
function entry(draft: Draft, change: Partial<Entry>): Entry {
  const at = { index: ++next, epoch: { counter: 1, slot: 1 }, lamport: next, time: 1_000 }
  const order = { term: 1, k: 0, part: 1, parts: 1, chain: new Uint8Array(32) }
  return { ...draft, ...at, ...order, bodyHash: null, ...change }
}

/** The TERM entry of `term`. */
function term(number = 1): Entry {
  if (number === 1) next = 0
  const body = encodeTerm({ slot: 1, boot: 'boot', nonce: `nonce ${number}` })
  return entry({ meta: plainMeta(KIND.term), body }, { term: number })
}

t.test('no order is executed before the TERM is applied', (t) => {
  const one = executor()
  one.hold(order(1, [register('alice')]))
  t.same(one.run(), [])
  one.apply(term())
  t.same(
    one.run().map(({ k }) => k),
    [1],
  )
  t.end()
})

t.test('exactly the next k is executed: a later one waits', (t) => {
  const one = executor()
  one.apply(term())
  one.hold(order(2, [open('alice')]))
  t.same(one.run(), [])
  one.hold(order(1, [register('alice')]))
  t.same(
    one.run().map(({ k }) => k),
    [1, 2],
  )
  t.same(one.run(), [], 'and each once')
  t.end()
})

t.test('while an order is half applied from the feed, the next one waits', (t) => {
  const [ahead, behind] = [executor(), executor()]
  const orders = [order(1, [register('alice'), register('bob')]), order(2, [open('alice')])]
  const first = term()
  for (const one of [ahead, behind]) one.apply(first)
  for (const one of orders) ahead.hold(one)
  const [one, two] = ahead.run()
  const [a, b] = one!.drafts
  behind.apply(entry(a!, { k: 1, part: 1, parts: 2 }))
  for (const one of orders) behind.hold(one)
  t.same(behind.run(), [])
  behind.apply(entry(b!, { k: 1, part: 2, parts: 2 }))
  const [same] = behind.run()
  t.same(same?.hash, two?.hash, 'and comes to the same as who executed both')
  t.end()
})

t.test('a committed order is never executed', (t) => {
  const [ahead, behind] = [executor(), executor()]
  const first = term()
  for (const one of [ahead, behind]) one.apply(first)
  ahead.hold(order(1, [register('alice')]))
  const [draft] = ahead.run()[0]!.drafts
  behind.apply(entry(draft!, { k: 1 }))
  behind.hold(order(1, [register('alice')]))
  t.same(behind.run(), [])
  t.end()
})

t.test('an order waits for the log through its base', (t) => {
  const one = executor()
  one.apply(term())
  one.hold(order(1, [register('alice')], { base: 2 }))
  t.same(one.run(), [])
  one.apply(entry({ meta: plainMeta(KIND.cursors), body: Buffer.from('[]') }, { term: 0 }))
  t.equal(one.run().length, 1)
  t.end()
})

t.test('a higher TERM drops overlay and orders', (t) => {
  const one = executor()
  one.apply(term())
  one.hold(order(1, [register('alice')]))
  one.run()
  one.hold(order(3, [open('alice')]))
  one.apply(term(2))
  t.equal(one.executed(1), undefined)
  one.hold(order(2, [open('alice')]))
  t.same(one.run(), [], 'lower terms are refused')
  one.hold(order(1, [send(1, 'olá')], { term: 2 }))
  const [done] = one.run()
  t.equal(done?.drafts[0]?.meta[0], KIND.noop, 'there is no such stream any more')
  t.end()
})

t.test('the hash covers term, k, attempt, seed, entries and answers', (t) => {
  const hash = (change: Partial<The<'ORDER'>>, commands = [register('alice')]): string => {
    const one = executor()
    one.apply(term(1))
    if (change.term) one.apply(term(change.term))
    one.hold(order(1, commands, change))
    return Buffer.from(one.run()[0]!.hash).toString('hex')
  }
  const first = hash({})
  t.equal(hash({}), first)
  t.not(hash({ term: 2, base: 1 }), first)
  t.not(hash({ attempt: 2 }), first)
  t.not(hash({ seed: new Uint8Array(32) }), first)
  t.not(hash({ diverged: true }), first, 'another answer')
  t.not(hash({}, [register('alice', 2)]), first)
  t.end()
})

t.test('a higher attempt replaces a waiting lower one; a lower attempt changes nothing', (t) => {
  const one = executor()
  one.hold(order(1, [register('alice')], { attempt: 2 }))
  one.hold(order(1, [register('bob')], { attempt: 1 }))
  one.apply(term())
  t.same(
    one.run().map(({ k, attempt }) => [k, attempt]),
    [[1, 2]],
  )
  t.end()
})
