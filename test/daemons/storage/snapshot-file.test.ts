// The file of a snapshot: whole saves or none, whatever happens to the process; damage is found.

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SnapshotFile } from '../../../daemons/storage/snapshot-file.js'
import { Connection } from '../../../daemons/storage/connection.js'
import { NO_FENCE } from '../../../protocol/entries/fence.js'
import type { SnapshotHead, StateRecord } from '../../../protocol/snapshot/record.js'

const headAt = (index: number): SnapshotHead => ({
  ...{
    format: 1,
    clusterId: 'troca-test',
    historyId: 'first',
    termIndex: 1,
    time: 5,
    fence: NO_FENCE,
  },
  place: { index, chain: new Uint8Array(32).fill(index) },
})

const record = (key: string, text: string | null): StateRecord => ({
  key,
  value: text === null ? null : Buffer.from(text),
})

async function opened(path: string) {
  const told: string[] = []
  return { file: await SnapshotFile.open(path, (reason) => told.push(reason)), told }
}

/** Everything in the file as text; the reason why it is unsound otherwise. */
async function contentOf(path: string) {
  const { file, told } = await opened(path)
  try {
    if (!file.stored) return { unsound: told.join() || 'nothing stored' }
    const texts: Record<string, string> = {}
    for (let after: string | null = null; ;) {
      const part = await file.load(after)
      if ('unsound' in part) return part
      for (const { key, value } of part.records) texts[key] = Buffer.from(value).toString()
      if (part.head) return { texts, index: part.head.place.index, head: part.head }
      after = part.records.at(-1)!.key
    }
  } finally {
    await file.close()
  }
}

async function saved(path: string, ...saves: [index: number, ...records: StateRecord[]][]) {
  const { file } = await opened(path)
  for (const [index, ...records] of saves) {
    t.equal(await file.save({ clear: false, records, head: headAt(index) }), 'written')
  }
  await file.close()
}

t.test('a save changes, adds and removes records', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  const odd = `s${Buffer.from([0, 255, 10, 128]).toString('latin1')}`
  await saved(path, [3, record('aalice', 'one'), record('abob', 'two'), record(odd, 'three')])
  await saved(path, [9, record('aalice', 'four'), record('abob', null), record('acarol', null)])
  const { texts, index, head } = (await contentOf(path)) as Exclude<
    Awaited<ReturnType<typeof contentOf>>,
    { unsound: string }
  >
  t.same(texts, { aalice: 'four', [odd]: 'three' })
  t.equal(index, 9)
  t.same(head, headAt(9))
})

t.test('thousands of records come in parts, in the order of their keys', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  const records = Array.from({ length: 10_000 }, (_, i) => record(`z${10_000 + i}`, `${i}`))
  await saved(path, [1, ...records])
  const { file } = await opened(path)
  const keys: string[] = []
  let parts = 0
  for (let after: string | null = null; ; parts++) {
    const part = await file.load(after)
    if ('unsound' in part) throw new Error(part.unsound)
    keys.push(...part.records.map(({ key }) => key))
    if (part.head) break
    after = keys.at(-1)!
  }
  t.same(
    keys,
    records.map(({ key }) => key),
  )
  t.ok(parts > 1)
  await file.close()
})

t.test('parts without a head are not in the file', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  await saved(path, [3, record('aalice', 'one')])
  const { file } = await opened(path)
  await file.save({ clear: true, records: [record('aalice', 'two')], head: null })
  await file.close()
  t.match(await contentOf(path), { texts: { aalice: 'one' }, index: 3 })
})

t.test('a save may begin anew', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  await saved(path, [3, record('aalice', 'one')])
  const { file } = await opened(path)
  await file.save({ clear: false, records: [record('abob', 'two')], head: null })
  await file.save({ clear: true, records: [record('acarol', 'three')], head: headAt(0) })
  await file.close()
  t.match(await contentOf(path), { texts: { acarol: 'three' }, index: 0 })
  t.notMatch(await contentOf(path), { texts: { aalice: 'one' } })
})

t.test('damage is found', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  const long = 'x'.repeat(300)
  await saved(path, [3, record('aalice', long), record('abob', long)])
  const whole = readFileSync(path)
  const at = whole.indexOf(long)
  const flipped = Buffer.from(whole)
  flipped[at + 7]! ^= 1
  writeFileSync(path, flipped)
  t.match(await contentOf(path), { unsound: /damaged/ })

  writeFileSync(path, whole)
  const connection = await Connection.open(path, 'write')
  await connection.exec("DELETE FROM records WHERE key = CAST('abob' AS BLOB)")
  await connection.close()
  t.match(await contentOf(path), { unsound: /1 records are not the 2/ })

  writeFileSync(path, whole)
  const changed = await Connection.open(path, 'write')
  await changed.exec("UPDATE records SET value = x'01', sum = 1 WHERE key = CAST('abob' AS BLOB)")
  await changed.close()
  t.match(await contentOf(path), { unsound: /damaged/ })
})

t.test('a file that is no snapshot is removed, and the next save makes a new one', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  writeFileSync(path, 'no database '.repeat(1_000))
  const { file, told } = await opened(path)
  t.notOk(file.stored)
  t.match(told, [/not a database/])
  t.equal(
    await file.save({ clear: true, records: [record('aalice', 'one')], head: headAt(1) }),
    'written',
  )
  await file.close()
  t.match(await contentOf(path), { texts: { aalice: 'one' }, index: 1 })
})

t.test('a file of another layout is removed', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  await saved(path, [3, record('aalice', 'one')])
  const connection = await Connection.open(path, 'write')
  await connection.exec('PRAGMA user_version = 99')
  await connection.close()
  const { file, told } = await opened(path)
  const both =
    /layout 99, and this version of Troca reads layout 1: the state is built from the log/
  t.match([file.stored, told], [false, [both]])
  t.equal(statSync(path, { throwIfNoEntry: false }), undefined)
  await file.close()
})

t.test('a file that cannot be written is removed, and told', async (t) => {
  const path = join(t.testdir(), 'p1.db')
  await saved(path, [3, record('aalice', 'one')])
  const { file, told } = await opened(path)
  const other = await Connection.open(path, 'write')
  await other.exec('DROP TABLE records')
  await other.close()
  const records = [record('abob', 'two')]
  t.equal(await file.save({ clear: false, records, head: headAt(4) }), 'lost')
  t.match(told, [/no such table/])
  t.equal(await file.save({ clear: true, records, head: headAt(4) }), 'written')
  await file.close()
  t.match(await contentOf(path), { texts: { abob: 'two' }, index: 4 })
})
