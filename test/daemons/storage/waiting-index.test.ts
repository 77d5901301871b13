// The index in memory of entries that are not in the table `mail` yet: it counts entries, also
// where their batches hold several.

import t from 'tap'
import { WaitingIndex } from '../../../daemons/storage/waiting-index.js'
import { without } from '../../../protocol/entries/batch.js'
import { metaLength, weigh } from '../../../protocol/entries/entry.js'
import { START, chained, messageDraft, noteDraft, termDraft } from './log-maker.js'

const message = (mailbox: string, seq: number) => messageDraft(mailbox, 1, seq)

/** Messages to alice at 2, 4 and 6, and to bob at 5. */
const BATCHES = chained(START, [
  termDraft,
  [message('alice', 1), noteDraft, message('alice', 2)],
  [message('bob', 3), message('alice', 4)],
])

function filled(): WaitingIndex {
  const index = new WaitingIndex()
  index.add(BATCHES)
  return index
}

const found = (index: WaitingIndex, after = 0, through = 99, mailbox = 'alice'): number[] =>
  index.mailbox(mailbox, after, through).map(({ idx }) => idx)

t.test('messages are found by mailbox and index, with their weights', async (t) => {
  t.same(found(filled()), [2, 4, 6])
  t.same(found(filled(), 2, 5), [4])
  t.same(found(filled(), 0, 99, 'bob'), [5])
  const { meta, body } = message('bob', 3)
  t.same(filled().mailbox('bob', 0, 99), [{ idx: 5, weight: weigh(metaLength(meta), body.length) }])
})

t.test('messages without bodies are not found, whenever they lost them', async (t) => {
  const index = new WaitingIndex()
  index.add(BATCHES.map((one) => without(one, (entry) => entry.index === 4)))
  t.same(found(index), [2, 6])
  index.erase([2, 99])
  t.same(found(index), [6])
  const { weight } = filled().mailbox('bob', 0, 99)[0]!
  t.same(JSON.parse(index.mailParameter(5)), [['bob', 5, weight]])
})

t.test('batches that the table has taken are dropped', async (t) => {
  const index = filled()
  index.erase([2])
  index.drop(4)
  t.same(found(index), [6])
  t.same(JSON.parse(index.mailParameter(4)), [])
  index.erase([6])
  t.same(found(index), [])
})

t.test('C3: a seq is free again once its entry was truncated', async (t) => {
  const index = filled()
  const again = chained({ ...START, index: 4 }, [message('bob', 3)])
  t.throws(() => index.add(again), /C3: entry 5 is send 3, after 4/)
  const other = filled()
  other.truncateAfter(4)
  t.same(found(other), [2, 4])
  t.doesNotThrow(() => other.add(again))
  t.same(found(other, 0, 99, 'bob'), [5])
})
