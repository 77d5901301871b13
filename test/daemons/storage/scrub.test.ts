// The start checks what a replica needs; the rest of the file is gone through in the background.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { Connection } from '../../../daemons/storage/connection.js'
import { StoreUnsound } from '../../../daemons/storage/recover.js'
import { Scrub } from '../../../daemons/storage/scrub.js'
import { Store } from '../../../daemons/storage/store.js'
import { GENESIS, INCARNATION, START, chained, messageDraft, noteDraft } from './log-maker.js'

const ENTRIES = 20_000
const BATCH = 100
const SOON = { firstMs: 0, restMs: 1e6, share: 1 }

/** A file whose first entries are far before those that the start reads. */
async function filled(t: Test, damage = ''): Promise<{ path: string; store: Store }> {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  const { store: first } = (await Store.open(path))!
  const orders = Array.from({ length: ENTRIES / BATCH }, (_, order) =>
    Array.from({ length: BATCH }, (_, i) =>
      i === 0 ? messageDraft('alice', 1, order + 1) : noteDraft,
    ),
  )
  await first.write({ batches: chained(START, orders), commit: ENTRIES })
  await first.close()
  if (damage) {
    const connection = await Connection.open(path, 'write')
    await connection.exec(damage)
    await connection.close()
  }
  const { store } = (await Store.open(path))!
  return { path, store }
}

const scrubOf = (path: string): Scrub =>
  new Scrub(
    path,
    () => ENTRIES,
    () => Promise.resolve(),
  )

t.test('a sound file passes, and the date is kept', async (t) => {
  const { path, store } = await filled(t)
  t.equal(store.scrubbedAt, 0)
  const before = Date.now()
  await store.scrub.pass()
  t.equal(store.scrub.verified, ENTRIES)
  t.ok(store.scrubbedAt >= before)
  const { scrubbedAt } = store
  await store.close()
  const { store: again } = (await Store.open(path))!
  t.equal(again.scrubbedAt, scrubbedAt)
  await again.close()
})

const DAMAGES: Record<string, [sql: string, expected: RegExp]> = {
  'a changed body': [
    'UPDATE batches SET bodies = (SELECT bodies FROM batches WHERE last = 300) WHERE last = 200',
    /a body .* entry 101/,
  ],
  'a missing batch': ['DELETE FROM batches WHERE last = 200', /entry 101 is missing/],
  'missing batches at the start': ['DELETE FROM batches WHERE last < 500', /entry 1 is missing/],
}

for (const [name, [sql, expected]] of Object.entries(DAMAGES)) {
  t.test(`${name} far before the end does not show at the start, but is found`, async (t) => {
    const { path, store } = await filled(t, sql)
    await t.rejects(scrubOf(path).pass(), { name: StoreUnsound.name, message: expected })
    await store.close()
  })
}

t.test('a file with damage that was found while it was in use is not used again', async (t) => {
  const { path, store } = await filled(t, 'DELETE FROM batches WHERE last = 200')
  const found = new Promise<Error>((resolve) => store.watch(resolve, SOON))
  t.match(await found, { name: StoreUnsound.name })
  await store.close()
  await t.rejects(Store.open(path), { name: StoreUnsound.name, message: /entry 101 is missing/ })
  t.ok(existsSync(Store.setAside(path)))
  t.equal(await Store.open(path), null)
})

t.test('a store that is closed ends the pass', async (t) => {
  const { store } = await filled(t)
  store.watch((error) => t.fail(error.message), { ...SOON, share: 1e-6 })
  await store.close()
})
