// Streams open, end and are bounded. Each course is decided twice: on an overlay that holds all of it,
// and on the committed log that it would become. Both must be equal (C2).

import t, { type Test } from 'tap'
import { idOf } from '../../../protocol/bytes.js'
import { ERRORS, type ErrorName } from '../../../protocol/errors.js'
import { KIND, type Draft } from '../../../protocol/entries/entry.js'
import { decodeNote } from '../../../protocol/entries/note.js'
import { decodeEnds } from '../../../protocol/state/commands/end-idle-streams.js'
import { decodeOpening } from '../../../protocol/state/commands/open-stream.js'
import { decide, type Command } from '../../../protocol/state/commands/registry.js'
import { NONE } from '../../../protocol/state/decision.js'
import { KEPT_ENDS } from '../../../protocol/state/ended-streams.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Overlay } from '../../../protocol/state/overlay.js'
import { isYetToCome, streamIdAt } from '../../../protocol/state/stream-id.js'
import { close, closeStream, context, endIdle, open, register, send, streamAt } from './orders.js'

const code = (name: ErrorName): number => ERRORS[name].code

class Course {
  readonly committed = new Ledger()
  readonly #base = new Ledger()
  readonly #overlay = new Overlay(this.#base)
  readonly #t: Test
  k = 0
  time = 1_000

  constructor(t: Test, ...begin: Command[]) {
    this.#t = t
    for (const command of begin) this.do(command)
  }

  do(command: Command): Draft {
    const k = ++this.k
    const at = context({ k, time: this.time })
    const draft = decide(this.#overlay, command, at, 0)
    const other = decide(new Overlay(this.committed), command, at, 0)
    this.#t.same(other, draft, 'C2: the same ahead of the log and behind it')
    this.#overlay.apply(draft, k, this.time)
    this.#commit(draft, k)
    return draft
  }

  #commit({ meta, body }: Draft, k: number): void {
    const place = { index: k, term: 1, k, place: 0, time: this.time }
    this.committed.apply({ ...place, meta, body, bodyBytes: body.length, shared: NONE })
  }

  /** Opens a stream; its id, and the streams that end for it. */
  open(user: string, token: number, most?: number): [id: Uint8Array, ends: readonly Uint8Array[]] {
    const { meta, body } = this.do(open(user, token, most))
    this.#t.equal(meta.kind, KIND.stream)
    return [meta.stream, decodeOpening(body).ends]
  }

  refused(command: Command, name: ErrorName, value = 0): void {
    const { meta, body } = this.do(command)
    this.#t.equal(meta.kind, KIND.noop)
    this.#t.same(decodeNote(body), { code: code(name), value }, name)
  }

  /** Nothing is left to do. */
  nothing(command: Command): void {
    const { meta, body } = this.do(command)
    this.#t.equal(meta.kind, KIND.noop)
    this.#t.same(decodeNote(body), { code: 0, value: 0 })
  }

  stored(command: Command): void {
    this.#t.equal(this.do(command).meta.kind, KIND.message)
  }
}

const begun = (t: Test): Course => new Course(t, register('alice'), register('bob'))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

t.test('the id of a stream is its place in the order', (t) => {
  const course = begun(t)
  const [first] = course.open('alice', 1)
  t.equal(hex(first), hex(streamIdAt({ term: 1, k: 3 }, 0)))
  const [second] = course.open('alice', 2)
  t.ok(hex(second) > hex(first))
  course.nothing(open('alice', 1))
  t.equal(course.committed.streams.size, 2, 'a repeated request opens nothing')
  const [other] = course.open('bob', 1)
  t.not(hex(other), hex(first), "another user's token is another request")
  t.end()
})

t.test('ids of the past and of the future are told apart without a record', (t) => {
  const id = streamIdAt({ term: 3, k: 7 }, 2)
  for (const [term, k, command] of [
    [3, 7, 2],
    [3, 7, 1],
    [3, 6, 9],
    [2, 9, 9],
  ] as const)
    t.equal(isYetToCome(id, { term, k }, command), true, `${term}/${k}/${command}`)
  for (const [term, k, command] of [
    [3, 7, 3],
    [3, 8, 0],
    [4, 1, 0],
  ] as const)
    t.equal(isYetToCome(id, { term, k }, command), false, `${term}/${k}/${command}`)
  const chosen = new Uint8Array(16).fill(0xff)
  t.equal(isYetToCome(chosen, { term: 1, k: 1 }, 0), false, 'ids that clients chose count as given')
  t.end()
})

t.test('a closed stream refuses sends: not stored where its seq was never executed', (t) => {
  const course = begun(t)
  const [id] = course.open('alice', 1)
  const sending = (seq: number, user = 'alice') => send(seq, 'olá', 'bob', user, id)
  course.stored(sending(1))
  course.refused(closeStream('bob', id), 'NO_SUCH_STREAM')
  t.match(course.do(closeStream('alice', id)).meta, { kind: KIND.streamClosed, mailbox: 'alice' })
  course.nothing(closeStream('alice', id))
  for (const seq of [1, 2, 3]) course.refused(sending(seq), 'STREAM_CLOSED', 2)
  course.refused(sending(1, 'bob'), 'STREAM_CLOSED')
  const [again] = course.open('alice', 1)
  t.not(hex(again), hex(id), 'the token of an ended stream opens another one')
  t.end()
})

t.test('a stream that was never opened is told from one that has ended', (t) => {
  const course = begun(t)
  course.refused(send(1, 'olá', 'bob', 'alice', streamAt(99)), 'NO_SUCH_STREAM')
  course.refused(closeStream('alice', streamAt(99)), 'NO_SUCH_STREAM')
  // The service cannot know: it says that the message may be stored.
  course.refused(send(1, 'olá', 'bob', 'alice', new Uint8Array(16).fill(9)), 'STREAM_CLOSED')
  t.end()
})

t.test(`of each user the last ${KEPT_ENDS} ends are remembered`, (t) => {
  const course = begun(t)
  const ids = Array.from({ length: KEPT_ENDS + 3 }, (_, token) => {
    const [id] = course.open('alice', token)
    course.stored(send(1, 'olá', 'bob', 'alice', id))
    course.do(closeStream('alice', id))
    return id
  })
  const [theirs] = course.open('bob', 1)
  course.do(closeStream('bob', theirs))
  for (const [i, id] of ids.entries())
    course.refused(send(1, 'olá', 'bob', 'alice', id), 'STREAM_CLOSED', i < 3 ? 0 : 2)
  course.refused(send(1, 'olá', 'alice', 'bob', theirs), 'STREAM_CLOSED', 1)
  t.equal(course.committed.endsOf('alice'), KEPT_ENDS + 3)
  t.equal(course.committed.streams.size, 0)
  t.end()
})

t.test('one stream too many ends the one that has been idle for longest', (t) => {
  const course = begun(t)
  const [a] = course.open('alice', 1, 3)
  const [b] = course.open('alice', 2, 3)
  course.time = 2_000
  const [c] = course.open('alice', 3, 3)
  course.stored(send(1, 'olá', 'bob', 'alice', a))
  course.open('bob', 1, 3)
  const [d, ends] = course.open('alice', 4, 3)
  t.same(ends.map(hex), [hex(b)], 'a was used since')
  course.refused(send(1, 'olá', 'bob', 'alice', b), 'STREAM_CLOSED', 1)
  const [, next] = course.open('alice', 5, 3)
  t.same(next.map(hex), [hex(a)], 'of those used at one time the first one that was opened')
  const [, both] = course.open('alice', 6, 2)
  t.same(both.map(hex), [hex(c), hex(d)], 'the limit was lowered')
  t.equal(course.committed.streamsOf('alice').length, 2)
  t.equal(course.committed.streamsOf('bob').length, 1)
  t.end()
})

t.test('the coordinator ends streams that are idle, by the time of orders', (t) => {
  const course = begun(t)
  const [a] = course.open('alice', 1)
  const [b] = course.open('bob', 2)
  course.time = 5_000
  course.stored(send(1, 'olá', 'alice', 'bob', b))
  course.nothing(endIdle(999, a, b))
  const { meta, body } = course.do(endIdle(1_000, a, b, streamAt(77)))
  t.equal(meta.kind, KIND.streamsEnded)
  t.same(decodeEnds(body).map(hex), [hex(a)], 'the other one was used since')
  course.refused(send(1, 'olá', 'bob', 'alice', a), 'STREAM_CLOSED', 1)
  course.nothing(endIdle(1_000, a))
  course.nothing(endIdle(9_000, b))
  t.ok(course.committed.stream(idOf(b)), 'a stream in use stays, whatever the command says')
  t.end()
})

t.test('the streams of an account end with it, and nothing of them is kept', (t) => {
  const course = begun(t)
  const [a] = course.open('alice', 1)
  const [b] = course.open('alice', 2)
  course.do(closeStream('alice', b))
  course.do(close('alice', 1))
  for (const id of [a, b]) course.refused(send(1, 'olá', 'bob', 'alice', id), 'STREAM_CLOSED')
  course.refused(open('alice', 3), 'NO_SUCH_USER')
  const { streams } = course.committed
  t.same([streams.size, streams.endedSize, [...streams.keys()].length], [0, 0, 0])
  t.end()
})
