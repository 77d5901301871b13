// The file while it serves: old batches become segments, erased messages leave their headers alone,
// and free pages go back to the system. Sizes are compared with others of the same run.

import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { auditFile, chainOfFile } from '../../../daemons/storage/audit.js'
import { Connection } from '../../../daemons/storage/connection.js'
import { HOUSEKEEPING } from '../../../daemons/storage/housekeeping.js'
import { StoreUnsound } from '../../../daemons/storage/recover.js'
import { packedThrough } from '../../../daemons/storage/segments.js'
import { Store } from '../../../daemons/storage/store.js'
import {
  CHAIN_ZERO,
  isChained,
  lastOf,
  without,
  withoutMessages,
  type Batch,
} from '../../../protocol/entries/batch.js'
import { dropsOf, type NamedDrop } from '../../../protocol/entries/drop.js'
import type { Draft } from '../../../protocol/entries/entry.js'
import type { Place } from '../../../protocol/entries/place.js'
import * as make from './log-maker.js'

const { GENESIS, INCARNATION, START, chained, dropDraft, endOf, storedIn, termDraft } = make

/** Small, so that a short log has many segments. */
const SMALL = {
  ...HOUSEKEEPING,
  ...{ loose: 8, segmentBytes: 4_000, segmentBatches: 16, unindexed: 8, freePages: 4 },
}

async function opened(path: string, housekeeping = SMALL) {
  return (await Store.open(path, { housekeeping }))!
}

async function fresh(t: Test, housekeeping = SMALL): Promise<{ path: string; store: Store }> {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  return { path, store: (await opened(path, housekeeping)).store }
}

/** A message that does not compress, as an envelope; the wrapped key is that of its neighbours. */
const KEY = randomBytes(530)
function envelope(mailbox: string, stream: number, seq: number, bytes = 272): Draft {
  const { meta } = make.messageDraft(mailbox, stream, seq)
  return { meta: { ...meta, digest: randomBytes(32) }, body: randomBytes(bytes), shared: KEY }
}

/** Orders of one message each, after a place. */
const messages = (after: Place, count: number, first = 1, mailbox = 'alice'): Batch[] =>
  chained(
    after,
    Array.from({ length: count }, (_, i) => envelope(mailbox, 1, first + i)),
    1,
    first,
  )

async function written(store: Store, batches: readonly Batch[]): Promise<void> {
  for (let i = 0; i < batches.length; i += 32) {
    const some = batches.slice(i, i + 32)
    const result = await store.write({ batches: some, commit: lastOf(some.at(-1)!) })
    if (result.outcome !== 'written') throw new Error(result.outcome)
  }
}

/** Erases by the DROPs of these batches, some at a time. */
async function erased(store: Store, batches: readonly Batch[]): Promise<void> {
  const drops = batches.flatMap(dropsOf) as NamedDrop[]
  for (const drop of drops) await store.write({ commit: drop.index, erase: [drop] })
}

async function tableOf(path: string): Promise<{ packed: number; rows: number; segments: number }> {
  const connection = await Connection.open(path, 'read')
  const count = async (table: string): Promise<number> => {
    const [row] = await connection.all<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)
    return row!.n
  }
  const found = {
    packed: await packedThrough(connection),
    rows: await count('batches'),
    segments: await count('segments'),
  }
  await connection.close()
  return found
}

const ALL = { after: 0, limit: 1e6, maxBytes: 1e9 }

/** The whole log, read stretch by stretch as a follower reads it. */
async function logOf(store: Store, lean = false, limit = 1e6): Promise<Batch[]> {
  const batches: Batch[] = []
  for (let after = 0; ;) {
    const read = await store.read({ kind: 'batches', after, limit, maxBytes: 1e9, lean })
    if (read.kind !== 'batches') throw new Error(read.kind)
    if (read.batches.length === 0) return batches
    batches.push(...read.batches)
    after = lastOf(read.batches.at(-1)!)
  }
}

t.test('old batches become segments, and every reader sees the same log', async (t) => {
  const { path, store } = await fresh(t)
  const first = chained(START, [termDraft], 1, 0)
  const batches = [...first, ...messages(endOf(first.at(-1)!), 120)]
  await written(store, batches)
  const before = await logOf(store)
  t.equal(await store.housekeeping.step(), true)
  await store.housekeeping.finish()
  const { packed, rows, segments } = await tableOf(path)
  t.ok(segments > 5 && packed > 90, `${segments} segments hold ${packed} entries`)
  t.ok(rows >= SMALL.loose, 'the last ones keep their rows')
  t.equal(rows + packed, 121, 'each entry is in one table')
  t.same(before, batches)
  t.same(await logOf(store), batches, 'in stretches as long as they come')
  t.same(await logOf(store, false, 3), batches, 'in stretches of three')
  t.same(await logOf(store, true), batches.map(withoutMessages), 'without messages')
  t.ok(isChained(CHAIN_ZERO, await logOf(store)))
  const page = { ...ALL, kind: 'mailbox', mailbox: 'alice', through: 1e6, without: [] } as const
  t.same(await store.read(page), {
    ...{ kind: 'mailbox', more: false },
    messages: storedIn(batches, 'alice'),
  })
  const indices = [1, 2, 50, packed, packed + 1, 121, 122]
  const places = await store.read({ kind: 'places', indices })
  t.same(places, {
    kind: 'places',
    places: indices
      .filter((index) => index < 122)
      .map((index) => ({ index, chain: batches[index - 1]!.chain })),
  })
  await store.close()

  t.match(await auditFile(path), { last: 121, commit: 121, fault: null })
  t.same(await chainOfFile(path, 50), batches[49]!.chain)
  t.equal(await chainOfFile(path, 500), null)
  const { store: again, recovered } = await opened(path)
  const { fence } = recovered
  t.same(fence, { term: 1, owner: make.OWNER, k: 120, time: batches.at(-1)!.time })
  t.same(recovered.tail, batches.slice(packed), 'the tail begins after the segments')
  await again.scrub.pass()
  t.equal(again.scrub.verified, 121)
  t.same(await again.read(page), await again.read(page))
  await again.close()
})

t.test('a place of the log is found by time', async (t) => {
  const { store } = await fresh(t)
  const batches = messages(START, 100)
  await written(store, batches)
  await store.housekeeping.finish()
  const at = async (time: number) => store.read({ kind: 'time', time })
  for (const index of [1, 2, 37, 80, 99, 100]) {
    const { time } = batches[index - 1]!
    t.same(await at(time), { kind: 'time', index: index - 1 }, `before entry ${index}`)
    t.same(await at(time + 1), { kind: 'time', index }, `after entry ${index}`)
  }
  t.same(await at(0), { kind: 'time', index: 0 })
  t.same(await at(1e15), { kind: 'time', index: 100 })
  await store.close()
})

t.test('a message in a segment is erased, and its bytes are nowhere', async (t) => {
  const { path, store } = await fresh(t)
  const batches = messages(START, 100)
  const drop = chained(endOf(batches.at(-1)!), [dropDraft('alice', [3, 4, 50, 99])], 1, 101)
  const later = messages(endOf(drop[0]!), 20, 101)
  await written(store, [...batches, ...drop])
  await store.housekeeping.finish()
  const bodyOf = (index: number): Buffer => Buffer.from(batches[index - 1]!.bodies.subarray(530))
  const places = (index: number): number => {
    const files = [path, `${path}-wal`].map((file) => readFileSync(file))
    return files.filter((bytes) => bytes.includes(bodyOf(index))).length
  }
  t.ok(places(99) > 0, 'the bytes of a body in a row are found in the files')
  await erased(store, drop)
  await store.housekeeping.finish()
  const left = [...batches, ...drop].map((batch) =>
    without(batch, ({ index }) => [3, 4, 50, 99].includes(index)),
  )
  t.same(await logOf(store), left)
  for (const index of [3, 4, 50, 99]) t.equal(places(index), 0, `entry ${index}`)
  t.equal(statSync(`${path}-wal`).size, 0, 'the write-ahead log begins anew')
  await written(store, later)
  await store.housekeeping.finish()
  t.same(await logOf(store), [...left, ...later])
  t.ok((await tableOf(path)).packed > 101, 'a DROP that is carried out is packed too')
  await store.close()
  t.match(await auditFile(path), { last: 121, fault: null })
})

t.test('a DROP that is not carried out keeps its row, and is found at the start', async (t) => {
  const { path, store } = await fresh(t)
  const drop = chained(START, [envelope('alice', 1, 1), dropDraft('alice', [1])])
  const batches = [...drop, ...messages(endOf(drop[1]!), 80, 2)]
  await written(store, batches)
  await store.housekeeping.finish()
  t.equal((await tableOf(path)).packed, 1)
  await store.close()
  const { store: again, recovered } = await opened(path)
  t.same(
    recovered.drops.map(({ index }) => index),
    [2],
  )
  await erased(again, drop)
  await again.housekeeping.finish()
  t.ok((await tableOf(path)).packed > 2)
  await again.close()
})

t.test('an erasure between reading and writing a segment is not undone', async (t) => {
  const { store } = await fresh(t)
  const batches = messages(START, 60)
  const drop = chained(endOf(batches.at(-1)!), [dropDraft('alice', [1, 2, 3, 4, 5, 6])], 1, 61)
  await written(store, [...batches, ...drop])
  // Both run at once: the writes of one come between those of the other.
  await Promise.all([store.housekeeping.finish(), erased(store, drop)])
  const [first] = await logOf(store)
  t.equal(first!.bodies.length, 0)
  await store.close()
})

const DAMAGES: Record<string, [sql: string, expected: RegExp]> = {
  'a changed byte': [
    "UPDATE segments SET packed = CAST(substr(packed, 1, 900) || x'00' || substr(packed, 902) AS BLOB) WHERE last = (SELECT min(last) FROM segments)",
    /entry|entries/,
  ],
  'a chain of another log': [
    "UPDATE segments SET chain = x'00' WHERE last = (SELECT min(last) FROM segments)",
    /the chain does not hold in the segment of the entries 1 to/,
  ],
  'a missing segment': [
    'DELETE FROM segments WHERE last = (SELECT min(last) FROM segments)',
    /entry 1 is missing|the chain does not hold/,
  ],
}

for (const [name, [sql, expected]] of Object.entries(DAMAGES)) {
  t.test(`${name} of a segment shows when it is read`, async (t) => {
    const { path, store } = await fresh(t)
    await written(store, messages(START, 60))
    await store.housekeeping.finish()
    const disk = await Connection.open(path, 'write')
    await disk.exec(sql)
    await disk.close()
    await t.rejects(store.scrub.pass(), { name: StoreUnsound.name, message: expected })
    await store.close()
    if (name === 'a missing segment') return
    await t.rejects(auditFile(path).then(({ fault }) => Promise.reject(new Error(fault ?? ''))))
  })
}

/** Of a store without work to do. */
async function bytesOf(store: Store): Promise<number> {
  await store.housekeeping.finish()
  const { content, free } = await store.sizes()
  return content! - free!
}

const MESSAGES = 2_000

t.test('rounds of messages that are erased: the file grows by headers alone', async (t) => {
  const { store } = await fresh(t, { ...HOUSEKEEPING, loose: 64, unindexed: 64 })
  const sizes: number[] = []
  const held: number[] = []
  let place: Place = START
  let k = 1
  for (let round = 0; round < 3; round++) {
    const batches = messages(place, MESSAGES, round * MESSAGES + 1)
    await written(store, batches)
    held.push(await bytesOf(store))
    place = endOf(batches.at(-1)!)
    k = (round + 1) * MESSAGES
    const named = Array.from({ length: MESSAGES }, (_, i) => batches[0]!.first + i)
    const drops = chained(
      place,
      Array.from({ length: Math.ceil(MESSAGES / 64) }, (_, i) =>
        dropDraft('alice', named.slice(64 * i, 64 * i + 64)),
      ),
      1,
      k + 1,
    )
    await written(store, drops)
    await erased(store, drops)
    place = endOf(drops.at(-1)!)
    sizes.push(await bytesOf(store))
  }
  const text = 256 * MESSAGES
  const [first, second, third] = sizes as [number, number, number]
  const perErased = (third - second) / MESSAGES
  const perMessage = (held[0]! / MESSAGES).toFixed(0)
  t.comment(
    `${perMessage} B a message of 256 B in its own order, ${perErased.toFixed(0)} B once erased`,
  )
  t.ok(held[0]! < 2.5 * text, 'a stored message takes at most 2.5 times its text')
  t.ok(third - second < text / 2, 'an erased message leaves less than half of its text')
  t.ok(second - first < text / 2)
  const { main } = await store.sizes()
  t.ok(main! < held[2]!, 'the file itself has shrunk')
  await store.close()
})

t.test('free pages go back in steps, and some stay', async (t) => {
  const { store } = await fresh(t, { ...SMALL, vacuumPages: 8 })
  const batches = messages(START, 400)
  const drops = chained(
    endOf(batches.at(-1)!),
    Array.from({ length: 8 }, (_, i) =>
      dropDraft(
        'alice',
        Array.from({ length: 50 }, (_, at) => 50 * i + at + 1),
      ),
    ),
    1,
    401,
  )
  await written(store, [...batches, ...drops])
  await store.housekeeping.finish()
  const { content } = await store.sizes()
  await erased(store, drops)
  let steps = 0
  for (let before = store.housekeeping.vacuumedPages; await store.housekeeping.step();) {
    const { vacuumedPages } = store.housekeeping
    t.ok(vacuumedPages - before <= 8, 'no step gives back more than its bound')
    if (vacuumedPages > before) steps++
    before = vacuumedPages
  }
  t.ok(steps > 2, `${steps} steps`)
  t.ok(store.housekeeping.vacuumedAt > 0)
  const sizes = await store.sizes()
  t.ok(sizes['content']! < content!)
  t.ok(sizes['free']! <= SMALL.freePages * 4_096)
  await store.close()
})

t.test('a file without auto_vacuum keeps its size, and is used as before', async (t) => {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  const old = await Connection.open(path, 'write')
  await old.exec('PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM')
  await old.close()
  const { store } = await opened(path)
  t.equal(await store.canShrink(), false)
  const batches = messages(START, 100)
  const drop = chained(
    endOf(batches.at(-1)!),
    [
      dropDraft(
        'alice',
        Array.from({ length: 60 }, (_, i) => i + 1),
      ),
    ],
    1,
    101,
  )
  await written(store, [...batches, ...drop])
  await erased(store, drop)
  await store.housekeeping.finish()
  t.equal(store.housekeeping.vacuumedPages, 0)
  t.ok((await store.sizes())['free']! > 0)
  t.equal((await logOf(store)).length, 101)
  await store.close()
})
