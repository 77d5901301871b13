// The messages that a DROP names and erases, and when the log may erase them.

import t from 'tap'
import { decodeDrop, drops, encodeDrop } from '../../../protocol/entries/drop.js'
import {
  KIND,
  encodeMeta,
  plainMeta,
  withChain,
  type Draft,
  type Entry,
} from '../../../protocol/entries/entry.js'
import { LogTail } from '../../../protocol/persistence/tail.js'

const NONE = new Uint8Array(0)

function message(mailbox: string): Draft {
  const stream = new Uint8Array(16)
  const digest = new Uint8Array(32)
  const meta = encodeMeta({ kind: KIND.message, answer: 0, mailbox, stream, seq: 1, digest })
  return { meta, body: Buffer.from(`to ${mailbox}`) }
}

const drop = (mailbox: string, ...indices: number[]): Draft => ({
  meta: plainMeta(KIND.drop, 0, mailbox),
  body: encodeDrop(indices),
})

function logOf(...drafts: Draft[]): LogTail {
  const log = LogTail.empty()
  for (const [i, draft] of drafts.entries()) {
    const at = { index: i + 1, epoch: { counter: 1, slot: 1 }, lamport: i + 1, time: 1_000 }
    log.append([withChain(log.chain, { ...draft, ...at, term: 0, k: 0, part: 1, parts: 1 })])
  }
  return log
}

const at = (log: LogTail, index: number): Entry => log.at(index)!

t.test('only earlier messages of the own mailbox are erased', (t) => {
  const log = logOf(message('bob'), message('alice'), drop('bob', 1, 2, 3, 4, 5), message('bob'))
  const one = decodeDrop(at(log, 3))
  t.same(one, { index: 3, mailbox: 'bob', indices: [1, 2] }, 'what comes later is not meant')
  t.same(
    log.after(0).map((entry) => drops(one, entry)),
    [true, false, false, false],
  )
  log.erase(one)
  t.same(
    log.after(0).map(({ body }) => body.length > 0),
    [false, true, true, true],
  )
  t.throws(() => decodeDrop(at(log, 2)))
  t.end()
})

t.test('a DROP is taken out once, when it is committed and in the file', (t) => {
  const log = logOf(message('bob'), drop('bob', 1), drop('bob', 1), {
    meta: plainMeta(KIND.noop),
    body: NONE,
  })
  const taken = (): number[] => log.takeDrops().map(({ index }) => index)
  log.durableThrough({ last: 4, chain: log.placeAt(4)!.chain })
  t.same(taken(), [], 'not committed')
  log.durableThrough({ last: 2, chain: log.placeAt(2)!.chain })
  log.commitThrough(3)
  t.same(taken(), [2], 'the second is not in the file')
  t.same(taken(), [])
  log.durableThrough({ last: 4, chain: log.placeAt(4)!.chain })
  t.same(taken(), [3])
  t.end()
})

t.test(
  'a DROP that a failed write takes back is carried out only when it is in the log again',
  (t) => {
    const log = logOf(message('bob'), drop('bob', 1))
    const [, entry] = log.after(0)
    log.durableThrough({ last: 1, chain: log.placeAt(1)!.chain })
    log.commitThrough(2)
    log.resetTo({ index: 1, chain: at(log, 1).chain })
    log.durableThrough({ last: 1, chain: log.placeAt(1)!.chain })
    t.same(log.takeDrops(), [])
    log.append([entry!])
    log.durableThrough({ last: 2, chain: log.placeAt(2)!.chain })
    t.same(log.takeDrops(), [], 'not committed again')
    log.commitThrough(2)
    t.equal(log.takeDrops().length, 1)
    t.end()
  },
)
