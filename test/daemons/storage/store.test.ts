// The store of one file: transactions, recovery, reads, and files that must not be used.

import { openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { auditFile } from '../../../daemons/storage/audit.js'
import { Connection } from '../../../daemons/storage/connection.js'
import { openWriter, pragma } from '../../../daemons/storage/files.js'
import { StoreUnsound } from '../../../daemons/storage/recover.js'
import { Store } from '../../../daemons/storage/store.js'
import type { WriteResult } from '../../../protocol/machine/storage.js'
import * as make from './log-maker.js'

const { GENESIS, INCARNATION, START, chained, messageDraft } = make

async function fresh(t: Test): Promise<{ path: string; store: Store }> {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  const { store } = (await Store.open(path))!
  return { path, store }
}

function durable(result: WriteResult) {
  if (result.outcome === 'full') throw new Error('full')
  return result.durable
}

const messages = (n: number, mailbox = 'alice') =>
  Array.from({ length: n }, (_, i) => messageDraft(mailbox, 1, i + 1))

t.test('a new file is intact, empty and durable', async (t) => {
  const { path, store } = await fresh(t)
  await t.rejects(Store.create(path, GENESIS, INCARNATION), /exists/)
  await t.rejects(Store.open(path), /in use by another process/)
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.genesis, GENESIS)
  t.same(recovered.durable.last, 0)
  t.same(recovered.fence, { term: 0, owner: null, k: 0, part: 1, parts: 1 })
  await again.close()
  t.equal(await Store.open(join(t.testdir({}), 'none.db')), null)
})

t.test('a batch of everything is recovered as written', async (t) => {
  const { path, store } = await fresh(t)
  const entries = chained(START, [make.termDraft, ...messages(20)], 7, 0)
  const promised = { counter: 3, slot: 1 }
  const members = [{ slot: 1, incarnation: INCARNATION }]
  const view = { epoch: promised, members }
  const said = { slot: 2, incarnation: INCARNATION, promised, acked: 4 }
  const batch = { promised, entries, commit: 11, view, remembered: [said], incarnations: members }
  const seen = durable(await store.write(batch))
  t.match(seen, { promised, logView: promised, last: 21, commit: 11 })
  await store.write({ incarnations: [{ slot: 1, incarnation: { counter: 2, nonce: 'ff' } }] })
  await store.close()

  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.durable, seen)
  t.same(recovered.view, view)
  t.same(recovered.remembered, [said])
  t.same(recovered.incarnations, [{ slot: 1, incarnation: { counter: 2, nonce: 'ff' } }])
  t.equal(recovered.lamport, 42)
  t.same(recovered.tail, entries, 'the tail')
  t.same(recovered.fence, { term: 7, owner: make.OWNER, k: 10, part: 1, parts: 1 })
  await again.close()
})

t.test('one transaction truncates, appends and changes the view', async (t) => {
  const { path, store } = await fresh(t)
  const old = chained(START, messages(10))
  await store.write({ entries: old, commit: 4 })
  const added = chained(old[5]!, [messageDraft('bob', 1, 7)], 2)
  const view = { epoch: { counter: 9, slot: 3 }, members: [] }
  const seen = durable(await store.write({ truncateAfter: 6, entries: added, view }))
  t.match(seen, { last: 7, chain: added[0]!.chain, logView: view.epoch, commit: 4 })
  t.match(durable(await store.write({ truncateAfter: 5 })), { last: 5, chain: old[4]!.chain })
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.match(recovered.durable, { last: 5, commit: 4 })
  await t.rejects(again.write({ truncateAfter: 3 }), /P3/, 'a committed entry is never dropped')
  await t.rejects(again.write({ commit: 5 }), /P3/, 'nothing is written after a failure')
  await again.close()
})

t.test('a batch whose condition does not hold writes nothing', async (t) => {
  const { store } = await fresh(t)
  const entries = chained(START, messages(2))
  const { last, chain, promised } = durable(await store.write({ entries }))
  const after = { index: last, chain }
  const more = chained(after, [messageDraft('alice', 1, 3)])
  const stale = [
    { require: { promised: { counter: 1, slot: 1 } }, entries: more },
    { require: { last: { index: 1, chain: entries[0]!.chain } }, entries: more },
    { require: { last: { index: 2, chain: entries[0]!.chain } }, entries: more },
  ]
  for (const batch of stale)
    t.match(await store.write(batch), { outcome: 'stale', durable: { last: 2 } })
  const held = { require: { promised, last: after }, entries: more }
  t.match(await store.write(held), { outcome: 'written', durable: { last: 3 } })
  await store.close()
})

t.test('batches are written in the order of their requests', async (t) => {
  const { store } = await fresh(t)
  const entries = chained(START, messages(50))
  const results = await Promise.all(entries.map((entry) => store.write({ entries: [entry] })))
  t.same(
    results.map((result) => durable(result).last),
    entries.map(({ index }) => index),
  )
  await store.close()
})

t.test('reads respect their bounds', async (t) => {
  const { store } = await fresh(t)
  // Enough entries to fill the index tables meanwhile: reads from table and memory must be the
  // same.
  const drafts = Array.from({ length: 9000 }, (_, i) =>
    messageDraft(i % 3 === 0 ? 'alice' : 'bob', 1 + (i % 5), 1 + Math.floor(i / 5), 20),
  )
  const entries = chained(START, drafts)
  for (let i = 0; i < entries.length; i += 500) {
    await store.write({ entries: entries.slice(i, i + 500), commit: i })
  }
  const alice = entries.filter((_, i) => i % 3 === 0)
  const all = { limit: 10_000, maxBytes: 1e9 }
  const where = { after: 0, through: 9000, without: [] }
  const mine = { kind: 'mailbox', mailbox: 'alice', ...where, ...all } as const
  t.same(await store.read(mine), { kind: 'mailbox', entries: alice, more: false })
  const part = await store.read({ ...mine, after: 100, through: 8000, limit: 7 })
  const wanted = alice.filter(({ index }) => index > 100 && index <= 8000)
  t.same(part, { kind: 'mailbox', entries: wanted.slice(0, 7), more: true })
  const stretch = { kind: 'entries', after: 8998, limit: 5, maxBytes: 1e6 } as const
  t.same(await store.read(stretch), { kind: 'entries', entries: entries.slice(8998), more: false })
  t.match(await store.read({ ...stretch, maxBytes: 1 }), { entries: [{ index: 8999 }], more: true })
  const { chain } = entries[4]!
  const places = await store.read({ kind: 'places', indices: [5, 9001] })
  t.same(places, { kind: 'places', places: [{ index: 5, chain }] })
  await store.close()
})

t.test('a repeated (stream, seq) halts', async (t) => {
  const { store } = await fresh(t)
  const entries = chained(START, [messageDraft('alice', 1, 1), messageDraft('bob', 1, 1)])
  await t.rejects(store.write({ entries }), /C3.*repeats/)
  await t.rejects(store.write({ commit: 1 }), /C3/)
  await store.close()
})

t.test('unsound files are distinguished from missing ones', async (t) => {
  const damages: [string, (path: string) => void | Promise<void>, RegExp][] = [
    ['cut short', (path) => truncateSync(path, statSync(path).size >> 1), /unsound/],
    ['not a database', (path) => writeFileSync(path, 'x'.repeat(5000)), /not a database/],
    ['empty', (path) => truncateSync(path, 0), /no table entries/],
    ['a flipped bit in a body', flipBody, /the chain does not hold at entry/],
    ['a missing table', (path) => alter(path, 'DROP TABLE mail'), /no table mail/],
    [
      'a missing entry',
      (path) => alter(path, 'DELETE FROM entries WHERE idx = 7'),
      /entries where/,
    ],
    ['no genesis', (path) => alter(path, "DELETE FROM state WHERE key = 'genesis'"), /no genesis/],
    ['another layout', (path) => alter(path, 'PRAGMA user_version = 99'), /layout 99/],
    ['bad state', (path) => alter(path, "UPDATE state SET value = '{'"), /JSON/],
  ]
  for (const [name, damage, expected] of damages) {
    await t.test(name, async (t) => {
      const { path, store } = await fresh(t)
      await store.write({ entries: chained(START, messages(200)), commit: 0 })
      await store.close()
      await damage(path)
      const error: unknown = await Store.open(path).catch((error: unknown) => error)
      t.ok(error instanceof StoreUnsound)
      t.match(String(error), expected)
      t.match(Store.setAside(path), /unsound-1$/)
      t.equal(await Store.open(path), null, 'a file that was set aside is missing')
    })
  }
})

async function alter(path: string, sql: string): Promise<void> {
  const connection = await Connection.open(path, 'write')
  await connection.exec(sql)
  await connection.close()
}

function flipBody(path: string): void {
  const at = readFileSync(path).indexOf('alice 1 100 ')
  writeSync(openSync(path, 'r+'), 'b', at)
}

t.test('a batch without room changes nothing, and succeeds once there is room', async (t) => {
  const { path, store } = await fresh(t)
  const entries = chained(START, messages(10))
  const before = durable(await store.write({ entries, commit: 3 }))
  await store.close()
  const { store: small } = (await Store.open(path, { maxBytes: 100_000 }))!
  const after = { index: before.last, chain: before.chain }
  const large = chained(after, [messageDraft('bob', 2, 1, 200_000)])
  const instead = chained(entries[8]!, [messageDraft('bob', 2, 1, 200_000)])
  const view = { epoch: { counter: 4, slot: 1 }, members: [] }
  t.same(await small.write({ entries: large }), { outcome: 'full' })
  t.same(await small.write({ entries: instead, truncateAfter: 9, view }), { outcome: 'full' })
  t.match(await small.write({ commit: 4 }), {
    outcome: 'written',
    durable: { ...before, commit: 4 },
  })
  await small.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.durable, { ...before, commit: 4 })
  t.match(await again.write({ entries: large }), { outcome: 'written', durable: { last: 11 } })
  await again.close()
})

t.test('transactions and bytes are counted', async (t) => {
  const { store } = await fresh(t)
  const before = await store.sizes()
  await store.write({ entries: chained(START, messages(200)) })
  await store.write({ require: { promised: { counter: 1, slot: 1 } }, commit: 1 })
  t.equal(store.transactions, 1, 'a stale batch is none')
  const after = await store.sizes()
  t.ok(after['content']! > before['content']!, 'pages in the write-ahead log count')
  t.equal(after['main'], before['main'], 'no checkpoint yet')
  await store.close()
})

t.test('a batch is on disk when it is answered: WAL, synchronous = FULL', async (t) => {
  const { path, store } = await fresh(t)
  await store.close()
  const writer = await openWriter(path, 'write')
  t.equal(await pragma(writer, 'synchronous'), 2)
  t.equal(await pragma(writer, 'journal_mode'), 'wal')
  await writer.close()
})

t.test('a replica without its file starts with an empty one', async (t) => {
  const path = join(t.testdir(), 's1.db')
  const store = await Store.createEmpty(path)
  const incarnation = { counter: 2, nonce: 'aa' }
  await store.write({
    genesis: { genesis: GENESIS, incarnation },
    promised: { counter: 4, slot: 1 },
  })
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.match(recovered, { incarnation, durable: { promised: { counter: 4 } } })
  await again.close()
})

t.test('an audit finds a send that is not the next of its stream', async (t) => {
  const { path, store } = await fresh(t)
  const gone = messages(3).filter((_, i) => i !== 1)
  await store.write({ entries: chained(START, gone), commit: 2 })
  await store.close()
  t.match(await auditFile(path), { fault: /entry 2 is send 3 of its stream, not 2/ })
})

t.test('an audit reads a file in use and finds a broken chain', async (t) => {
  const { path, store } = await fresh(t)
  const entries = chained(START, messages(2500))
  await store.write({ entries, commit: 2400 })
  const { chain } = entries[2399]!
  const sound = { last: 2500, commit: 2400, chain, fault: null }
  t.match(await auditFile(path), sound)
  await store.close()
  flipBody(path)
  t.match(await auditFile(path), { fault: 'the chain does not hold at entry 100' })
})
