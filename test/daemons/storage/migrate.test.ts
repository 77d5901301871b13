// Files of earlier layouts: what they hold is the same after the migration, in batches of one entry.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { auditFile, chainOfFile } from '../../../daemons/storage/audit.js'
import { Connection } from '../../../daemons/storage/connection.js'
import { StoreUnsound } from '../../../daemons/storage/recover.js'
import { SCHEMA_VERSION } from '../../../daemons/storage/schema.js'
import { Store } from '../../../daemons/storage/store.js'
import { entriesOf, lacks, lastOf } from '../../../protocol/entries/batch.js'
import type { NamedDrop } from '../../../protocol/entries/drop.js'
import { KIND, encodeMeta, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import { encodeMarks } from '../../../protocol/entries/marks.js'
import { GENESIS, INCARNATION, OWNER, dropDraft, messageDraft, termDraft } from './log-maker.js'
import { EARLIER, makeOldFile, type OldFile, type OldOrder } from './old-file.js'

const marksDraft: Draft = {
  meta: plainMeta(KIND.marks),
  body: encodeMarks([['bob', { delivered: 3, read: 2 }]]),
}

const MESSAGES = Array.from({ length: 1_200 }, (_, i) =>
  messageDraft(i % 2 === 0 ? 'alice' : 'bob', 1, i + 1),
)

/** A TERM at 1, messages at 2 to 1201, deletions of 2 and 4, marks, and an order of two messages. */
const ORDERS: OldOrder[] = [
  { term: 3, k: 0, drafts: [termDraft] },
  ...Array.from({ length: 300 }, (_, i) => {
    return { term: 3, k: i + 1, drafts: MESSAGES.slice(4 * i, 4 * i + 4) }
  }),
  { term: 3, k: 301, drafts: [dropDraft('alice', [2])] },
  { term: 3, k: 302, drafts: [dropDraft('alice', [4])] },
  { term: 0, k: 0, drafts: [marksDraft] },
  { term: 3, k: 303, drafts: [messageDraft('bob', 1, 1_201), messageDraft('alice', 1, 1_202)] },
]
const DRAFTS = ORDERS.flatMap(({ drafts }) => drafts)
const LAST = 1_206

/** The first deletion is carried out, the second is not; the last entry is not committed. */
const FILE: OldFile = {
  orders: ORDERS,
  commit: 1_205,
  indexed: 600,
  dropped: 1_202,
  erased: [2],
}

async function made(t: Test, change: Partial<OldFile> = {}): Promise<string> {
  const path = join(t.testdir(), 's1.db')
  await makeOldFile(path, { ...FILE, ...change })
  return path
}

async function mailbox(store: Store, name: string): Promise<number[]> {
  const bounds = { after: 0, through: 1e6, without: [], limit: 10_000, maxBytes: 1e9 }
  const page = await store.read({ kind: 'mailbox', mailbox: name, ...bounds })
  return page.kind === 'mailbox' ? page.messages.map(({ index }) => index) : []
}

async function alter(path: string, sql: string): Promise<void> {
  const connection = await Connection.open(path, 'write')
  await connection.exec(sql)
  await connection.close()
}

async function layoutOf(path: string): Promise<unknown> {
  const connection = await Connection.open(path, 'read')
  const [row] = await connection.all('PRAGMA user_version')
  await connection.close()
  return row?.user_version
}

t.test('a file of layout 4 holds the same afterwards', async (t) => {
  const path = await made(t)
  const { store, recovered } = (await Store.open(path))!
  t.equal(await layoutOf(path), SCHEMA_VERSION)
  t.match(recovered, { genesis: GENESIS, incarnation: INCARNATION, lamport: 2 * LAST })
  t.match(recovered.durable, { last: LAST, commit: 1_205, promised: { counter: 2, slot: 1 } })
  t.same(recovered.fence, { term: 3, owner: OWNER, k: 303, time: 2_205 })
  t.same(recovered.drops, [{ index: 1_203, mailbox: 'alice', indices: [4], through: 0 }])

  const log = await store.read({ kind: 'batches', after: 0, limit: 10_000, maxBytes: 1e9 })
  const batches = log.kind === 'batches' ? log.batches : []
  t.same(
    batches.map(lastOf),
    Array.from({ length: LAST }, (_, i) => i + 1),
  )
  t.same(
    batches.flatMap((batch) => (lacks(batch, 0) ? [batch.first] : [])),
    [2],
  )
  const entries = batches.flatMap(entriesOf)
  t.same(
    entries.map(({ meta }) => encodeMeta(meta)),
    DRAFTS.map(({ meta }) => encodeMeta(meta)),
  )
  t.same(
    entries.map(({ body }) => Buffer.from(body)),
    DRAFTS.map(({ body }, i) => (i === 1 ? Buffer.alloc(0) : Buffer.from(body))),
  )
  t.same(
    [batches[0], batches[8], batches[1_203]].map((batch) => [batch?.term, batch?.k]),
    [
      [3, 0],
      [3, 2],
      [0, 0],
    ],
  )
  t.match(batches[8], { epoch: { counter: 2, slot: 1 }, lamport: 18, time: 1_009 })
  await store.close()
  t.match(await auditFile(path), { last: LAST, commit: 1_205, fault: null })
})

t.test('pages and deletions go on where they were', async (t) => {
  const path = await made(t)
  const { store, recovered } = (await Store.open(path))!
  const alice = await mailbox(store, 'alice')
  t.same([alice.length, alice[0], alice[1], alice.at(-1)], [600, 4, 6, LAST])
  t.equal((await mailbox(store, 'bob')).length, 601)
  await store.write({ commit: 1_205, erase: recovered.drops as NamedDrop[] })
  t.same((await mailbox(store, 'alice')).slice(0, 2), [6, 8])
  await store.close()
  t.match(await auditFile(path), { fault: null })
  t.equal(readFileSync(path).indexOf('alice 1 3 '), -1)
  const again = (await Store.open(path))!
  t.same(again.recovered.drops, [])
  await again.store.close()
})

t.test('a log that is a prefix of another stays one', async (t) => {
  const whole = await made(t)
  const shorter = `${whole}.shorter`
  const orders = ORDERS.slice(0, 101)
  await makeOldFile(shorter, { ...FILE, orders, commit: 390, indexed: 0, dropped: 0 })
  await alter(shorter, 'DELETE FROM entries WHERE idx > 399') // its last order is not whole
  for (const path of [whole, shorter]) await (await Store.open(path))!.store.close()
  for (const index of [1, 390, 399]) {
    t.same(await chainOfFile(shorter, index), await chainOfFile(whole, index), `at ${index}`)
  }
  t.equal(await chainOfFile(shorter, 400), null)
})

for (const [layout, statements] of EARLIER) {
  t.test(`a file of layout ${layout} is migrated too`, async (t) => {
    const path = await made(t, { erased: [], dropped: 0 })
    await alter(path, statements)
    const { store, recovered } = (await Store.open(path))!
    t.equal(await layoutOf(path), SCHEMA_VERSION)
    t.same(
      recovered.drops.map(({ index }) => index),
      [1_202, 1_203],
    )
    await store.write({ commit: 1_205, erase: recovered.drops as NamedDrop[] })
    t.same((await mailbox(store, 'alice')).slice(0, 2), [6, 8])
    await store.close()
    t.match(await auditFile(path), { last: LAST, fault: null })
  })
}

t.test('damage is found before the migration hides it', async (t) => {
  const damages: [string, string, RegExp][] = [
    ['a body', "UPDATE entries SET body = x'00' WHERE idx = 1100", /chain .* entry 1100/],
    ['a meta', 'UPDATE entries SET meta = body WHERE idx = 7', /chain .* entry 7/],
    ['a number', 'UPDATE entries SET time = time + 1 WHERE idx = 7', /chain .* entry 7/],
    ['an erased body', "UPDATE entries SET body_hash = x'00' WHERE idx = 2", /chain .* entry 2/],
    ['a gap', 'DELETE FROM entries WHERE idx = 9', /entry 9 is missing/],
  ]
  for (const [name, damage, expected] of damages) {
    await t.test(name, async (t) => {
      const path = await made(t)
      await alter(path, damage)
      await t.rejects(Store.open(path), { name: StoreUnsound.name, message: expected })
      t.equal(await layoutOf(path), 4, 'the file is as it was')
    })
  }
})
