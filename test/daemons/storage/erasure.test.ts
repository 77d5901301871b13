// Erasure by DROP entries: every byte of the bodies leaves the file, and the chain still verifies.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { auditFile } from '../../../daemons/storage/audit.js'
import { Store } from '../../../daemons/storage/store.js'
import { CHAIN_ZERO, isChained, without, type Batch } from '../../../protocol/entries/batch.js'
import { dropsOf, type NamedDrop } from '../../../protocol/entries/drop.js'
import type { Draft } from '../../../protocol/entries/entry.js'
import type { ReadResult } from '../../../protocol/machine/storage.js'
import {
  GENESIS,
  INCARNATION,
  START,
  chained,
  closedDraft,
  dropDraft,
  endOf,
  messageDraft,
  noteDraft,
} from './log-maker.js'

const BODY_BYTES = 9_000

async function fresh(t: Test): Promise<{ path: string; store: Store }> {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  return { path, store: (await Store.open(path))!.store }
}

/** Messages to alice and bob in turn, alice first; the first ten are large. */
const messages = (count: number): Draft[] =>
  Array.from({ length: count }, (_, i) =>
    messageDraft(i % 2 === 0 ? 'alice' : 'bob', 1, i + 1, i < 10 ? BODY_BYTES : 50),
  )

/** A log of ten messages in three batches, and one in which alice drops some. */
function log(dropped: readonly number[]): Batch[] {
  const drafts = messages(10)
  const orders = [drafts.slice(0, 4), drafts.slice(4, 5), drafts.slice(5)]
  return chained(START, [...orders, [noteDraft, dropDraft('alice', dropped)]])
}

/** The batches as they are once the messages at these indices are erased. */
const erasedAt = (batches: readonly Batch[], ...indices: number[]): Batch[] =>
  batches.map((batch) => without(batch, ({ index }) => indices.includes(index)))

function read(store: Store, mailbox: string, without: readonly number[] = []): Promise<ReadResult> {
  const bounds = { after: 0, through: 1e6, limit: 10_000, maxBytes: 1e9 }
  return store.read({ kind: 'mailbox', mailbox, without, ...bounds })
}

const named = (batch: Batch): NamedDrop[] => dropsOf(batch) as NamedDrop[]

const indicesOf = (result: ReadResult): number[] =>
  result.kind === 'mailbox' ? result.messages.map(({ index }) => index) : []

const ALL = { kind: 'batches', after: 0, limit: 10_000, maxBytes: 1e9 } as const

t.test('a DROP erases bodies of its own mailbox only; heads and chain stay', async (t) => {
  const { path, store } = await fresh(t)
  const batches = log([1, 3, 4, 7, 77])
  await store.write({ batches, commit: 12 })
  t.same(
    indicesOf(await read(store, 'alice', [1, 3, 7])),
    [5, 9],
    'a page omits them before they are erased',
  )
  const erase = named(batches.at(-1)!)
  t.match(await store.write({ commit: 12, erase }), { outcome: 'written' })
  t.same(indicesOf(await read(store, 'alice')), [5, 9])
  t.same(indicesOf(await read(store, 'bob')), [2, 4, 6, 8, 10])
  const kept = erasedAt(batches, 1, 3, 7)
  t.same(await store.read(ALL), { kind: 'batches', batches: kept })
  t.ok(isChained(CHAIN_ZERO, kept))
  await store.write({ commit: 12, erase })
  const again = await store.read(ALL)
  t.same(again, { kind: 'batches', batches: kept }, 'a repeated erasure changes nothing')
  await store.close()

  const bytes = readFileSync(path)
  for (const seq of [1, 3, 7]) {
    t.equal(bytes.indexOf(`alice 1 ${seq} `), -1, 'no byte of the body is left in the file')
  }
  t.ok(bytes.indexOf('alice 1 5 ') > 0)
  t.ok(bytes.indexOf('bob 1 2 ') > 0, 'a body between two that are erased')
  t.match(await auditFile(path), { last: 12, fault: null })
  const { store: last, recovered } = (await Store.open(path))!
  t.same(recovered.tail, kept)
  t.same(recovered.drops, [], 'carried out')
  t.same(indicesOf(await read(last, 'alice')), [5, 9])
  await last.close()
})

t.test('DROPs of one transaction may name messages of the same batch', async (t) => {
  const { path, store } = await fresh(t)
  const drops = [dropDraft('alice', [1, 3]), dropDraft('bob', [2]), dropDraft('alice', [3, 5])]
  const batches = chained(START, [messages(4), messages(6).slice(4), drops])
  await store.write({ batches, commit: 9 })
  await store.write({ commit: 9, erase: named(batches.at(-1)!) })
  t.same(await store.read(ALL), { kind: 'batches', batches: erasedAt(batches, 1, 2, 3, 5) })
  t.same(indicesOf(await read(store, 'alice')), [])
  t.same(indicesOf(await read(store, 'bob')), [4, 6])
  await store.close()
  t.match(await auditFile(path), { last: 9, fault: null })
})

t.test('erased messages that were indexed leave their pages too', async (t) => {
  const { store } = await fresh(t)
  const drafts = messages(9_000)
  const orders = Array.from({ length: 900 }, (_, i) => drafts.slice(10 * i, 10 * i + 10))
  const batches = chained(START, [...orders, dropDraft('alice', [1, 5, 8_999])])
  for (let i = 0; i < batches.length; i += 50) {
    await store.write({ batches: batches.slice(i, i + 50), commit: 10 * i })
  }
  t.equal(indicesOf(await read(store, 'alice', [1, 5, 8_999])).length, 4_497)
  await store.write({ commit: 9_001, erase: named(batches.at(-1)!) })
  const left = indicesOf(await read(store, 'alice'))
  t.same([left.length, left[0], left[1], left[2], left.at(-1)], [4_497, 3, 7, 9, 8_997])
  await store.close()
})

t.test('committed DROPs that were not carried out are found at the next open', async (t) => {
  const { path, store } = await fresh(t)
  const batches = log([1])
  const twice = [dropDraft('bob', [2]), noteDraft, dropDraft('bob', [4])]
  const more = chained(endOf(batches.at(-1)!), [twice, dropDraft('bob', [6])], 1, 12)
  await store.write({ batches, commit: 0 })
  await store.write({ batches: more, commit: 15 })
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  const [first, second, third] = recovered.drops as NamedDrop[]
  t.same(
    recovered.drops.map(({ index }) => index),
    [12, 13, 15],
    'the last one is not committed',
  )
  await again.write({ commit: 15, erase: [first!, second!] })
  await t.rejects(again.write({ commit: 15, erase: named(more[1]!) }), /P3/)
  await again.close()
  const { store: then, recovered: rest } = (await Store.open(path))!
  t.same(rest.drops, [third], 'the other DROP of the batch is carried out already')
  t.same(rest.tail, erasedAt([...batches, ...more], 1, 2))
  await then.write({ commit: 15, erase: [third!] })
  await then.close()
  const last = (await Store.open(path))!
  t.same(last.recovered.drops, [])
  t.same(last.recovered.tail, erasedAt([...batches, ...more], 1, 2, 4))
  await last.store.close()
})

t.test('erased messages can be written as another replica sends them', async (t) => {
  const { path, store } = await fresh(t)
  const batches = erasedAt(log([1, 3]), 1, 3)
  await store.write({ batches, commit: 12 })
  t.same(indicesOf(await read(store, 'alice')), [5, 7, 9])
  await store.write({ commit: 12, erase: named(batches.at(-1)!) })
  await store.close()
  t.match(await auditFile(path), { last: 12, fault: null })
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.tail, batches)
  t.same(indicesOf(await read(again, 'alice')), [5, 7, 9])
  await again.close()
})

t.test('an audit finds a body erased without a deletion', async (t) => {
  const { path, store } = await fresh(t)
  await store.write({ batches: erasedAt(log([1]), 1, 3), commit: 12 })
  await store.close()
  const fault = 'the body of entry 3 is erased without a deletion'
  t.match(await auditFile(path), { last: 12, fault })
})

t.test(
  'the end of an account is found again until it is carried out, and explains it',
  async (t) => {
    const { path, store } = await fresh(t)
    const drafts = ['alice', 'bob', 'alice'].map((name, i) => messageDraft(name, 1, i + 1))
    const end = [closedDraft('alice'), messageDraft('bob', 1, 4)]
    const batches = chained(START, [drafts, end])
    await store.write({ batches, commit: 5 })
    await store.write({
      commit: 5,
      erase: [{ index: 3, mailbox: 'alice', indices: [1], through: 0 }],
    })
    await store.close()
    const { store: again, recovered } = (await Store.open(path))!
    t.same(recovered.drops, [{ index: 4, mailbox: 'alice', indices: null, through: 3 }])
    await again.write({
      commit: 5,
      erase: [{ index: 4, mailbox: 'alice', indices: [3], through: 0 }],
    })
    t.same(indicesOf(await read(again, 'alice')), [])
    t.same(indicesOf(await read(again, 'bob')), [2, 5])
    await again.close()
    t.match(await auditFile(path), { last: 5, fault: null })
    const { store: last, recovered: then } = (await Store.open(path))!
    t.same(then.drops, [])
    await last.close()
  },
)

t.test('the end of another account does not explain an erased body', async (t) => {
  const { path, store } = await fresh(t)
  const drafts = ['alice', 'bob'].map((name, i) => messageDraft(name, 1, i + 1))
  const batches = chained(START, [[...drafts, closedDraft('bob')]])
  await store.write({ batches: erasedAt(batches, 1), commit: 3 })
  await store.close()
  t.match(await auditFile(path), { fault: 'the body of entry 1 is erased without a deletion' })
})
