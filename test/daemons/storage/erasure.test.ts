// Erasure by DROP entries: every byte of the bodies leaves the file, and the chain still verifies.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { auditFile } from '../../../daemons/storage/audit.js'
import { Connection } from '../../../daemons/storage/connection.js'
import { Store } from '../../../daemons/storage/store.js'
import { decodeDrop, type NamedDrop } from '../../../protocol/entries/drop.js'
import { erased, type Entry } from '../../../protocol/entries/entry.js'
import type { ReadResult } from '../../../protocol/machine/storage.js'
import {
  GENESIS,
  INCARNATION,
  START,
  chained,
  closedDraft,
  dropDraft,
  messageDraft,
} from './log-maker.js'

const BODY_BYTES = 9_000

async function fresh(t: Test): Promise<{ path: string; store: Store }> {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  return { path, store: (await Store.open(path))!.store }
}

/** A log of messages to alice and bob in turn, alice first, in which alice then drops some. */
function log(messages: number, dropped: readonly number[]): Entry[] {
  const drafts = Array.from({ length: messages }, (_, i) =>
    messageDraft(i % 2 === 0 ? 'alice' : 'bob', 1, i + 1, i < 10 ? BODY_BYTES : 50),
  )
  return chained(START, [...drafts, dropDraft('alice', dropped)])
}

function read(store: Store, mailbox: string, without: readonly number[] = []): Promise<ReadResult> {
  const bounds = { after: 0, through: 1e6, limit: 10_000, maxBytes: 1e9 }
  return store.read({ kind: 'mailbox', mailbox, without, ...bounds })
}

const named = (entry: Entry): NamedDrop => decodeDrop(entry) as NamedDrop

const indicesOf = (result: ReadResult): number[] =>
  result.kind === 'mailbox' ? result.entries.map(({ index }) => index) : []

async function alter(path: string, sql: string): Promise<void> {
  const connection = await Connection.open(path, 'write')
  await connection.exec(sql)
  await connection.close()
}

t.test('a DROP erases bodies of its own mailbox only; header, meta and chain stay', async (t) => {
  const { path, store } = await fresh(t)
  const entries = log(10, [1, 3, 4, 77])
  await store.write({ entries, commit: 11 })
  t.same(
    indicesOf(await read(store, 'alice', [1, 3])),
    [5, 7, 9],
    'a page omits them before they are erased',
  )
  const drop = named(entries.at(-1)!)
  t.match(await store.write({ commit: 11, erase: [drop] }), { outcome: 'written' })
  t.same(indicesOf(await read(store, 'alice')), [5, 7, 9])
  t.same(indicesOf(await read(store, 'bob')), [2, 4, 6, 8, 10])
  const all = { kind: 'entries', after: 0, limit: 100, maxBytes: 1e9 } as const
  const kept = entries.map((entry) => ([1, 3].includes(entry.index) ? erased(entry) : entry))
  t.same(await store.read(all), { kind: 'entries', entries: kept, more: false })
  await store.write({ commit: 11, erase: [drop] })
  t.same(
    await store.read(all),
    { kind: 'entries', entries: kept, more: false },
    'a repeated erasure changes nothing',
  )
  await store.close()

  const bytes = readFileSync(path)
  t.equal(bytes.indexOf('alice 1 1 '), -1, 'no byte of the body is left in the file')
  t.ok(bytes.indexOf('alice 1 5 ') > 0)
  t.match(await auditFile(path), { last: 11, fault: null })
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.tail, kept)
  t.same(recovered.drops, [], 'carried out')
  t.same(indicesOf(await read(again, 'alice')), [5, 7, 9])
  await again.close()
})

t.test('erased messages that were indexed leave their pages too', async (t) => {
  const { store } = await fresh(t)
  const entries = log(9_000, [1, 8_999])
  for (let i = 0; i < entries.length; i += 500) {
    await store.write({ entries: entries.slice(i, i + 500), commit: i })
  }
  t.equal(indicesOf(await read(store, 'alice', [1, 8_999])).length, 4_498)
  await store.write({ commit: 9_001, erase: [named(entries.at(-1)!)] })
  const left = indicesOf(await read(store, 'alice'))
  t.same([left.length, left[0], left.at(-1)], [4_498, 3, 8_997])
  await store.close()
})

t.test('committed DROPs that were not carried out are found at the next open', async (t) => {
  const { path, store } = await fresh(t)
  const entries = log(10, [1])
  const more = chained(entries.at(-1)!, [dropDraft('bob', [2]), dropDraft('bob', [4])], 1, 12)
  await store.write({ entries, commit: 0 })
  await store.write({ entries: more, commit: 12 })
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.drops, [entries.at(-1), more[0]], 'the last one is not committed')
  await again.write({ commit: 12, erase: recovered.drops.map(named) })
  await t.rejects(again.write({ commit: 12, erase: [named(more[1]!)] }), /P3/)
  await again.close()
  const last = (await Store.open(path))!
  t.same(last.recovered.drops, [])
  const without = last.recovered.tail.filter(({ bodyHash }) => bodyHash !== null)
  t.same(
    without.map(({ index }) => index),
    [1, 2],
  )
  await last.store.close()
})

t.test('erased entries can be written as another replica sends them', async (t) => {
  const { path, store } = await fresh(t)
  const entries = log(10, [1, 3]).map((entry) =>
    [1, 3].includes(entry.index) ? erased(entry) : entry,
  )
  await store.write({ entries, commit: 11 })
  t.same(indicesOf(await read(store, 'alice')), [5, 7, 9])
  await store.write({ commit: 11, erase: [named(entries.at(-1)!)] })
  await store.close()
  t.match(await auditFile(path), { last: 11, fault: null })
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.tail, entries)
  t.same(indicesOf(await read(again, 'alice')), [5, 7, 9])
  await again.close()
})

t.test('an audit finds a body erased without a deletion', async (t) => {
  const { path, store } = await fresh(t)
  const entries = log(10, [1])
  await store.write({ entries: [...entries.slice(0, 4), erased(entries[4]!)], commit: 4 })
  await store.write({ entries: entries.slice(5), commit: 11 })
  await store.close()
  const fault = 'the body of entry 5 is erased without a deletion'
  t.match(await auditFile(path), { last: 11, fault })
})

t.test('a file of an earlier layout is migrated', async (t) => {
  const { path, store } = await fresh(t)
  const entries = log(10, [1])
  await store.write({ entries, commit: 11 })
  await store.close()
  const before =
    'CREATE TABLE places (stream BLOB, seq INTEGER, idx INTEGER); DROP INDEX drops; ' +
    'ALTER TABLE entries DROP COLUMN body_hash; PRAGMA user_version = 1'
  await alter(path, before)
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.drops, [entries.at(-1)])
  await again.write({ commit: 11, erase: recovered.drops.map(named) })
  t.same(indicesOf(await read(again, 'alice')), [3, 5, 7, 9])
  await again.close()
  t.match(await auditFile(path), { fault: null })
})

t.test(
  'the end of an account is found again until it is carried out, and explains it',
  async (t) => {
    const { path, store } = await fresh(t)
    const drafts = ['alice', 'bob', 'alice'].map((name, i) => messageDraft(name, 1, i + 1))
    const entries = chained(START, [...drafts, closedDraft('alice')])
    await store.write({ entries, commit: 4 })
    await store.write({ commit: 4, erase: [{ index: 3, mailbox: 'alice', indices: [1] }] })
    await store.close()
    const { store: again, recovered } = (await Store.open(path))!
    t.same(recovered.drops, [entries[3]])
    t.same(decodeDrop(entries[3]!), { index: 4, mailbox: 'alice', indices: null })
    await again.write({ commit: 4, erase: [{ index: 4, mailbox: 'alice', indices: [3] }] })
    t.same(indicesOf(await read(again, 'alice')), [])
    t.same(indicesOf(await read(again, 'bob')), [2])
    await again.close()
    t.match(await auditFile(path), { last: 4, fault: null })
    const { store: last, recovered: then } = (await Store.open(path))!
    t.same(then.drops, [])
    await last.close()
  },
)

t.test('the end of another account does not explain an erased body', async (t) => {
  const { path, store } = await fresh(t)
  const drafts = ['alice', 'bob'].map((name, i) => messageDraft(name, 1, i + 1))
  const [first, ...others] = chained(START, [...drafts, closedDraft('bob')])
  await store.write({ entries: [erased(first!), ...others], commit: 3 })
  await store.close()
  t.match(await auditFile(path), { fault: 'the body of entry 1 is erased without a deletion' })
})
