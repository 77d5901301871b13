import t from 'tap'
import { TAIL_ENTRIES } from '../../../protocol/machine/storage.js'
import { NO_FENCE } from '../../../protocol/entries/fence.js'
import { LogTail } from '../../../protocol/persistence/tail.js'
import { OWNER, entries, logOf, type Step } from './logs.js'

const orders = (from: number, to: number): Step[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ k: from + i }))

t.test('an empty log ends at 0, and holds the place before entry 1', (t) => {
  const log = LogTail.empty()
  t.same([log.last, log.commit, log.durable, log.first], [0, 0, 0, 1])
  t.equal(log.has(log.place), true)
  t.equal(log.fence, NO_FENCE)
  t.end()
})

t.test('entries follow one another without gaps', (t) => {
  const log = logOf(orders(1, 2))
  const [, , third, fourth] = entries(orders(1, 4))
  t.throws(() => log.append([fourth!]), { name: 'InvariantError' })
  log.append([third!])
  t.equal(log.last, 3)
  t.same(log.place, { index: 3, chain: third!.chain })
  t.end()
})

t.test('has: a place is in the log, or not in it, or before the entries in memory', (t) => {
  const all = entries(orders(1, 5))
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

t.test('the fence is the newest term and its last order; marks do not move it', (t) => {
  const log = logOf([{ term: 1, owner: OWNER }, { k: 1, part: 1, parts: 2 }, 'cursors'])
  t.same(log.fence, { term: 1, owner: OWNER, k: 1, part: 1, parts: 2 })
  t.same(log.committedFence, NO_FENCE)
  log.commitThrough(1)
  t.same(log.committedFence, { term: 1, owner: OWNER, k: 0, part: 1, parts: 1 })
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

t.test('after a failed write the log is what the file holds', (t) => {
  const steps: Step[] = [{ term: 1, owner: OWNER }, { k: 1 }]
  const log = logOf(steps)
  const file = log.place
  log.append(entries(orders(2, 4), entries(steps)))
  log.resetTo(file)
  t.same([log.last, log.durable, log.fence.k], [2, 2, 1])
  t.same(log.place, file)
  t.end()
})

t.test('after a failed truncation the dropped entries are back', (t) => {
  const log = logOf(orders(1, 4))
  const file = log.place
  log.truncateAfter(3)
  log.truncateAfter(1)
  const other = entries([{ k: 2, body: 'other' }], entries(orders(1, 1)))
  log.append(other)
  log.resetTo(file)
  t.same(log.place, file)
  t.equal(Buffer.from(log.at(2)!.body).toString(), 'order 2, part 1')
  t.end()
})

t.test('after a successful truncation the dropped entries stay away', (t) => {
  const log = logOf(orders(1, 4))
  log.truncateAfter(2)
  const file = log.place
  log.settled()
  log.append(entries([{ k: 3, body: 'other' }], entries(orders(1, 2))))
  log.resetTo(file)
  t.equal(log.last, 2)
  t.throws(() => log.resetTo({ index: 2, chain: new Uint8Array(32) }), { name: 'InvariantError' })
  t.end()
})

t.test('entries that a failed truncation brings back are uncommitted', (t) => {
  const log = logOf(orders(1, 4))
  const file = log.place
  log.truncateAfter(1)
  log.append(entries([{ k: 2, body: 'other' }, { k: 3 }], entries(orders(1, 1))))
  log.commitThrough(3) // committed in the log that replaces the dropped entries
  log.resetTo(file)
  t.same([log.last, log.commit], [4, 1])
  t.end()
})

t.test('if the second of two truncations fails, the entries of the first write are back', (t) => {
  const log = logOf(orders(1, 4))
  log.truncateAfter(1)
  const first = entries(
    [
      { k: 2, body: 'first' },
      { k: 3, body: 'first' },
    ],
    entries(orders(1, 1)),
  )
  log.append(first)
  const file = log.place
  log.truncateAfter(2)
  log.append(entries([{ k: 3, body: 'second' }], [...entries(orders(1, 1)), first[0]!]))
  log.resetTo(file)
  t.same(log.place, file)
  t.equal(Buffer.from(log.at(3)!.body).toString(), 'first')
  t.end()
})

t.test('a late answer to an older write does not make its replacement durable', (t) => {
  const log = logOf(orders(1, 3))
  const file = { last: 3, chain: log.chain }
  log.truncateAfter(1)
  log.append(entries([{ k: 2, body: 'other' }, { k: 3 }], entries(orders(1, 1))))
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
  log.append(entries(steps.slice(2), entries(steps.slice(0, 2))))
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

t.test('only entries far behind the commit index leave memory', (t) => {
  const log = LogTail.empty()
  const count = 2 * TAIL_ENTRIES + 10
  const all = entries(orders(1, count))
  log.append(all)
  t.equal(log.first, 1, 'what is not committed stays')
  log.durableThrough({ last: count, chain: log.placeAt(count)!.chain })
  log.commitThrough(count)
  t.equal(log.first, count - TAIL_ENTRIES + 1)
  t.equal(log.has({ index: log.first - 1, chain: all[log.first - 2]!.chain }), true)
  t.equal(log.has({ index: 1, chain: all[0]!.chain }), undefined)
  t.same(
    log.after(count - 2).map(({ index }) => index),
    [count - 1, count],
  )
  t.equal(log.after(count - 5, 2).length, 2)
  t.end()
})
