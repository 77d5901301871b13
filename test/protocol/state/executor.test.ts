import t from 'tap'
import {
  countOf,
  entriesOf,
  packDrafts,
  withoutMessages,
  type Batch,
  type Contents,
} from '../../../protocol/entries/batch.js'
import { KIND, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import { encodeTerm } from '../../../protocol/entries/fence.js'
import type { The } from '../../../protocol/messages/catalogue.js'
import type { Command } from '../../../protocol/state/commands/registry.js'
import { Executor } from '../../../protocol/state/executor.js'
import { streamIdAt } from '../../../protocol/state/stream-id.js'
import { readKey, seal } from '../../simulator/compute.js'
import { open, register, send } from './orders.js'

const executor = (): Executor => new Executor(seal, readKey)

function order(k: number, commands: Command[], change: Partial<The<'ORDER'>> = {}): The<'ORDER'> {
  const seeds = { seed: new Uint8Array(32).fill(k), keySeed: new Uint8Array(32) }
  const place = { term: 1, k, attempt: 1, live: [1, 2, 3], base: 1, time: 1_000 }
  return { type: 'ORDER', ...place, ...seeds, diverged: false, commands, ...change }
}

let next = 1
/** A batch of the committed log, after those made before. */
function batch(contents: Contents, change: Partial<Batch>): Batch {
  const first = next
  next += countOf(contents)
  const at = { first, epoch: { counter: 1, slot: 1 }, lamport: first, time: 1_000 }
  const rest = { term: 1, k: 0, absent: new Uint8Array(0), chain: new Uint8Array(32) }
  return { ...at, ...rest, ...contents, ...change }
}

const single = (draft: Draft, change: Partial<Batch>): Batch => batch(packDrafts([draft]), change)

/** The TERM of `term`. */
function term(number = 1): Batch {
  if (number === 1) next = 1
  const body = encodeTerm({ slot: 1, boot: 'boot', nonce: `nonce ${number}` })
  return single({ meta: plainMeta(KIND.term), body }, { term: number })
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

t.test('a replica that takes an order from the feed comes to the same as its executors', (t) => {
  const [ahead, behind] = [executor(), executor()]
  const stream = streamIdAt({ term: 1, k: 1 }, 2)
  const orders = [
    order(1, [register('alice'), register('bob'), open('alice')]),
    order(2, [send(1, 'olá', 'bob', 'alice', stream), open('alice')]),
    order(3, [send(2, 'adeus', 'bob', 'alice', stream)]),
  ]
  const first = term()
  for (const one of [ahead, behind]) one.apply(first)
  for (const one of orders) ahead.hold(one)
  const [one, two, three] = ahead.run()
  const seen: number[] = []
  behind.apply(batch(one!.contents, { k: 1 }), ({ index }) => seen.push(index))
  t.same(seen, [2, 3, 4], 'each entry is told once')
  for (const one of orders) behind.hold(one)
  t.same(
    behind.run().map(({ hash }) => hash),
    [two!.hash, three!.hash],
  )
  const feed = withoutMessages(batch(two!.contents, { k: 2 }))
  for (const each of [ahead, behind]) each.apply(feed)
  t.equal(behind.base.sizes.of('bob'), entriesOf(feed)[0]!.bodyBytes, 'known without bodies')
  t.equal(behind.base.committedOrder(1), 2)
  t.end()
})

t.test('a committed order is never executed', (t) => {
  const [ahead, behind] = [executor(), executor()]
  const first = term()
  for (const one of [ahead, behind]) one.apply(first)
  ahead.hold(order(1, [register('alice')]))
  behind.apply(batch(ahead.run()[0]!.contents, { k: 1 }))
  behind.hold(order(1, [register('alice')]))
  t.same(behind.run(), [])
  t.end()
})

t.test('an order waits for the log through its base', (t) => {
  const one = executor()
  one.apply(term())
  one.hold(order(1, [register('alice')], { base: 2 }))
  t.same(one.run(), [])
  one.apply(single({ meta: plainMeta(KIND.marks), body: Buffer.from('[]') }, { term: 0 }))
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
  t.equal(
    entriesOf(batch(done!.contents, {}))[0]?.meta.kind,
    KIND.noop,
    'there is no such stream any more',
  )
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

t.test('after the commit nothing of an order is kept', (t) => {
  const one = executor()
  one.apply(term())
  one.hold(order(1, [register('alice')]))
  const { contents } = one.run()[0]!
  t.same(one.executed(1)?.contents, contents)
  one.apply(batch(contents, { k: 1 }))
  t.equal(one.executed(1), undefined)
  t.end()
})

t.test('a log with another result for an order differs from the own one, and only there', (t) => {
  const results = [register('alice'), register('bob')].map((command) => {
    const one = executor()
    one.apply(term())
    one.hold(order(1, [command]))
    return batch(one.run()[0]!.contents, { k: 1 })
  })
  const one = executor()
  one.apply(term())
  t.notOk(one.differs(results[0]!), 'an order that was not executed here')
  one.hold(order(1, [register('alice')]))
  one.run()
  t.same(
    results.map((result) => one.differs(result)),
    [false, true],
  )
  t.notOk(one.differs({ ...results[1]!, term: 7 }), 'an order of another term')
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
