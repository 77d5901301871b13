import t from 'tap'
import {
  admitClaim,
  admitOrder,
  claimed,
  type PendingClaim,
  type PendingOrder,
} from '../../../protocol/persistence/admission.js'
import { KIND, erased, plainMeta } from '../../../protocol/entries/entry.js'
import type { LinkId } from '../../../protocol/machine/machine.js'
import { LogTail } from '../../../protocol/persistence/tail.js'
import { OWNER, entries, logOf, type Step } from './logs.js'

const TERM: Step = { term: 3, owner: OWNER }

/** Order k of the log's owner, with the bodies that `logs` gives its entries. */
function order(k: number, parts = 1, change: Partial<PendingOrder> = {}): PendingOrder {
  const drafts = Array.from({ length: parts }, (_, i) => ({
    meta: plainMeta(KIND.noop),
    body: Buffer.from(`order ${k}, part ${i + 1}`),
  }))
  const writer = { link: 1 as LinkId, slot: OWNER.slot, boot: OWNER.boot, id: k }
  const at = { term: 3, k, time: 0, drafts, since: 0 }
  return { kind: 'order', ...writer, ...at, ...change }
}

t.test('the next k is appended; the TERM entry is k = 0', (t) => {
  t.same(admitOrder(logOf([TERM]), order(1)), { verdict: 'append', skip: 0 })
  t.match(admitOrder(logOf([TERM, { k: 1 }, 'cursors']), order(2, 3)), { verdict: 'append' })
  t.end()
})

t.test('a k beyond the next one is a gap, and the answer names the expected k', (t) => {
  t.same(admitOrder(logOf([TERM]), order(2)), { verdict: 'gap', expected: 1 })
  t.same(admitOrder(logOf([TERM, { k: 1 }]), order(7)), { verdict: 'gap', expected: 2 })
  const half = logOf([TERM, { k: 1, part: 1, parts: 2 }])
  t.same(admitOrder(half, order(2)), { verdict: 'gap', expected: 1 }, 'half an order is not it')
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
  const cursors = order(0, 1, { term: 0, slot: 1, boot: 'any' })
  t.match(admitOrder(logOf([TERM, { k: 1, part: 1, parts: 2 }]), cursors), { verdict: 'append' })
  t.match(admitOrder(LogTail.empty(), cursors), { verdict: 'append' })
  t.end()
})

t.test('C2: an order that is in the log is answered as present', (t) => {
  const log = logOf([TERM, { k: 1 }, { k: 2, part: 1, parts: 2 }, { k: 2, part: 2, parts: 2 }])
  t.same(admitOrder(log, order(2, 2)), { verdict: 'present', through: 4 })
  t.same(admitOrder(log, order(1)), { verdict: 'present', through: 2 })
  t.end()
})

t.test('an order with marks between its parts is present through its last part', (t) => {
  const log = logOf([TERM, { k: 1, part: 1, parts: 2 }, 'cursors', { k: 1, part: 2, parts: 2 }])
  t.same(admitOrder(log, order(1, 2)), { verdict: 'present', through: 4 })
  t.end()
})

t.test('an order that is in the log in part gets its missing parts appended', (t) => {
  const log = logOf([TERM, { k: 1, part: 1, parts: 3 }, { k: 1, part: 2, parts: 3 }])
  t.same(admitOrder(log, order(1, 3)), { verdict: 'append', skip: 2 })
  t.end()
})

t.test('C2: other bytes for a k that is in the log are a conflict', (t) => {
  const log = logOf([TERM, { k: 1 }, { k: 2, part: 1, parts: 2 }])
  const other = [{ meta: plainMeta(KIND.noop), body: Buffer.from('other') }]
  t.same(admitOrder(log, order(1, 1, { drafts: other })), { verdict: 'conflict' })
  t.same(admitOrder(log, order(1, 2)), { verdict: 'conflict' }, 'more parts than it has')
  t.same(admitOrder(log, order(2, 3)), { verdict: 'conflict' })
  const meta = [{ ...order(1).drafts[0]!, meta: plainMeta(KIND.noop, 7) }]
  t.same(admitOrder(log, order(1, 1, { drafts: meta })), { verdict: 'conflict' })
  t.end()
})

t.test('an order whose message was deleted meanwhile is still the same order', (t) => {
  const deleted = logOf([])
  const all = entries([TERM, { k: 1 }])
  deleted.append([all[0]!, erased(all[1]!)])
  t.same(admitOrder(deleted, order(1)), { verdict: 'present', through: 2 })
  const other = [{ meta: plainMeta(KIND.noop), body: Buffer.from('other') }]
  t.same(admitOrder(deleted, order(1, 1, { drafts: other })), { verdict: 'conflict' })
  t.end()
})

t.test('an order before the entries in memory is too old to compare', (t) => {
  const all = entries([TERM, { k: 1 }, { k: 2 }, { k: 3 }])
  const fence = { term: 3, owner: OWNER, k: 2, part: 1, parts: 1 }
  const log = new LogTail(all.slice(3), { index: 4, chain: all[3]!.chain }, 3, fence)
  t.same(admitOrder(log, order(1)), { verdict: 'too-old' })
  t.match(admitOrder(log, order(4)), { verdict: 'append' })
  t.end()
})

// ---- claims -----------------------------------------------------------------------------------

function claim(change: Partial<PendingClaim> = {}): PendingClaim {
  const claimant = { link: 1 as LinkId, slot: 1, boot: 'boot of p1', nonce: 'claim' }
  return { kind: 'claim', ...claimant, expected: 3, weight: 2, time: 0, since: 0, ...change }
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
