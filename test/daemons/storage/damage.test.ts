// Damage by a disk: bits that change while the file is in use, and a write-ahead log that is torn
// or changed. Damaged entries never leave the replica; a torn log yields a state that was written,
// never a mix of two.

import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { Connection } from '../../../daemons/storage/connection.js'
import { StoreUnsound } from '../../../daemons/storage/recover.js'
import { Store } from '../../../daemons/storage/store.js'
import type { Entry } from '../../../protocol/entries/entry.js'
import { GENESIS, INCARNATION, START, chained, messageDraft } from './log-maker.js'

const ENTRIES = 60
const BATCH = 5

async function filled(t: Test): Promise<{ path: string; store: Store; entries: Entry[] }> {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  const { store } = (await Store.open(path))!
  const drafts = Array.from({ length: ENTRIES }, (_, i) => messageDraft('alice', 1, i + 1))
  const entries = chained(START, drafts)
  for (let i = 0; i < ENTRIES; i += BATCH) {
    const promised = { counter: i / BATCH + 1, slot: 1 }
    await store.write({ promised, entries: entries.slice(i, i + BATCH), commit: i })
  }
  return { path, store, entries }
}

const DAMAGE = {
  'in a body': "UPDATE entries SET body = CAST('other words' AS BLOB) WHERE idx = 17",
  'in a header': 'UPDATE entries SET time = time + 1 WHERE idx = 17',
  'in a chain': "UPDATE entries SET chain = CAST('another chain' AS BLOB) WHERE idx = 17",
}

for (const [where, sql] of Object.entries(DAMAGE)) {
  t.test(`damage ${where} shows when it is read, and the file is not used again`, async (t) => {
    const { path, store } = await filled(t)
    const disk = await Connection.open(path, 'write')
    await disk.exec(sql)
    await disk.close()
    const bounds = { limit: 10, maxBytes: 1e6 }
    const before = await store.read({ kind: 'entries', after: 0, ...bounds })
    t.equal(before.kind, 'entries', 'entries before the damage are sound')
    const through = { kind: 'entries', after: 10, ...bounds } as const
    await t.rejects(store.read(through), { name: StoreUnsound.name, message: /at entry 1[78]/ })
    const mailbox = { kind: 'mailbox', mailbox: 'alice', through: ENTRIES, without: [] } as const
    await t.rejects(store.read({ ...mailbox, after: 10, ...bounds }), StoreUnsound)
    await store.close()
    await t.rejects(Store.open(path), { name: StoreUnsound.name, message: /chain does not hold/ })
    const aside = Store.setAside(path)
    t.ok(existsSync(aside))
    t.equal(await Store.open(path), null, 'the replica starts without the file')
  })
}

/** The file as a crash leaves it, with its write-ahead log changed by `change`. */
async function reopened(
  path: string,
  change: (wal: string) => void,
): Promise<{ last: number; promised: number } | 'unsound'> {
  const copy = `${path}.copy`
  copyFileSync(path, copy)
  copyFileSync(`${path}-wal`, `${copy}-wal`)
  change(`${copy}-wal`)
  try {
    const { store, recovered } = (await Store.open(copy))!
    await store.close()
    return { last: recovered.durable.last, promised: recovered.durable.promised.counter }
  } catch (error) {
    if (error instanceof StoreUnsound) return 'unsound'
    throw error
  } finally {
    Store.setAside(copy)
  }
}

t.test(
  'a write-ahead log torn or changed anywhere: one of the states that were written',
  async (t) => {
    const { path, store } = await filled(t)
    const wal = readFileSync(`${path}-wal`)
    const places = Array.from({ length: 80 }, (_, i) => Math.floor((i * wal.length) / 80) + (i % 7))
    const seen = new Set<string>()
    for (const place of places) {
      const torn = await reopened(path, (copy) => truncateSync(copy, place))
      const flipped = await reopened(path, (copy) => {
        const bytes = Buffer.from(wal)
        bytes[place]! ^= 1
        writeFileSync(copy, bytes)
      })
      for (const found of [torn, flipped]) {
        seen.add(found === 'unsound' ? found : `${found.last}`)
        if (found === 'unsound') continue
        const whole = found.last % BATCH === 0 && found.promised === found.last / BATCH
        if (!whole) t.fail(`cut or changed at ${place}: ${JSON.stringify(found)}`)
      }
    }
    t.ok(seen.size > 5, `only ${[...seen].join(' ')} were seen`)
    t.ok(seen.has(String(ENTRIES - BATCH)), 'some damage undoes the last transaction alone')
    await store.close()
  },
)
