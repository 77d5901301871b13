import t from 'tap'
import { MailboxSizes } from '../../../protocol/state/mailbox-sizes.js'

t.test(
  'a size grows with stored messages, and shrinks by deletions and the end of the account',
  (t) => {
    const stored = new MailboxSizes()
    stored.add('bob', 3, 100)
    stored.add('bob', 5, 50)
    stored.add('alice', 6, 7)
    t.equal(stored.of('bob'), 150)
    stored.drop({ index: 7, mailbox: 'bob', indices: [3, 4, 6] })
    t.equal(stored.of('bob'), 50, 'only its own')
    stored.drop({ index: 8, mailbox: 'bob', indices: [3] })
    t.equal(stored.of('bob'), 50, 'twice is once')
    stored.add('bob', 9, 0)
    t.equal(stored.of('bob'), 50, 'a body that is erased counts nothing')
    stored.drop({ index: 10, mailbox: 'bob', indices: null })
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
      stored.drop({ index, mailbox: 'bob', indices })
      for (const one of indices) plain.delete(one)
    }
    if (index % 1_000 > 0) continue
    const bytes = [...plain.values()].reduce((sum, one) => sum + one, 0)
    if (stored.of('bob') !== bytes) t.fail(`${stored.of('bob')} at ${index}; ${bytes} are right`)
  }
  t.ok(stored.of('bob') > 0)
  t.end()
})
