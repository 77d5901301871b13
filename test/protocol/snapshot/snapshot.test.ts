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
import { idOf } from '../../../protocol/bytes.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { RECORD } from '../../../protocol/state/record-key.js'
import { Random } from '../../simulator/random.js'
import { applyBatch, randomLog } from './logs.js'

const ORIGIN = { clusterId: 'troca-test', historyId: 'first' }

function load(records: ReadonlyMap<string, Uint8Array>, head: SnapshotHead): Ledger {
  const loader = new SnapshotLoader(ORIGIN)
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
  head = headOf(this.ledger, ORIGIN)
  #next: SnapshotHead | null = null

  constructor() {
    this.ledger.touch = this.changes.touch
  }

  begin(): void {
    if (this.#next) return
    this.#next = headOf(this.ledger, ORIGIN)
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

t.test('nothing of a stream that has ended stays in a snapshot', async (t) => {
  // A place of the ring is written again every 272 seqs, and 256 answers are kept.
  for (const sends of [1, 40, 256, ...Array.from({ length: 20 }, (_, i) => 268 + i)]) {
    const { ledger, changes, records } = new Saved()
    const save = (): void => {
      changes.begin()
      for (const { key, value } of changes.take(1_000, 1_000_000).records) {
        if (value) records.set(key, value)
        else records.delete(key)
      }
      changes.saved()
    }
    const stream = new Uint8Array(16).fill(7)
    ledger.openStream(idOf(stream), { owner: 'alice', token: stream, next: 1, used: 1 })
    for (let seq = 1; seq <= sends; seq++) {
      const digest = new Uint8Array(32)
      ledger.putAnswer(stream, seq, { digest, code: 0, index: seq, time: seq }, 'bob')
      save()
    }
    ledger.endStream(idOf(stream))
    save()
    const kinds = new Set([...records.keys()].map((key) => key[0]))
    t.same([...kinds].sort(), [RECORD.ended, RECORD.sent], `${sends} sends`)
  }
})

t.test('a snapshot that is not of this cluster and format is refused', async (t) => {
  const head = headOf(new Ledger(), ORIGIN)
  const loading = (changed: Partial<SnapshotHead>) => () =>
    new SnapshotLoader(ORIGIN).add({ records: [], head: { ...head, ...changed } })
  t.equal(loading({})()?.index, 0)
  t.throws(loading({ clusterId: 'another' }), { message: /of cluster another/ })
  t.throws(loading({ historyId: 'another' }), { message: /of history another/ })
  const both = new RegExp(
    `format ${SNAPSHOT_FORMAT + 1}, and this .* reads ${SNAPSHOT_FORMAT}: the`,
  )
  t.throws(loading({ format: SNAPSHOT_FORMAT + 1 }), { message: both })
  const bad = { key: 'z00000000aalice', value: Uint8Array.of(0xff) }
  t.throws(() => new SnapshotLoader(ORIGIN).add({ records: [bad], head }), RangeError)
})

t.test('the records of one log stay as they are, or the format is raised', async (t) => {
  const built = new Ledger()
  for (const batch of randomLog(1, 1_500)) applyBatch(built, batch)
  const digest = '4dc07f629d0bea2f3deaa824708a7615f67e951a3d354f022719f6a86bf45acd'
  t.same([SNAPSHOT_FORMAT, stateDigest(built)], [2, digest])
})
