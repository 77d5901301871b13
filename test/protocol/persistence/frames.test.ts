// Batches in frames: how a group is cut, and what a member takes up of a frame.

import t from 'tap'
import { LamportClock } from '../../../protocol/clocks/lamport.js'
import { CHAIN_ZERO, lastOf, weighBatch, type Batch } from '../../../protocol/entries/batch.js'
import { cutFrames, stretch, takeStretch } from '../../../protocol/persistence/frames.js'
import { batches, logOf, type Step } from './logs.js'

/** Orders of three, two, four and one entries: they end at 3, 5, 9 and 10. */
const STEPS: Step[] = [{ k: 1, entries: 3 }, { k: 2, entries: 2 }, { k: 3, entries: 4 }, { k: 4 }]
const ALL = batches(STEPS)
const START = { index: 0, chain: CHAIN_ZERO }
const ends = (some: readonly Batch[]): number[] => some.map(lastOf)

t.test('a stretch keeps both bounds, but for its first batch', (t) => {
  const within = (entries: number, bytes = Infinity): number[] =>
    ends(stretch(ALL, { entries, bytes }))
  t.same(within(Infinity), [3, 5, 9, 10])
  t.same(within(5), [3, 5])
  t.same(within(8), [3, 5], 'no half batches')
  t.same(within(1), [3], 'one in any case')
  const [first, second] = ALL.map(weighBatch)
  t.same(within(Infinity, first! + second!), [3, 5])
  t.same(within(Infinity, first! + second! - 1), [3])
  t.same(within(Infinity, 1), [3])
  t.same(stretch([], { entries: 1, bytes: 1 }), [])
  t.end()
})

t.test('each frame names the place before it', (t) => {
  const [first, second] = ALL.map(weighBatch)
  const frames = cutFrames(START, ALL, first! + second! - 1)
  t.same(
    frames.map((frame) => [frame.previous.index, ends(frame.batches)]),
    [
      [0, [3]],
      [3, [5]],
      [5, [9]],
      [9, [10]],
    ],
  )
  t.same(
    frames.map(({ previous }) => previous.chain),
    [CHAIN_ZERO, ...ALL.slice(0, 3).map(({ chain }) => chain)],
  )
  t.same(
    cutFrames(START, ALL, first! + second!).map((frame) => ends(frame.batches)),
    [
      [3, 5],
      [9, 10],
    ],
  )
  t.same(cutFrames(START, [], 100), [])
  t.end()
})

t.test('a member appends what is new, and raises its clock', (t) => {
  const log = logOf(STEPS.slice(0, 2))
  const clock = new LamportClock()
  const fresh = takeStretch(log, clock, 3, ALL.slice(1))
  t.same(ends(fresh!), [9, 10])
  t.same([log.last, log.durable], [10, 5])
  t.ok(clock.tick() > ALL[3]!.lamport)
  t.same(takeStretch(log, clock, 0, ALL), [], 'again: nothing is new')
  t.end()
})

t.test('batches that do not continue the chain, or lie about their bodies, are not taken', (t) => {
  const [, , third, fourth] = ALL as [Batch, Batch, Batch, Batch]
  /** Another last byte. */
  const changed = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))
  const wrong: [string, Batch[]][] = [
    ['a body', [{ ...third, bodies: changed(third.bodies) }, fourth]],
    ['a head', [{ ...third, head: changed(third.head) }, fourth]],
    ['a number', [{ ...third, time: 1 }, fourth]],
    ['the second of two', [third, { ...fourth, k: 9 }]],
  ]
  for (const [name, told] of wrong) {
    const log = logOf(STEPS.slice(0, 2))
    t.equal(takeStretch(log, new LamportClock(), 5, told), null, name)
    t.equal(log.last, 5, 'none of them is appended')
  }
  t.end()
})

t.test('P2: another batch in the place of a known one halts', (t) => {
  const other = batches([{ k: 1, entries: 3, body: 'other' }])
  const uneven = batches([{ k: 1, entries: 2 }])
  for (const told of [other, uneven]) {
    const take = (): unknown => takeStretch(logOf(STEPS), new LamportClock(), 0, told)
    t.throws(take, { message: /^P2: other chain at [23]$/ })
  }
  t.throws(() => takeStretch(logOf(STEPS), new LamportClock(), 4, ALL.slice(2)), /entry 6 after 4/)
  t.end()
})
