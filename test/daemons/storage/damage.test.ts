// Damage by a disk: bits that change while the file is in use, and a write-ahead log that is torn
// or changed. Damaged batches never leave the replica; a torn log yields a state that was written,
// never a mix of two.

import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { Connection } from '../../../daemons/storage/connection.js'
import { StoreUnsound } from '../../../daemons/storage/recover.js'
import { Store } from '../../../daemons/storage/store.js'
import { GENESIS, INCARNATION, START, chained, endOf, messageDraft } from './log-maker.js'

const ENTRIES = 60
/** Entries of a transaction: a batch of three, and two of one. */
const GROUP = 5

async function filled(t: Test): Promise<{ path: string; store: Store }> {
  const path = join(t.testdir(), 's1.db')
  await Store.create(path, GENESIS, INCARNATION)
  const { store } = (await Store.open(path))!
  const drafts = Array.from({ length: ENTRIES }, (_, i) => messageDraft('alice', 1, i + 1))
  let place = START
  for (let i = 0; i < ENTRIES; i += GROUP) {
    const promised = { counter: i / GROUP + 1, slot: 1 }
    const orders = [drafts.slice(i, i + 3), drafts.slice(i + 3, i + 4), drafts.slice(i + 4, i + 5)]
    const batches = chained(place, orders)
    await store.write({ promised, batches, commit: i })
    place = endOf(batches.at(-1)!)
  }
  return { path, store }
}

/** Changes of the batch of the entries 16 to 18, and what is said of each. */
const DAMAGE: Record<string, [set: string, expected: RegExp]> = {
  'in a body': ['bodies = (SELECT bodies FROM batches WHERE last = 13)', /a body .* entry 16/],
  'in the size of the bodies': ['bodies = substr(bodies, 1, 200)', /other bodies than the head/],
  'in a head': ['head = (SELECT head FROM batches WHERE last = 13)', /does not hold at entry 16/],
  'in a number': ['time = time + 1', /does not hold at entry 16/],
  'in a chain': ["chain = CAST('another chain' AS BLOB)", /does not hold at entry 16/],
}

for (const [where, [set, expected]] of Object.entries(DAMAGE)) {
  t.test(`damage ${where} shows when it is read, and the file is not used again`, async (t) => {
    const { path, store } = await filled(t)
    const disk = await Connection.open(path, 'write')
    await disk.exec(`UPDATE batches SET ${set} WHERE last = 18`)
    await disk.close()
    const bounds = { limit: 10, maxBytes: 1e6 }
    const before = await store.read({ kind: 'batches', after: 0, ...bounds })
    t.equal(before.kind, 'batches', 'batches before the damage are sound')
    const through = { kind: 'batches', after: 10, ...bounds } as const
    await t.rejects(store.read(through), { name: StoreUnsound.name, message: expected })
    const mailbox = { kind: 'mailbox', mailbox: 'alice', through: ENTRIES, without: [] } as const
    await t.rejects(store.read({ ...mailbox, after: 16, ...bounds, limit: 1 }), StoreUnsound)
    await store.close()
    await t.rejects(Store.open(path), { name: StoreUnsound.name, message: expected })
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
        const whole = found.last % GROUP === 0 && found.promised === found.last / GROUP
        if (!whole) t.fail(`cut or changed at ${place}: ${JSON.stringify(found)}`)
      }
    }
    t.ok(seen.size > 5, `only ${[...seen].join(' ')} were seen`)
    t.ok(seen.has(String(ENTRIES - GROUP)), 'some damage undoes the last transaction alone')
    await store.close()
  },
)
