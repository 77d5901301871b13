// The messages that a DROP names and erases, and when the log may erase them.

import t from 'tap'
import { entriesOf, packDrafts, withChain, type Batch } from '../../../protocol/entries/batch.js'
import {
  decodeDrop,
  drops,
  dropsOf,
  encodeDrop,
  erase,
  type Drop,
} from '../../../protocol/entries/drop.js'
import { KIND, plainMeta, type Draft, type Entry } from '../../../protocol/entries/entry.js'
import { LogTail } from '../../../protocol/persistence/tail.js'

const NONE = new Uint8Array(0)

function message(mailbox: string): Draft {
  const stream = new Uint8Array(16)
  const digest = new Uint8Array(32)
  const meta = { kind: KIND.message, answer: 0, mailbox, stream, seq: 1, digest }
  return { meta, body: Buffer.from(`to ${mailbox}`) }
}

const drop = (mailbox: string, ...indices: number[]): Draft => ({
  meta: plainMeta(KIND.drop, 0, mailbox),
  body: encodeDrop(indices),
})

const closed = (mailbox: string): Draft => ({
  meta: plainMeta(KIND.closed, 0, mailbox),
  body: NONE,
})

const note: Draft = { meta: plainMeta(KIND.noop), body: Buffer.from('[0,0]') }

/** A log with a batch of each list of drafts. */
function logOf(...orders: Draft[][]): LogTail {
  const log = LogTail.empty()
  for (const [i, drafts] of orders.entries()) {
    const at = { first: log.last + 1, epoch: { counter: 1, slot: 1 }, lamport: i + 1, time: 1_000 }
    log.append([withChain(log.chain, { ...at, term: 0, k: 0, ...packDrafts(drafts) })])
  }
  return log
}

const entriesIn = (log: LogTail): Entry[] => log.after(0).flatMap(entriesOf)

/** Indices of the entries whose bodies are there. */
const whole = (log: LogTail): number[] =>
  entriesIn(log).flatMap(({ index, body }) => (body.length > 0 ? [index] : []))

t.test('only earlier messages of the own mailbox are erased', (t) => {
  const log = logOf(
    [message('bob')],
    [message('alice')],
    [drop('bob', 1, 2, 3, 4, 5)],
    [message('bob')],
  )
  const one = decodeDrop(entriesIn(log)[2]!)
  t.same(
    one,
    { index: 3, mailbox: 'bob', indices: [1, 2], through: 0 },
    'what comes later is not meant',
  )
  t.same(
    entriesIn(log).map((entry) => drops(one, entry)),
    [true, false, false, false],
  )
  log.erase(one)
  t.same(whole(log), [2, 3, 4])
  t.throws(() => decodeDrop(entriesIn(log)[1]!))
  t.end()
})

t.test('several messages of one batch, and messages of several batches', (t) => {
  const log = logOf(
    [message('bob'), message('bob'), message('alice'), message('bob')],
    [note],
    [message('bob'), message('bob')],
    [drop('bob', 1, 4, 6)],
  )
  const chain = log.after(0).map((batch) => batch.chain)
  const [one] = dropsOf(log.after(7)[0]!)
  log.erase(one!)
  t.same(whole(log), [2, 3, 5, 7, 8])
  t.same(
    log.after(0).map((batch) => batch.chain),
    chain,
  )
  log.erase(one!)
  t.same(whole(log), [2, 3, 5, 7, 8], 'erased again: the same')
  log.erase({ index: 9, mailbox: 'bob', indices: [2], through: 0 })
  t.same(whole(log), [3, 5, 7, 8], 'a later DROP leaves what an earlier one erased')
  t.end()
})

t.test('the end of an account erases all its messages before, and those only', (t) => {
  const log = logOf(
    [message('bob'), message('alice')],
    [message('bob'), closed('bob'), message('bob')],
    [message('bob')],
  )
  const [end] = dropsOf(log.after(2)[0]!)
  t.same(end, { index: 4, mailbox: 'bob', indices: null, through: 3 })
  log.erase(end!)
  t.same(whole(log), [2, 5, 6])
  t.end()
})

t.test('a batch is searched for DROPs among entries of other kinds', (t) => {
  const log = logOf([message('bob'), drop('bob', 1), note, drop('alice', 1), closed('bob')], [note])
  const [mixed, other] = log.after(0) as [Batch, Batch]
  t.same(
    dropsOf(mixed).map(({ index }) => index),
    [2, 4, 5],
  )
  t.same(dropsOf(other), [])
  const [own, foreign] = dropsOf(mixed) as [Drop, Drop]
  t.equal(erase(foreign, mixed), mixed, 'of another mailbox')
  t.not(erase(own, mixed), mixed, 'a message of its own order')
  t.end()
})

const durable = (log: LogTail, last: number): void =>
  log.durableThrough({ last, chain: log.placeAt(last)!.chain })

t.test('a DROP is taken out once, when it is committed and in the file', (t) => {
  const log = logOf([message('bob')], [drop('bob', 1)], [note, drop('bob', 1)], [note])
  const taken = (): number[] => log.takeDrops().map(({ index }) => index)
  durable(log, 5)
  t.same(taken(), [], 'not committed')
  durable(log, 2)
  log.commitThrough(4)
  t.same(taken(), [2], 'the second is not in the file')
  t.same(taken(), [])
  durable(log, 5)
  t.same(taken(), [4])
  t.end()
})

t.test(
  'a DROP that a failed write takes back is carried out only when it is in the log again',
  (t) => {
    const log = logOf([message('bob')], [note, drop('bob', 1)])
    const [, batch] = log.after(0)
    durable(log, 1)
    log.commitThrough(3)
    log.resetTo(log.placeAt(1)!)
    durable(log, 1)
    t.same(log.takeDrops(), [])
    log.append([batch!])
    durable(log, 3)
    t.same(log.takeDrops(), [], 'not committed again')
    log.commitThrough(3)
    t.equal(log.takeDrops().length, 1)
    t.end()
  },
)
