// Retention in the state: wishes of users, what an EXPIRED entry does, and what it leaves to tell.

import t from 'tap'
import { decodeExpiry } from '../../../protocol/entries/expiry.js'
import { KIND, plainMeta, type Entry } from '../../../protocol/entries/entry.js'
import { encodeExpiry } from '../../../protocol/entries/expiry.js'
import {
  KEEP_ALL,
  decodeRetention,
  encodeRetention,
  stricter,
} from '../../../protocol/entries/retention.js'
import { formatAge, formatSize, parseAge, parseSize } from '../../../protocol/quantities.js'
import { decide } from '../../../protocol/state/commands/registry.js'
import { Expiries } from '../../../protocol/state/expiries.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { stateDigest } from '../../../protocol/snapshot/digest.js'
import { context, expire, register, retain } from './orders.js'

const NO_BYTES = new Uint8Array(0)
const WISH = { age: 5_000, count: 10, bytes: 0 }

/** The state after these commands, each in an order of its own. */
function after(...commands: Parameters<typeof decide>[1][]): Ledger {
  const ledger = new Ledger()
  for (const command of commands) apply(ledger, command)
  return ledger
}

function apply(ledger: Ledger, command: Parameters<typeof decide>[1], time = 1_000): Entry {
  const index = ledger.index + 1
  const { meta, body } = decide(ledger, command, context({ k: index, time }), 0)
  const bodyBytes = body.length
  const entry = {
    index,
    term: 1,
    k: index,
    place: 0,
    time,
    meta,
    body,
    bodyBytes,
    shared: NO_BYTES,
  }
  ledger.apply(entry)
  return entry
}

t.test('the stricter bound counts, and one that is off counts nothing', (t) => {
  const [a, b] = [
    { age: 10, count: 0, bytes: 7 },
    { age: 20, count: 5, bytes: 0 },
  ]
  t.same(stricter(a, b), { age: 10, count: 5, bytes: 7 })
  t.same(stricter(b, a), { age: 10, count: 5, bytes: 7 })
  t.same(stricter(KEEP_ALL, KEEP_ALL), KEEP_ALL)
  t.end()
})

t.test('a wish is kept until another one takes its place', (t) => {
  const ledger = after(register('bob'))
  t.same(ledger.retention('bob'), KEEP_ALL)
  const { meta, body } = apply(ledger, retain('bob', WISH))
  t.match(meta, { kind: KIND.retention, mailbox: 'bob' })
  t.same(decodeRetention(body), WISH)
  t.same(ledger.retention('bob'), WISH)
  t.equal(apply(ledger, retain('bob', WISH)).meta.kind, KIND.noop, 'the same wish once more')
  apply(ledger, retain('bob', KEEP_ALL))
  t.same(ledger.retention('bob'), KEEP_ALL)
  t.equal(apply(ledger, retain('nobody', WISH)).meta.kind, KIND.noop)
  t.throws(() => decodeRetention(encodeExpiry({ through: 1, read: 0 })))
  t.throws(() => decodeExpiry(encodeRetention(WISH)))
  t.end()
})

t.test('an expiry counts only by the wish and the time that it was decided by', (t) => {
  const ledger = after(register('bob'), retain('bob', WISH))
  const one = expire('bob', { through: 7, read: 3, at: 5_000 }, WISH)
  t.equal(apply(ledger, one, 4_999).meta.kind, KIND.noop, 'the order is too early')
  const other = expire('bob', { through: 7, read: 3, at: 5_000 }, KEEP_ALL)
  t.equal(apply(ledger, other, 5_000).meta.kind, KIND.noop, 'another wish')
  const { meta, body } = apply(ledger, one, 5_000)
  t.match(meta, { kind: KIND.expired, mailbox: 'bob' })
  t.same(decodeExpiry(body), { through: 7, read: 3 })
  t.equal(apply(ledger, expire('nobody', { through: 7, read: 0, at: 0 })).meta.kind, KIND.noop)
  t.end()
})

t.test('what expired is known as unread from the mark on that it expired with', (t) => {
  const expiries = new Expiries()
  expiries.add('bob', { through: 10, read: 4 })
  const unread = (...indices: number[]) => indices.map((index) => expiries.unread('bob', index))
  t.same(unread(4, 5, 10, 11), [false, true, true, false])
  expiries.add('bob', { through: 20, read: 4 })
  t.same(expiries.of('bob'), { through: 20, unread: [{ after: 4, through: 20 }] }, 'one stretch')
  expiries.add('bob', { through: 15, read: 15 })
  t.same(unread(12, 20), [true, true], 'an expiry that comes late changes nothing')
  expiries.add('bob', { through: 30, read: 30 })
  expiries.add('bob', { through: 40, read: 35 })
  t.same(unread(21, 30, 35, 36, 40), [false, false, false, true, true])
  for (let i = 5; i < 50; i++) expiries.add('bob', { through: 10 * i + 5, read: 10 * i })
  t.equal(expiries.of('bob').unread.length, 32, 'bounded')
  t.same(unread(5, 495, 496), [true, true, false])
  t.equal(expiries.unread('alice', 5), false)
  t.end()
})

t.test(
  'an expiry empties the mailbox as far as it goes, and equal states have equal digests',
  (t) => {
    const [one, other] = [new Ledger(), new Ledger()]
    for (const ledger of [one, other]) {
      const meta = { ...plainMeta(KIND.message, 0, 'bob'), stream: new Uint8Array(16), seq: 1 }
      for (const index of [1, 2, 3]) ledger.sizes.add('bob', index, 10 * index)
      const body = encodeExpiry({ through: 2, read: 1 })
      const place = { index: 4, term: 1, k: 1, place: 0, time: 1, bodyBytes: body.length }
      ledger.apply({ ...place, meta: plainMeta(KIND.expired, 0, 'bob'), body, shared: NO_BYTES })
      t.equal(ledger.sizes.of(meta.mailbox), 30)
      t.equal(ledger.expiries.unread('bob', 2), true)
    }
    t.equal(stateDigest(one), stateDigest(other))
    other.expiries.add('bob', { through: 3, read: 0 })
    t.not(stateDigest(one), stateDigest(other), 'what has expired is part of the state')
    t.end()
  },
)

t.test('ages and sizes are read and shown as people write them', (t) => {
  t.same(['30d', '12h', '90m', '2s'].map(parseAge), [2_592_000_000, 43_200_000, 5_400_000, 2_000])
  t.same(['5MB', '5 MiB', '7', '10kB'].map(parseSize), [5_000_000, 5_242_880, 7, 10_000])
  for (const wrong of ['', '30', '0d', '-1d', '1.5h', 'd', '30D', '5 weeks', '1d '])
    t.equal(parseAge(wrong), null, wrong)
  for (const wrong of ['', '0', '5mb', '5TB', '1e6', 'toString', '5constructor'])
    t.equal(parseSize(wrong), null, wrong)
  t.same([2_592_000_000, 5_400_000, 1_500].map(formatAge), ['30d', '90m', '1500 ms'])
  t.same([5_000_000, 1_500, 7].map(formatSize), ['5MB', '1500B', '7B'])
  t.end()
})
