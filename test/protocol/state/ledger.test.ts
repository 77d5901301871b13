import t from 'tap'
import { ERRORS } from '../../../protocol/errors.js'
import { entriesOf, packDrafts, withChain } from '../../../protocol/entries/batch.js'
import { KIND, plainMeta, type Draft, type Kind } from '../../../protocol/entries/entry.js'
import { encodeMarks } from '../../../protocol/entries/marks.js'
import { ANSWER_BYTES } from '../../../protocol/state/answer-ring.js'
import { decide, type Command } from '../../../protocol/state/commands/registry.js'
import { KEPT_SENDS } from '../../../protocol/state/sent-index.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Overlay } from '../../../protocol/state/overlay.js'
import { idOf } from '../../../protocol/bytes.js'
import { encodeTerm } from '../../../protocol/entries/fence.js'
import { STREAM, context, closeStream, open, register, send } from './orders.js'

/** The third order of each course opens it. */
const ID = idOf(STREAM)

interface Executed {
  readonly draft: Draft
  readonly k: number
}

/** The committed log and an overlay ahead of it; each command is an order by itself. */
class Ahead {
  readonly base = new Ledger()
  readonly overlay = new Overlay(this.base)
  #k = 0

  constructor() {
    const body = encodeTerm({ slot: 1, boot: 'boot', nonce: 'nonce' })
    this.#log(1, 0, [{ meta: plainMeta(KIND.term), body }])
  }

  /** Applies a batch of these drafts. */
  #log(term: number, k: number, drafts: readonly Draft[]): void {
    const first = this.base.index + 1
    const at = { first, epoch: { counter: 1, slot: 1 }, lamport: first, time: 1_000 + first }
    const batch = withChain(new Uint8Array(32), { ...at, term, k, ...packDrafts(drafts) })
    for (const entry of entriesOf(batch)) this.base.apply(entry)
    this.base.applied(batch)
  }

  execute(command: Command): Executed {
    const k = ++this.#k
    const draft = decide(this.overlay, command, context({ k }), 0)
    this.overlay.apply(draft, k, 1_000 + this.base.index)
    return { draft, k }
  }

  commit({ draft, k }: Executed): void {
    this.#log(1, k, [draft])
    this.overlay.settle(draft.meta)
    this.overlay.settled(k)
  }

  /** Commits an entry with the marks of these users. */
  marks(...marks: [user: string, delivered: number, read: number][]): void {
    const body = encodeMarks(marks.map(([user, delivered, read]) => [user, { delivered, read }]))
    this.entry(KIND.marks, body)
  }

  entry(kind: Kind, body: Uint8Array): void {
    this.#log(0, 0, [{ meta: plainMeta(kind), body }])
  }
}

t.test('the overlay is read before the committed log', (t) => {
  const ahead = new Ahead()
  for (const name of ['alice', 'bob']) ahead.execute(register(name))
  ahead.execute(open('alice'))
  t.equal(ahead.overlay.account('alice')?.name, 'alice')
  t.match(ahead.overlay.stream(ID), { owner: 'alice', next: 1 })
  t.equal(ahead.base.account('alice'), undefined, 'nothing of it is committed')
  t.equal(ahead.base.stream(ID), undefined)
  t.end()
})

t.test('a committed value is read from the ledger, and equals the one in the overlay', (t) => {
  const ahead = new Ahead()
  const begin = [register('alice'), register('bob'), open('alice')]
  const course = [...begin, send(1, 'a', 'alice'), send(2, 'b', 'alice')]
  const executed = course.map((command) => ahead.execute(command))
  t.equal(ahead.overlay.answered(ID, 1)?.index, 0, 'ahead of the log it has no index')
  for (const one of executed) {
    ahead.commit(one)
    t.equal(ahead.overlay.stream(ID)?.next, 3, `order ${one.k} is committed`)
  }
  t.equal(ahead.overlay.answered(ID, 1)?.index, 5)
  t.equal(ahead.overlay.account('alice'), ahead.base.account('alice'))
  t.equal(ahead.overlay.stream(ID), ahead.base.stream(ID), 'nothing is left in the overlay')
  t.end()
})

t.test('a stream closed in the overlay is closed by the commit too, and keeps no answers', (t) => {
  const ahead = new Ahead()
  const begin = [register('alice'), register('bob'), open('alice')]
  const course = [...begin, send(1, 'a', 'alice'), closeStream('alice')]
  const executed = course.map((command) => ahead.execute(command))
  t.equal(ahead.overlay.stream(ID), undefined)
  t.same(ahead.overlay.endedStream('alice', ID), { number: 1, next: 2 })
  t.equal(ahead.base.streams.size, 0)
  for (const one of executed.slice(0, 4)) ahead.commit(one)
  t.match(ahead.base.stream(ID), { next: 2 })
  t.equal(ahead.overlay.stream(ID), undefined, 'the end is still ahead')
  t.equal(ahead.base.streams.size, 1)
  ahead.commit(executed[4]!)
  t.equal(ahead.base.stream(ID), undefined)
  t.same(ahead.base.endedStream('alice', ID), { number: 1, next: 2 })
  t.equal(ahead.base.streams.size, 0)
  t.equal(ahead.base.answered(ID, 1), undefined)
  t.equal(ahead.overlay.size, 0, 'nothing is left in the overlay')
  t.end()
})

t.test('the commit of an order does not take back what a later order wrote', (t) => {
  const ahead = new Ahead()
  const begin = [register('alice'), register('bob'), open('alice')]
  for (const command of begin) ahead.commit(ahead.execute(command))
  const first = ahead.execute(send(1, 'a', 'alice'))
  const second = ahead.execute(send(2, 'b', 'alice'))
  ahead.commit(first)
  t.equal(ahead.base.stream(ID)?.next, 2)
  t.equal(ahead.overlay.stream(ID)?.next, 3)
  t.ok(ahead.overlay.answered(ID, 2), 'the second is still only in the overlay')
  const third = ahead.execute(send(3, 'c', 'alice'))
  t.equal(third.draft.meta.kind, KIND.message)
  ahead.commit(second)
  ahead.commit(third)
  t.equal(ahead.overlay.stream(ID), ahead.base.stream(ID))
  t.end()
})

t.test('the last order that is applied, of the newest term', (t) => {
  const ahead = new Ahead()
  t.equal(ahead.base.committedOrder(1), 0)
  ahead.commit(ahead.execute(register('alice')))
  t.equal(ahead.base.committedOrder(1), 1)
  ahead.marks(['alice', 1, 1])
  t.equal(ahead.base.committedOrder(1), 1, 'marks are no order')
  t.equal(ahead.base.committedOrder(2), 0, 'no other term has one')
  t.end()
})

t.test('the higher mark wins; the time of marks does not advance the time of execution', (t) => {
  const ahead = new Ahead()
  const { time } = ahead.base
  ahead.marks(['alice', 7, 4], ['bob', 2, 2])
  ahead.marks(['alice', 5, 6], ['bob', 0, 3])
  t.same(ahead.base.marks.of('alice'), { delivered: 7, read: 6 })
  t.same(
    ahead.base.marks.of('bob'),
    { delivered: 3, read: 3 },
    'a read message counts as delivered',
  )
  t.same(ahead.base.marks.of('carol'), { delivered: 0, read: 0 })
  t.equal(ahead.base.time, time)
  t.equal(ahead.base.index, 3)
  t.equal(ahead.base.termIndex, 1)
  t.end()
})

t.test('marks of an older version hold the read mark only', (t) => {
  const ahead = new Ahead()
  ahead.entry(KIND.marks, Buffer.from('[["alice",7]]'))
  t.same(ahead.base.marks.of('alice'), { delivered: 7, read: 7 })
  t.end()
})

t.test('the index of sends is newest first, over all streams, with refusals, and bounded', (t) => {
  const ahead = new Ahead()
  const course = [register('alice'), register('bob'), open('alice')]
  for (const command of course) ahead.commit(ahead.execute(command))
  for (let seq = 1; seq <= 2 * KEPT_SENDS + 10; seq++) {
    ahead.commit(ahead.execute(send(seq, 'a', seq % 2 === 0 ? 'bob' : 'nobody')))
  }
  const { sent, index } = ahead.base
  const [last, before] = sent.newest('alice', 2, null)
  t.match(last, { to: 'bob', index, seq: 2 * KEPT_SENDS + 10, code: 0 })
  t.match(before, { to: 'nobody', index: index - 1, code: ERRORS.NO_SUCH_USER.code })
  t.equal(sent.newest('alice', 1e6, null).length, KEPT_SENDS)
  t.match(sent.newest('alice', 1, 'nobody'), [{ index: index - 1 }])
  t.same(sent.newest('bob', 10, null), [], 'a user sees no sends of others')
  const stored = sent.storedAt('alice', [index, index - 1, 1])
  t.same(
    stored.map((one) => one.index),
    [index],
    'only sends that are stored, and kept',
  )
  t.equal(last?.stream.buffer.byteLength, 16, 'no view on a frame')
  t.end()
})

t.test('a stored digest is no view on a frame', (t) => {
  const ahead = new Ahead()
  const begin = [register('alice'), register('bob'), open('alice')]
  for (const command of begin) ahead.commit(ahead.execute(command))
  ahead.commit(ahead.execute(send(1, 'a', 'alice')))
  const { digest } = ahead.base.answered(ID, 1)!
  t.equal(digest.length, 32)
  t.equal(digest.buffer.byteLength, 4 * ANSWER_BYTES, 'but one on the ring of a short stream')
  t.equal(ahead.base.stream(ID)!.token.buffer.byteLength, 16)
  t.end()
})
