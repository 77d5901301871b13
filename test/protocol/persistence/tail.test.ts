import t from 'tap'
import { entriesOf, lastOf, weighBatch, type Batch } from '../../../protocol/entries/batch.js'
import { TAIL } from '../../../protocol/machine/storage.js'
import { NO_FENCE } from '../../../protocol/entries/fence.js'
import { LogTail } from '../../../protocol/persistence/tail.js'
import { OWNER, batches, logOf, type Step } from './logs.js'

const orders = (from: number, to: number): Step[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ k: from + i }))

/** A TERM and three orders, of three, two and four entries: they end at 1, 4, 6 and 10. */
const UNEVEN: Step[] = [
  { term: 1, owner: OWNER },
  { k: 1, entries: 3 },
  { k: 2, entries: 2 },
  { k: 3, entries: 4 },
]

const textOf = (batch: Batch | undefined): string =>
  Buffer.from(entriesOf(batch!)[0]!.body).toString()

t.test('an empty log ends at 0, and holds the place before entry 1', (t) => {
  const log = LogTail.empty()
  t.same([log.last, log.commit, log.durable, log.first], [0, 0, 0, 1])
  t.equal(log.has(log.place), true)
  t.equal(log.fence, NO_FENCE)
  t.end()
})

t.test('batches follow one another without gaps', (t) => {
  const log = logOf(orders(1, 2))
  const [, , third, fourth] = batches(orders(1, 4))
  t.throws(() => log.append([fourth!]), { name: 'InvariantError' })
  log.append([third!])
  t.equal(log.last, 3)
  t.same(log.place, { index: 3, chain: third!.chain })
  t.end()
})

t.test('has: a place is in the log, or not in it, or before the batches in memory', (t) => {
  const all = batches(orders(1, 5))
  const last = { index: 5, chain: all[4]!.chain }
  const log = new LogTail(all.slice(3), last, 4, NO_FENCE)
  t.equal(log.first, 4)
  t.equal(log.has(last), true)
  t.equal(log.has({ index: 5, chain: all[3]!.chain }), false)
  t.equal(log.has({ index: 6, chain: all[4]!.chain }), false)
  t.equal(log.has({ index: 2, chain: all[1]!.chain }), undefined)
  t.equal(log.has({ index: 0, chain: new Uint8Array(32) }), true)
  t.end()
})

t.test('only the ends of batches are places', (t) => {
  const log = logOf(UNEVEN)
  const indices = Array.from({ length: 12 }, (_, i) => i)
  t.same(
    indices.filter((index) => log.placeAt(index)),
    [0, 1, 4, 6, 10],
  )
  t.same(
    indices.filter((index) => log.endingAt(index)),
    [1, 4, 6, 10],
  )
  const { chain } = log.placeAt(6)!
  t.same(
    indices.filter((index) => log.has({ index, chain }) === true),
    [0, 6],
  )
  t.same(log.after(5).map(lastOf), [6, 10], 'a batch that goes on beyond the index is after it')
  t.same(log.after(6).map(lastOf), [10])
  t.same([...log.backwards()].map(lastOf), [10, 6, 4, 1])
  t.end()
})

t.test('the fence is the newest term and its last order; marks do not move it', (t) => {
  const log = logOf([{ term: 1, owner: OWNER }, { k: 1, entries: 2 }, 'marks'])
  t.same(log.fence, { term: 1, owner: OWNER, k: 1, time: 1_002 })
  t.same(log.committedFence, NO_FENCE)
  log.commitThrough(1)
  t.same(log.committedFence, { term: 1, owner: OWNER, k: 0, time: 1_001 })
  t.end()
})

t.test('the commit index never goes down, nor beyond the end', (t) => {
  const log = logOf(orders(1, 3))
  t.ok(log.commitThrough(2))
  t.notOk(log.commitThrough(1))
  t.notOk(log.commitThrough(2))
  t.equal(log.commit, 2)
  t.ok(log.commitThrough(99))
  t.equal(log.commit, 3)
  t.end()
})

t.test('a batch is committed as a whole, once its last entry is', (t) => {
  const log = logOf(UNEVEN.slice(1))
  t.notOk(log.commitThrough(2))
  t.equal(log.commit, 0)
  const other = logOf(UNEVEN)
  t.ok(other.commitThrough(9))
  t.same([other.commit, other.committedFence.k], [6, 2])
  t.notOk(other.commitThrough(9))
  t.ok(other.commitThrough(10))
  t.same([other.commit, other.committedFence.k], [10, 3])
  t.end()
})

t.test('P3: nothing at or below the commit index is dropped', (t) => {
  const log = logOf([{ term: 1, owner: OWNER }, ...orders(1, 4)])
  log.commitThrough(3)
  t.throws(() => log.truncateAfter(2), { message: /^P3/ })
  log.truncateAfter(3)
  t.same([log.last, log.durable, log.fence.k], [3, 3, 2])
  log.truncateAfter(7)
  t.equal(log.last, 3, 'nothing is there to drop')
  t.end()
})

t.test('no batch is cut', (t) => {
  for (const index of [5, 7, 9]) {
    const log = logOf(UNEVEN)
    t.throws(() => log.truncateAfter(index), { message: /a batch goes on beyond/ }, `at ${index}`)
  }
  const log = logOf(UNEVEN)
  log.truncateAfter(6)
  t.same([log.last, log.durable, log.fence.k], [6, 6, 2])
  t.end()
})

t.test('after a failed write the log is what the file holds', (t) => {
  const steps: Step[] = [{ term: 1, owner: OWNER }, { k: 1 }]
  const log = logOf(steps)
  const file = log.place
  log.append(batches(orders(2, 4), batches(steps)))
  log.resetTo(file)
  t.same([log.last, log.durable, log.fence.k], [2, 2, 1])
  t.same(log.place, file)
  t.end()
})

t.test('after a failed truncation the dropped batches are back', (t) => {
  const log = logOf(orders(1, 4))
  const file = log.place
  log.truncateAfter(3)
  log.truncateAfter(1)
  const other = batches([{ k: 2, body: 'other' }], batches(orders(1, 1)))
  log.append(other)
  log.resetTo(file)
  t.same(log.place, file)
  t.equal(textOf(log.endingAt(2)), 'order 2, entry 0')
  t.end()
})

t.test('after a successful truncation the dropped batches stay away', (t) => {
  const log = logOf(orders(1, 4))
  log.truncateAfter(2)
  const file = log.place
  log.settled()
  log.append(batches([{ k: 3, body: 'other' }], batches(orders(1, 2))))
  log.resetTo(file)
  t.equal(log.last, 2)
  t.throws(() => log.resetTo({ index: 2, chain: new Uint8Array(32) }), { name: 'InvariantError' })
  t.end()
})

t.test('batches that a failed truncation brings back are uncommitted', (t) => {
  const log = logOf(orders(1, 4))
  const file = log.place
  log.truncateAfter(1)
  log.append(batches([{ k: 2, body: 'other' }, { k: 3 }], batches(orders(1, 1))))
  log.commitThrough(3) // committed in the log that replaces the dropped batches
  log.resetTo(file)
  t.same([log.last, log.commit], [4, 1])
  t.end()
})

t.test('if the second of two truncations fails, the batches of the first write are back', (t) => {
  const log = logOf(orders(1, 4))
  log.truncateAfter(1)
  const first = batches(
    [
      { k: 2, body: 'first' },
      { k: 3, body: 'first' },
    ],
    batches(orders(1, 1)),
  )
  log.append(first)
  const file = log.place
  log.truncateAfter(2)
  log.append(batches([{ k: 3, body: 'second' }], [...batches(orders(1, 1)), first[0]!]))
  log.resetTo(file)
  t.same(log.place, file)
  t.equal(textOf(log.endingAt(3)), 'first, entry 0')
  t.end()
})

t.test('a late answer to an older write does not make its replacement durable', (t) => {
  const log = logOf(orders(1, 3))
  const file = { last: 3, chain: log.chain }
  log.truncateAfter(1)
  log.append(batches([{ k: 2, body: 'other' }, { k: 3 }], batches(orders(1, 1))))
  log.durableThrough(file)
  t.equal(log.durable, 1)
  log.durableThrough({ last: 3, chain: log.chain })
  t.equal(log.durable, 3)
  t.end()
})

t.test('a reset below the commit index computes the fence from a certain place', (t) => {
  const steps: Step[] = [{ term: 1, owner: OWNER }, { k: 1 }, { k: 2 }]
  const log = logOf(steps.slice(0, 2))
  const file = log.place
  log.append(batches(steps.slice(2), batches(steps.slice(0, 2))))
  log.commitThrough(3) // on other replicas; the own write fails
  log.resetTo(file)
  t.same([log.last, log.commit, log.durable], [2, 2, 2])
  t.same([log.fence.term, log.fence.k, log.committedFence.k], [1, 1, 1])
  t.end()
})

t.test('probes: the end, ever further back, and the start; highest first', (t) => {
  const log = logOf(orders(1, 20))
  const indices = log.probes().map(({ index }) => index)
  t.same(indices.slice(0, 6), [20, 19, 18, 16, 12, 4])
  t.equal(indices.at(-1), 0)
  t.ok(log.probes().every((place) => log.has(place)))
  t.end()
})

t.test('probes: only the ends of batches, the commit among them', (t) => {
  const log = logOf(orders(1, 40).map((step) => ({ ...(step as { k: number }), entries: 3 })))
  log.commitThrough(50)
  const indices = log.probes().map(({ index }) => index)
  t.same(indices.slice(0, 6), [120, 117, 114, 108, 96, 72])
  t.ok(indices.includes(48), 'the commit')
  t.ok(log.probes().every((place) => log.has(place)))
  t.end()
})

t.test('only entries far behind the commit index leave memory', (t) => {
  const log = LogTail.empty()
  const count = 2 * TAIL.entries + 10
  const all = batches(orders(1, count))
  log.append(all)
  t.equal(log.first, 1, 'what is not committed stays')
  log.durableThrough({ last: count, chain: log.placeAt(count)!.chain })
  log.commitThrough(count)
  t.equal(log.first, count - TAIL.entries + 1)
  t.equal(log.has({ index: log.first - 1, chain: all[log.first - 2]!.chain }), true)
  t.equal(log.has({ index: 1, chain: all[0]!.chain }), undefined)
  t.same(log.after(count - 2).map(lastOf), [count - 1, count])
  t.end()
})

t.test('large entries leave memory by their bytes, and the sum follows all changes', (t) => {
  const weights = (log: LogTail): number =>
    log.after(0).reduce((bytes, batch) => bytes + weighBatch(batch), 0)
  const log = LogTail.empty({ ...TAIL, bytes: 3_000 })
  const all = batches(orders(1, 60))
  log.append(all.slice(0, 30))
  log.truncateAfter(20)
  t.equal(log.bytes, weights(log), 'after a cut')
  log.resetTo({ index: 25, chain: all[24]!.chain })
  t.equal(log.bytes, weights(log), 'after a return')
  log.append(all.slice(25))
  log.durableThrough({ last: 60, chain: log.chain })
  log.commitThrough(60)
  t.ok(log.first > 1)
  t.ok(log.bytes <= 3_000 && log.bytes > 2_000, `${log.bytes} bytes`)
  t.equal(log.bytes, weights(log))
  t.end()
})

t.test('batches leave memory as a whole', (t) => {
  const log = LogTail.empty({ ...TAIL, entries: 10 })
  const all = batches(orders(1, 10).map((step) => ({ ...(step as { k: number }), entries: 4 })))
  log.append(all)
  log.durableThrough({ last: 40, chain: log.chain })
  log.commitThrough(40)
  t.equal(log.first, 29, 'ten entries and the rest of the batch that holds the tenth')
  t.equal(log.has({ index: 28, chain: all[6]!.chain }), true)
  t.equal(log.has({ index: 24, chain: all[5]!.chain }), undefined)
  t.same(log.after(28).map(lastOf), [32, 36, 40])
  t.equal(log.probes().at(-2)?.index, 28, 'the place before them is still known')
  t.end()
})
