import t from 'tap'
import {
  admitClaim,
  admitOrder,
  claimed,
  type PendingClaim,
  type PendingOrder,
} from '../../../protocol/persistence/admission.js'
import { packDrafts, withoutMessages, withChain } from '../../../protocol/entries/batch.js'
import { KIND, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import type { LinkId } from '../../../protocol/machine/machine.js'
import { LogTail } from '../../../protocol/persistence/tail.js'
import { OWNER, batches, draftsOf, logOf, type Step } from './logs.js'

const TERM: Step = { term: 3, owner: OWNER }

/** Order k of the log's owner, as `logs` makes it. */
function order(k: number, entries = 1, change: Partial<PendingOrder> = {}): PendingOrder {
  const contents = packDrafts(draftsOf(k, entries))
  const writer = { link: 1 as LinkId, slot: OWNER.slot, boot: OWNER.boot, id: k }
  const at = { term: 3, k, time: 0, contents, since: 0 }
  return { kind: 'order', ...writer, ...at, ...change }
}

const holding = (...drafts: Draft[]): Partial<PendingOrder> => ({ contents: packDrafts(drafts) })

t.test('the next k is appended; the TERM entry is k = 0', (t) => {
  t.same(admitOrder(logOf([TERM]), order(1)), { verdict: 'append' })
  t.same(admitOrder(logOf([TERM, { k: 1 }, 'marks']), order(2, 3)), { verdict: 'append' })
  t.end()
})

t.test('a k beyond the next one is a gap, and the answer names the expected k', (t) => {
  t.same(admitOrder(logOf([TERM]), order(2)), { verdict: 'gap', expected: 1 })
  t.same(admitOrder(logOf([TERM, { k: 1 }]), order(7)), { verdict: 'gap', expected: 2 })
  const large = logOf([TERM, { k: 1, entries: 3 }])
  t.same(admitOrder(large, order(3)), { verdict: 'gap', expected: 2 }, 'orders count, not entries')
  t.end()
})

t.test('an order of another term, slot or boot of the slot is fenced', (t) => {
  const log = logOf([TERM])
  for (const change of [{ term: 2 }, { term: 4 }, { slot: 1 }, { boot: 'restarted' }]) {
    t.same(admitOrder(log, order(1, 1, change)), { verdict: 'fenced' }, JSON.stringify(change))
  }
  t.same(admitOrder(LogTail.empty(), order(1)), { verdict: 'fenced' }, 'there is no term yet')
  t.end()
})

t.test('marks are exempt from term and k', (t) => {
  const marks = order(0, 1, { term: 0, slot: 1, boot: 'any' })
  t.same(admitOrder(logOf([TERM, { k: 1 }]), marks), { verdict: 'append' })
  t.same(admitOrder(LogTail.empty(), marks), { verdict: 'append' })
  t.end()
})

t.test('C2: an order that is in the log is answered as present, through its last entry', (t) => {
  const log = logOf([TERM, { k: 1 }, 'marks', { k: 2, entries: 2 }, 'marks'])
  t.same(admitOrder(log, order(2, 2)), { verdict: 'present', through: 5 })
  t.same(admitOrder(log, order(1)), { verdict: 'present', through: 2 })
  t.end()
})

t.test('C2: other bytes for a k that is in the log are a conflict', (t) => {
  const log = logOf([TERM, { k: 1 }, { k: 2, entries: 2 }])
  const [draft] = draftsOf(1)
  const others: [string, PendingOrder][] = [
    ['another body', order(1, 1, holding({ ...draft!, body: Buffer.from('other') }))],
    ['another meta', order(1, 1, holding({ ...draft!, meta: plainMeta(KIND.noop, 7) }))],
    ['an entry more', order(1, 2)],
    ['an entry less', order(2, 1)],
  ]
  for (const [name, other] of others) {
    t.same(admitOrder(log, other), { verdict: 'conflict' }, name)
  }
  t.end()
})

t.test('an order whose message was deleted meanwhile is still the same order', (t) => {
  const message = { meta: plainMeta(KIND.message, 0, 'bob'), body: Buffer.from('olá') }
  const sent = order(1, 1, holding(message, ...draftsOf(1)))
  const deleted = logOf([TERM])
  const at = { first: 2, epoch: { counter: 1, slot: 1 }, term: 3, k: 1, lamport: 2, time: 0 }
  deleted.append([withoutMessages(withChain(deleted.chain, { ...at, ...sent.contents }))])
  t.same(admitOrder(deleted, sent), { verdict: 'present', through: 3 })
  const other = order(1, 1, holding({ ...message, body: Buffer.from('ola') }, ...draftsOf(1)))
  t.same(admitOrder(deleted, other), { verdict: 'conflict' })
  t.end()
})

t.test('an order before the batches in memory is too old to compare', (t) => {
  const all = batches([TERM, { k: 1, entries: 2 }, { k: 2 }, { k: 3 }])
  const fence = { term: 3, owner: OWNER, k: 2, time: 0 }
  const log = new LogTail(all.slice(3), { index: 5, chain: all[3]!.chain }, 4, fence)
  t.same(admitOrder(log, order(1, 2)), { verdict: 'too-old' })
  t.same(admitOrder(log, order(3)), { verdict: 'present', through: 5 })
  t.same(admitOrder(log, order(4)), { verdict: 'append' })
  t.end()
})

// ---- claims -----------------------------------------------------------------------------------

function claim(change: Partial<PendingClaim> = {}): PendingClaim {
  const claimant = { link: 1 as LinkId, slot: 1, boot: 'boot of p1', nonce: 'claim' }
  return { kind: 'claim', ...claimant, expected: 3, weight: 2, since: 0, ...change }
}

t.test('a claim is a compare-and-set on the newest term', (t) => {
  const log = logOf([TERM])
  t.equal(admitClaim(log, claim(), 0), 'append')
  t.equal(admitClaim(log, claim({ expected: 2 }), 0), 'lost')
  t.equal(admitClaim(log, claim({ expected: 4 }), 0), 'lost')
  t.equal(admitClaim(LogTail.empty(), claim({ expected: 0 }), 0), 'append')
  t.end()
})

t.test('a claim whose TERM is in the log already has won', (t) => {
  t.equal(admitClaim(logOf([TERM]), claim({ nonce: OWNER.nonce, expected: 2 }), 2), 'won')
  t.end()
})

t.test('while the owner has its lease, only its own claim is accepted', (t) => {
  const log = logOf([TERM])
  t.equal(admitClaim(log, claim(), 1), 'leased')
  t.equal(admitClaim(log, claim({ slot: OWNER.slot, boot: OWNER.boot }), 1), 'append')
  t.equal(admitClaim(log, claim({ slot: OWNER.slot, boot: 'restarted' }), 1), 'leased')
  t.end()
})

t.test('the answer to a claim names the newest term that is committed', (t) => {
  const log = logOf([TERM])
  t.match(claimed(claim(), 'lost', log), { term: 0 })
  log.commitThrough(1)
  t.match(claimed(claim(), 'lost', log), { term: 3, nonce: 'claim' })
  t.end()
})
