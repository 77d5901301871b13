// G1: a state that is saved while the log goes on, loaded and followed, equals the state that is
// built from entry 1.

import t from 'tap'
import { Changes } from '../../../protocol/snapshot/changes.js'
import { stateDigest } from '../../../protocol/snapshot/digest.js'
import { SnapshotLoader } from '../../../protocol/snapshot/load.js'
import {
  SNAPSHOT_FORMAT,
  headOf,
  recordOf,
  type SnapshotHead,
} from '../../../protocol/snapshot/record.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Random } from '../../simulator/random.js'
import { applyBatch, randomLog } from './logs.js'

const CLUSTER = 'troca-test'

function load(records: ReadonlyMap<string, Uint8Array>, head: SnapshotHead): Ledger {
  const loader = new SnapshotLoader(CLUSTER)
  const all = [...records].map(([key, value]) => ({ key, value }))
  all.sort((a, b) => (a.key < b.key ? -1 : 1))
  const half = Math.floor(all.length / 2)
  loader.add({ records: all.slice(0, half), head: null })
  return loader.add({ records: all.slice(half), head })!
}

/** Saves in parts of two records, with batches of the log between them. */
class Saved {
  readonly ledger = new Ledger()
  readonly changes = new Changes((key) => recordOf(this.ledger, key))
  readonly records = new Map<string, Uint8Array>()
  head = headOf(this.ledger, CLUSTER)
  #next: SnapshotHead | null = null

  constructor() {
    this.ledger.touch = this.changes.touch
  }

  begin(): void {
    if (this.#next) return
    this.#next = headOf(this.ledger, CLUSTER)
    this.changes.begin()
  }

  part(fails: boolean): void {
    if (!this.#next) return
    const { records, last } = this.changes.take(2, 10_000)
    this.#taken.push(...records)
    if (fails) {
      this.changes.restore()
      this.#taken = []
      this.#next = null
    } else if (last) {
      for (const { key, value } of this.#taken) {
        if (value) this.records.set(key, value)
        else this.records.delete(key)
      }
      this.changes.saved()
      this.#taken = []
      this.head = this.#next
      this.#next = null
    }
  }

  #taken: { key: string; value: Uint8Array | null }[] = []
}

t.test('a state that is loaded and followed is the one that the log builds', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new Random(seed, 'saves')
    const log = randomLog(seed, 1_500)
    const saved = new Saved()
    const followed: Ledger[] = []
    for (const batch of log) {
      applyBatch(saved.ledger, batch)
      for (const one of followed) applyBatch(one, batch)
      if (random.chance(0.05)) saved.begin()
      while (random.chance(0.7)) saved.part(random.chance(0.02))
      if (!random.chance(0.005)) continue
      const loaded = load(saved.records, saved.head)
      const behind = log.filter(({ first }) => first > loaded.index && first <= saved.ledger.index)
      for (const next of behind) applyBatch(loaded, next)
      followed.push(loaded)
    }
    const built = new Ledger()
    for (const batch of log) applyBatch(built, batch)
    t.ok(followed.length > 0, `seed ${seed}: ${followed.length} snapshots are loaded`)
    t.ok(
      followed.every((one) => stateDigest(one) === stateDigest(built)),
      `seed ${seed}: equal states`,
    )
    t.ok(
      followed.every((one) =>
        [...one.marks].every(([name, { read }]) => built.marks.of(name).read === read),
      ),
      'and equal marks',
    )
  }
})

t.test('a snapshot that is not of this cluster and format is refused', async (t) => {
  const head = headOf(new Ledger(), CLUSTER)
  const loading = (changed: Partial<SnapshotHead>) => () =>
    new SnapshotLoader(CLUSTER).add({ records: [], head: { ...head, ...changed } })
  t.equal(loading({})()?.index, 0)
  t.throws(loading({ clusterId: 'another' }), { message: /of cluster another/ })
  t.throws(loading({ format: SNAPSHOT_FORMAT + 1 }), { message: /format/ })
  const bad = { key: 'z00000000aalice', value: Uint8Array.of(0xff) }
  t.throws(() => new SnapshotLoader(CLUSTER).add({ records: [bad], head }), RangeError)
})

t.test('the records of one log stay as they are, or the format is raised', async (t) => {
  const built = new Ledger()
  for (const batch of randomLog(1, 1_500)) applyBatch(built, batch)
  const digest = '1a67c0d78a4d4789e2421526173e47e8af4a1924dc283abc88038022d44d527f'
  t.same([SNAPSHOT_FORMAT, stateDigest(built)], [2, digest])
})
