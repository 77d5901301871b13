// The store of one file: transactions, recovery, reads, and files that must not be used.

import { openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { auditFile } from '../../../daemons/storage/audit.js'
import { Connection } from '../../../daemons/storage/connection.js'
import { openWriter, pragma } from '../../../daemons/storage/files.js'
import { StoreUnsound } from '../../../daemons/storage/recover.js'
import { SCHEMA_VERSION } from '../../../daemons/storage/schema.js'
import { Store } from '../../../daemons/storage/store.js'
import { lastOf, weighBatch, withoutMessages, type Batch } from '../../../protocol/entries/batch.js'
import { TAIL, type WriteResult } from '../../../protocol/machine/storage.js'
import * as make from './log-maker.js'

const { GENESIS, INCARNATION, START, chained, endOf, messageDraft, noteDraft, storedIn } = make

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

const endDurable = (batch: Batch) => ({ last: lastOf(batch), chain: batch.chain })

const many = (n: number, bytes: number, mailbox = 'alice') =>
  Array.from({ length: n }, (_, i) => messageDraft(mailbox, 1, i + 1, bytes))

const messages = (n: number, mailbox = 'alice') => many(n, 100, mailbox)

t.test('a new file is intact, empty and durable', async (t) => {
  const { path, store } = await fresh(t)
  await t.rejects(Store.create(path, GENESIS, INCARNATION), /exists/)
  await t.rejects(Store.open(path), /in use by another process/)
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.genesis, GENESIS)
  t.same(recovered.durable.last, 0)
  t.same(recovered.fence, { term: 0, owner: null, k: 0, time: 0 })
  await again.close()
  t.equal(await Store.open(join(t.testdir({}), 'none.db')), null)
})

t.test('a transaction of everything is recovered as written', async (t) => {
  const { path, store } = await fresh(t)
  const log = messages(20)
  const orders = [log.slice(0, 10), log.slice(10, 13), log.slice(13)]
  const batches = chained(START, [make.termDraft, ...orders], 7, 0)
  const promised = { counter: 3, slot: 1 }
  const members = [{ slot: 1, incarnation: INCARNATION }]
  const view = { epoch: promised, members }
  const said = { slot: 2, incarnation: INCARNATION, promised, acked: 4 }
  const all = { promised, batches, commit: 14, view, remembered: [said], incarnations: members }
  const seen = durable(await store.write(all))
  t.match(seen, { promised, logView: promised, last: 21, commit: 14 })
  await store.write({ incarnations: [{ slot: 1, incarnation: { counter: 2, nonce: 'ff' } }] })
  await store.close()

  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.durable, seen)
  t.same(recovered.view, view)
  t.same(recovered.remembered, [said])
  t.same(recovered.incarnations, [{ slot: 1, incarnation: { counter: 2, nonce: 'ff' } }])
  t.equal(recovered.lamport, 30)
  t.same(recovered.tail, batches, 'the tail')
  t.same(recovered.fence, { term: 7, owner: make.OWNER, k: 2, time: batches[2]!.time })
  await again.close()
})

t.test('of a large log, the tail in memory is bounded in entries and in bytes', async (t) => {
  const large = 256 * 1024
  const orders = Array.from({ length: TAIL.entries / 16 + 5 }, () => Array(16).fill(noteDraft))
  const cases: [string, Batch[], number][] = [
    ['entries', chained(START, orders), TAIL.entries / 16],
    ['bytes', chained(START, many(20, large)), Math.floor(TAIL.bytes / large) - 1],
  ]
  for (const [name, batches, kept] of cases) {
    const path = join(t.testdir(), `${name}.db`)
    await Store.create(path, GENESIS, INCARNATION)
    const { store } = (await Store.open(path))!
    await store.write({ batches, commit: lastOf(batches.at(-1)!) })
    await store.close()
    const opened = (await Store.open(path))!
    t.equal(opened.recovered.tail.length, kept, name)
    t.same(opened.recovered.tail.at(-1)?.chain, batches.at(-1)?.chain)
    await opened.store.close()
  }
})

t.test('what is not committed is in the tail, however large', async (t) => {
  const { path, store } = await fresh(t)
  await store.write({ batches: chained(START, many(20, 256 * 1024)), commit: 2 })
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.equal(recovered.tail.length, 18)
  await again.close()
})

t.test('one transaction truncates, appends and changes the view', async (t) => {
  const { path, store } = await fresh(t)
  const old = chained(START, messages(10))
  await store.write({ batches: old, commit: 4 })
  const added = chained(endOf(old[5]!), [messageDraft('bob', 1, 7)], 2)
  const view = { epoch: { counter: 9, slot: 3 }, members: [] }
  const seen = durable(await store.write({ truncateAfter: 6, batches: added, view }))
  t.match(seen, { last: 7, chain: added[0]!.chain, logView: view.epoch, commit: 4 })
  t.match(durable(await store.write({ truncateAfter: 5 })), { last: 5, chain: old[4]!.chain })
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.match(recovered.durable, { last: 5, commit: 4 })
  await t.rejects(again.write({ truncateAfter: 3 }), /P3/, 'a committed entry is never dropped')
  await t.rejects(again.write({ commit: 5 }), /P3/, 'nothing is written after a failure')
  await again.close()
})

t.test('a truncation within a batch is refused, and cuts nothing', async (t) => {
  const { path, store } = await fresh(t)
  const log = messages(9)
  const batches = chained(START, [log.slice(0, 3), log.slice(3, 8), log.slice(8)])
  await store.write({ batches, commit: 3 })
  await t.rejects(store.write({ truncateAfter: 5 }), /entry 5 is missing/)
  await store.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.tail, batches)
  t.match(durable(await again.write({ truncateAfter: 3 })), endDurable(batches[0]!))
  await again.close()
})

t.test('a transaction whose condition does not hold writes nothing', async (t) => {
  const { store } = await fresh(t)
  const [first, second] = chained(START, messages(2))
  const { last, chain, promised } = durable(await store.write({ batches: [first!, second!] }))
  const after = { index: last, chain }
  const more = chained(after, [messageDraft('alice', 1, 3)])
  const stale = [
    { require: { promised: { counter: 1, slot: 1 } }, batches: more },
    { require: { last: endOf(first!) }, batches: more },
    { require: { last: { index: 2, chain: first!.chain } }, batches: more },
  ]
  for (const transaction of stale)
    t.match(await store.write(transaction), { outcome: 'stale', durable: { last: 2 } })
  const held = { require: { promised, last: after }, batches: more }
  t.match(await store.write(held), { outcome: 'written', durable: { last: 3 } })
  await store.close()
})

t.test('transactions are written in the order of their requests', async (t) => {
  const { store } = await fresh(t)
  const batches = chained(START, messages(50))
  const results = await Promise.all(batches.map((batch) => store.write({ batches: [batch] })))
  t.same(
    results.map((result) => durable(result).last),
    batches.map(lastOf),
  )
  await store.close()
})

const WHOLE = { limit: 10_000, maxBytes: 1e9 }

t.test('reads respect their bounds, from the table and from memory', async (t) => {
  const { store } = await fresh(t)
  // Enough entries to fill the table meanwhile, in batches that hold messages of both mailboxes.
  const drafts = Array.from({ length: 9000 }, (_, i) =>
    messageDraft(i % 3 === 0 ? 'alice' : 'bob', 1 + (i % 5), 1 + Math.floor(i / 5), 20),
  )
  const orders = Array.from({ length: 900 }, (_, i) => drafts.slice(10 * i, 10 * i + 10))
  const batches = chained(START, orders)
  for (let i = 0; i < batches.length; i += 50) {
    await store.write({ batches: batches.slice(i, i + 50), commit: 10 * i })
  }
  const alice = storedIn(batches, 'alice')
  const where = { after: 0, through: 9000, without: [] }
  const mine = { kind: 'mailbox', mailbox: 'alice', ...where, ...WHOLE } as const
  t.same(await store.read(mine), { kind: 'mailbox', messages: alice, more: false })
  for (const [after, through] of [
    [100, 8000],
    [8880, 8890],
    [0, 5],
  ] as const) {
    const page = await store.read({ ...mine, after, through, limit: 3 })
    const wanted = alice.filter(({ index }) => index > after && index <= through)
    const more = wanted.length > 3
    t.same(page, { kind: 'mailbox', messages: wanted.slice(0, 3), more }, `after ${after}`)
  }
  const places = await store.read({ kind: 'places', indices: [5, 10, 9001] })
  const at10 = { index: 10, chain: batches[0]!.chain }
  t.same(places, { kind: 'places', places: [at10] }, 'only ends of batches are places')
  await store.close()
})

t.test('batches are read whole, one in any case', async (t) => {
  const { store } = await fresh(t)
  const log = messages(12)
  const batches = chained(START, [
    log.slice(0, 5),
    log.slice(5, 7),
    log.slice(7, 11),
    log.slice(11),
  ])
  await store.write({ batches, commit: 12 })
  const [first, second, third, fourth] = batches as [Batch, Batch, Batch, Batch]
  const read = (after: number, limit: number, maxBytes = 1e6) =>
    store.read({ kind: 'batches', after, limit, maxBytes })
  t.same(await read(0, 100), { kind: 'batches', batches })
  t.same(await read(0, 8), { kind: 'batches', batches: [first, second] })
  t.same(await read(0, 1), { kind: 'batches', batches: [first] })
  t.same(await read(5, 100, 1), { kind: 'batches', batches: [second] })
  const bytes = weighBatch(second) + weighBatch(third)
  t.same(await read(5, 100, bytes), { kind: 'batches', batches: [second, third] })
  t.same(await read(5, 100, bytes - 1), { kind: 'batches', batches: [second] })
  t.same(await read(8, 100), { kind: 'batches', batches: [third, fourth] }, 'from within a batch')
  t.same(await read(12, 100), { kind: 'batches', batches: [] })
  await store.close()
})

t.test('a lean read leaves the bodies of messages out', async (t) => {
  const { store } = await fresh(t)
  const log = messages(6)
  const batches = chained(START, [log.slice(0, 3), [noteDraft, ...log.slice(3, 5)], make.termDraft])
  await store.write({ batches, commit: 7 })
  const query = { kind: 'batches', after: 0, limit: 100, lean: true } as const
  const lean = batches.map(withoutMessages)
  t.same(await store.read({ ...query, maxBytes: 1e6 }), { kind: 'batches', batches: lean })
  t.equal(lean[1]!.bodies.length, noteDraft.body.length)
  const bytes = weighBatch(lean[0]!) + weighBatch(batches[1]!)
  const first = await store.read({ ...query, maxBytes: bytes })
  t.same(first, { kind: 'batches', batches: lean.slice(0, 2) }, 'and counts the others alone')
  await store.close()
})

t.test('a page takes single messages out of large batches', async (t) => {
  const { store } = await fresh(t)
  const order = (from: number) =>
    Array.from({ length: 100 }, (_, i) =>
      i % 25 === 7 ? messageDraft('alice', 1, from + (i - 7) / 25, 1_000) : noteDraft,
    )
  const batches = chained(START, [order(1), order(5)])
  await store.write({ batches, commit: 200 })
  const alice = storedIn(batches, 'alice')
  t.same(
    alice.map(({ index }) => index),
    [8, 33, 58, 83, 108, 133, 158, 183],
  )
  const where = { after: 0, through: 200, without: [] }
  const mine = { kind: 'mailbox', mailbox: 'alice', ...where, ...WHOLE } as const
  const page = async (change: object): Promise<unknown> => {
    const read = await store.read({ ...mine, ...change })
    return read.kind === 'mailbox' && [read.messages.map(({ index }) => index), read.more]
  }
  t.same(await store.read(mine), { kind: 'mailbox', messages: alice, more: false })
  t.same(await page({ limit: 0 }), [[], true], 'whether there are any')
  t.same(await page({ limit: 0, after: 183 }), [[], false])
  t.same(await page({ limit: 3 }), [[8, 33, 58], true])
  t.same(await page({ limit: 8 }), [[8, 33, 58, 83, 108, 133, 158, 183], false])
  t.same(await page({ limit: 2, after: 33, through: 108 }), [[58, 83], true])
  t.same(await page({ without: [8, 58, 183], limit: 2 }), [[33, 83], true])
  t.same(await page({ maxBytes: 1 }), [[8], true], 'one in any case')
  t.same(await page({ maxBytes: 4_000 }), [[8, 33, 58], true])
  await store.close()
})

t.test('a repeated (stream, seq) halts', async (t) => {
  const drafts = [messageDraft('alice', 1, 1), messageDraft('bob', 1, 1)]
  for (const orders of [drafts, [drafts]]) {
    const { store } = await fresh(t)
    await t.rejects(
      store.write({ batches: chained(START, orders) }),
      /C3: entry 2 is send 1, after 1/,
    )
    await t.rejects(store.write({ commit: 1 }), /C3/)
    await store.close()
  }
})

t.test('unsound files are distinguished from missing ones', async (t) => {
  const damages: [string, (path: string) => void | Promise<void>, RegExp][] = [
    ['cut short', (path) => truncateSync(path, statSync(path).size >> 1), /unsound/],
    ['not a database', (path) => writeFileSync(path, 'x'.repeat(5000)), /not a database/],
    ['empty', (path) => truncateSync(path, 0), /no table batches/],
    ['a flipped bit in a body', flipBody, /a body is not the one that entry 96 or a next one had/],
    ['a missing table', (path) => alter(path, 'DROP TABLE mail'), /no table mail/],
    [
      'a missing entry',
      (path) => alter(path, 'DELETE FROM batches WHERE last = 10'),
      /entry 6 is missing/,
    ],
    ['half a batch', cutBatch, /other bodies than the head lists/],
    ['no genesis', (path) => alter(path, "DELETE FROM state WHERE key = 'genesis'"), /no genesis/],
    ['no layout', (path) => alter(path, 'PRAGMA user_version = 0'), /layout 0/],
    ['bad state', (path) => alter(path, "UPDATE state SET value = '{'"), /JSON/],
  ]
  for (const [name, damage, expected] of damages) {
    await t.test(name, async (t) => {
      const { path, store } = await fresh(t)
      const log = messages(200)
      const orders = Array.from({ length: 40 }, (_, i) => log.slice(5 * i, 5 * i + 5))
      await store.write({ batches: chained(START, orders), commit: 0 })
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

t.test('a file of a newer layout is refused, and not set aside', async (t) => {
  const { path, store } = await fresh(t)
  await store.write({ batches: chained(START, messages(3)), commit: 3 })
  await store.close()
  await alter(path, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`)
  const error: unknown = await Store.open(path).catch((error: unknown) => error)
  t.notOk(error instanceof StoreUnsound, 'the file is whole')
  const both = new RegExp(`layout ${SCHEMA_VERSION + 1}; .* up to ${SCHEMA_VERSION}: install the`)
  t.match(String(error), both)
  await t.rejects(auditFile(path), both, 'the audit says the same')
  await alter(path, `PRAGMA user_version = ${SCHEMA_VERSION}`)
  const { store: again, recovered } = (await Store.open(path))!
  t.equal(recovered.durable.last, 3, 'the newer version finds all of it')
  await again.close()
})

async function alter(path: string, sql: string): Promise<void> {
  const connection = await Connection.open(path, 'write')
  await connection.exec(sql)
  await connection.close()
}

/** The first batch keeps its head and two of its five bodies. */
function cutBatch(path: string): Promise<void> {
  return alter(path, 'UPDATE batches SET bodies = substr(bodies, 1, 200) WHERE last = 5')
}

function flipBody(path: string): void {
  const at = readFileSync(path).indexOf('alice 1 100 ')
  writeSync(openSync(path, 'r+'), 'b', at)
}

t.test('a transaction without room changes nothing, and succeeds once there is room', async (t) => {
  const { path, store } = await fresh(t)
  const batches = chained(START, messages(10))
  const before = durable(await store.write({ batches, commit: 3 }))
  await store.close()
  const { store: small } = (await Store.open(path, { maxBytes: 100_000 }))!
  const after = { index: before.last, chain: before.chain }
  const large = chained(after, [messageDraft('bob', 2, 1, 200_000)])
  const instead = chained(endOf(batches[8]!), [messageDraft('bob', 2, 1, 200_000)])
  const view = { epoch: { counter: 4, slot: 1 }, members: [] }
  t.same(await small.write({ batches: large }), { outcome: 'full' })
  t.same(await small.write({ batches: instead, truncateAfter: 9, view }), { outcome: 'full' })
  t.match(await small.write({ commit: 4 }), {
    outcome: 'written',
    durable: { ...before, commit: 4 },
  })
  await small.close()
  const { store: again, recovered } = (await Store.open(path))!
  t.same(recovered.durable, { ...before, commit: 4 })
  t.match(await again.write({ batches: large }), { outcome: 'written', durable: { last: 11 } })
  await again.close()
})

t.test('transactions and bytes are counted', async (t) => {
  const { store } = await fresh(t)
  const before = await store.sizes()
  await store.write({ batches: chained(START, messages(200)) })
  await store.write({ require: { promised: { counter: 1, slot: 1 } }, commit: 1 })
  t.equal(store.transactions, 1, 'a stale one is none')
  const after = await store.sizes()
  t.ok(after['content']! > before['content']!, 'pages in the write-ahead log count')
  t.equal(after['main'], before['main'], 'no checkpoint yet')
  await store.close()
})

t.test('a transaction is on disk when it is answered: WAL, synchronous = FULL', async (t) => {
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
  await store.write({ batches: chained(START, [gone]), commit: 2 })
  await store.close()
  t.match(await auditFile(path), { fault: /entry 2 is send 3 of its stream, not 2/ })
})

t.test('an audit reads a file in use and finds a body that is not its head lists', async (t) => {
  const { path, store } = await fresh(t)
  const batches = chained(START, messages(2500))
  await store.write({ batches, commit: 2400 })
  const { chain } = batches[2399]!
  const sound = { last: 2500, commit: 2400, chain, fault: null }
  t.match(await auditFile(path), sound)
  await store.close()
  flipBody(path)
  t.match(await auditFile(path), {
    fault: 'a body is not the one that entry 100 or a next one had',
  })
})
