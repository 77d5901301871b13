import t from 'tap'
import { KEEP_ALL, type RetentionRule } from '../../../protocol/entries/retention.js'
import { MailboxSizes } from '../../../protocol/state/mailbox-sizes.js'

t.test(
  'a size grows with stored messages, and shrinks by deletions and the end of the account',
  (t) => {
    const stored = new MailboxSizes()
    stored.add('bob', 3, 100)
    stored.add('bob', 5, 50)
    stored.add('alice', 6, 7)
    t.equal(stored.of('bob'), 150)
    stored.drop({ index: 7, mailbox: 'bob', indices: [3, 4, 6], through: 0 })
    t.equal(stored.of('bob'), 50, 'only its own')
    stored.drop({ index: 8, mailbox: 'bob', indices: [3], through: 0 })
    t.equal(stored.of('bob'), 50, 'twice is once')
    stored.add('bob', 9, 0)
    t.equal(stored.of('bob'), 50, 'a body that is erased counts nothing')
    stored.drop({ index: 10, mailbox: 'bob', indices: null, through: 9 })
    t.equal(stored.of('bob'), 0)
    t.equal(stored.of('alice'), 7)
    t.end()
  },
)

t.test('the sizes agree with a plain map after any sequence', (t) => {
  const stored = new MailboxSizes()
  const plain = new Map<number, number>()
  let seed = 1
  const below = (n: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % n
  }
  for (let index = 1; index < 20_000; index++) {
    if (below(3) > 0) {
      const bytes = below(1_000)
      stored.add('bob', index, bytes)
      plain.set(index, bytes)
    } else {
      const indices = Array.from({ length: below(4) + 1 }, () => below(index))
      stored.drop({ index, mailbox: 'bob', indices, through: 0 })
      for (const one of indices) plain.delete(one)
    }
    if (index % 1_000 > 0) continue
    const bytes = [...plain.values()].reduce((sum, one) => sum + one, 0)
    if (stored.of('bob') !== bytes) t.fail(`${stored.of('bob')} at ${index}; ${bytes} are right`)
  }
  t.ok(stored.of('bob') > 0)
  t.end()
})

t.test('what is beyond a rule are the oldest messages', (t) => {
  const stored = new MailboxSizes()
  for (let index = 1; index <= 10; index++) stored.add('bob', 10 * index, 100)
  stored.drop({ index: 101, mailbox: 'bob', indices: [10, 30], through: 0 })
  const beyond = (rule: Partial<RetentionRule>, older = 0, most = 100) =>
    stored.expired('bob', { ...KEEP_ALL, ...rule }, older, most)
  t.same(beyond({}), { through: 0, messages: 0 })
  t.same(beyond({ count: 8 }), { through: 0, messages: 0 }, 'as many as are kept')
  t.same(beyond({ count: 6 }), { through: 40, messages: 2 })
  t.same(beyond({ bytes: 800 }), { through: 0, messages: 0 })
  t.same(beyond({ bytes: 799 }), { through: 20, messages: 1 })
  t.same(beyond({ bytes: 1 }), { through: 100, messages: 8 })
  t.same(beyond({ age: 5 }, 45), { through: 40, messages: 2 })
  t.same(beyond({ age: 5, count: 3 }, 45), { through: 70, messages: 5 }, 'the stricter counts')
  t.same(beyond({ count: 1 }, 0, 3), { through: 50, messages: 3 }, 'no more than asked for')
  t.same(stored.expired('alice', { ...KEEP_ALL, count: 1 }, 9, 9), { through: 0, messages: 0 })
  stored.drop({ index: 102, mailbox: 'bob', indices: null, through: 45 })
  t.equal(stored.of('bob'), 600)
  t.same(beyond({ count: 6 }), { through: 0, messages: 0 })
  t.end()
})
