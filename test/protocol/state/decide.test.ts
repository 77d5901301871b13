import { NONE } from '../../../protocol/state/decision.js'
import t, { type Test } from 'tap'
import { ERRORS, type ErrorName } from '../../../protocol/errors.js'
import { KIND, encodeMeta } from '../../../protocol/entries/entry.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { decodeAccount } from '../../../protocol/state/account.js'
import { decodeNote } from '../../../protocol/entries/note.js'
import { decide, type Command } from '../../../protocol/state/commands/registry.js'
import type { Draft } from '../../../protocol/entries/entry.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Overlay } from '../../../protocol/state/overlay.js'
import { KEPT_ANSWERS } from '../../../protocol/state/answer-ring.js'
import { STREAM, change, context, closeStream, open, register, remove, send } from './orders.js'

/** Decides commands in sequence, each on the state that the ones before it left. */
class Course {
  readonly ledger = new Overlay(new Ledger())
  #k = 0

  do(command: Command, change: Parameters<typeof context>[0] = {}): Draft {
    const k = ++this.#k
    const draft = decide(this.ledger, command, context({ k, ...change }), 0)
    this.ledger.apply(draft, k, 1_000)
    return draft
  }

  /** A course with alice, who has a stream, and bob. */
  static begun(): Course {
    const course = new Course()
    for (const command of [register('alice'), register('bob'), open('alice')]) course.do(command)
    return course
  }
}

/** The decision is a no-op with this code and value. */
function isNoop(t: Test, { meta, body }: Draft, code: number, value = 0): void {
  t.equal(meta.kind, KIND.noop)
  t.same(decodeNote(body), { code, value })
}

const code = (name: ErrorName): number => ERRORS[name].code

t.test('REGISTER makes an account with its secrets and token, once for each name', (t) => {
  const course = new Course()
  const { meta, body } = course.do(register('alice', 1))
  t.match(meta, { kind: KIND.account, mailbox: 'alice', answer: 0 })
  t.match(decodeAccount('alice', body).secrets, { cost: { logN: 1, r: 1, p: 1 } })
  isNoop(t, course.do(register('alice', 1)), 0)
  isNoop(t, course.do(register('alice', 2)), code('NAME_TAKEN'))
  t.end()
})

t.test('keys that cannot be read never get into the log', (t) => {
  const course = Course.begun()
  const publicKey = new Uint8Array(0)
  isNoop(t, course.do({ ...register('carol'), publicKey } as Command), code('BAD_KEYS'))
  isNoop(t, course.do({ ...change('alice', 1, 7), publicKey } as Command), code('BAD_KEYS'))
  t.match(course.do(register('carol')).meta, { kind: KIND.account })
  t.end()
})

t.test('the first of two changes from the same version of an account wins', (t) => {
  const course = Course.begun()
  const { meta, body } = course.do(change('alice', 1, 7))
  t.match(meta, { kind: KIND.account, mailbox: 'alice', answer: 0 })
  const changed = decodeAccount('alice', body)
  t.match(changed, { version: 2, token: Buffer.alloc(16, 1), changeToken: Buffer.alloc(16, 7) })
  t.ok(sameBytes(changed.secrets.verifierHash, new Uint8Array(32).fill(7)))
  isNoop(t, course.do(change('alice', 1, 8)), code('ACCOUNT_CHANGED'))
  isNoop(t, course.do(change('alice', 1, 7)), 0)
  t.match(course.do(change('alice', 2, 9)).meta, { kind: KIND.account })
  isNoop(t, course.do(change('nobody', 1, 1)), code('NO_SUCH_USER'))
  isNoop(t, course.do(register('alice', 1)), 0)
  t.end()
})

t.test('a send after a key change, even in the same order, is sealed for the new key', (t) => {
  const course = Course.begun()
  const kidOf = ({ shared }: Draft): string =>
    /"kid":"([^"]*)"/.exec(Buffer.from(shared!).toString('utf8'))![1]!
  t.equal(kidOf(course.do(send(1, 'olá'))), 'key of bob')
  const { body } = course.do(change('bob', 1, 7, 'bob, the second'))
  t.equal(kidOf(course.do(send(2, 'olá'))), 'key of bob, the second')
  const { older } = decodeAccount('bob', body).secrets
  t.same(
    older.map(({ publicKey }) => Buffer.from(publicKey).toString()),
    ['key of bob'],
  )
  t.end()
})

t.test('an account entry from before accounts could be changed is read', (t) => {
  const { body } = new Course().do(register('alice', 3))
  const {
    version: _v,
    changeToken: _c,
    older: _o,
    ...before
  } = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, unknown>
  const account = decodeAccount('alice', Buffer.from(JSON.stringify(before)))
  t.match(account, { version: 1, changeToken: Buffer.alloc(0), secrets: { older: [] } })
  t.end()
})

t.test('a deletion names the mailbox of its user, and the indices', (t) => {
  const course = Course.begun()
  const { meta, body } = course.do(remove('bob', [7, 9]))
  t.match(meta, { kind: KIND.drop, mailbox: 'bob', answer: 0, seq: 0 })
  t.same(JSON.parse(Buffer.from(body).toString('utf8')), [7, 9])
  isNoop(t, course.do(remove('bob', [7]), { diverged: true }), code('DIVERGED'))
  t.end()
})

t.test('a stream belongs to the user that opened it', (t) => {
  const course = Course.begun()
  isNoop(t, course.do(send(1, 'olá', 'alice', 'bob')), code('NO_SUCH_STREAM'))
  isNoop(t, course.do(closeStream('bob')), code('NO_SUCH_STREAM'))
  t.end()
})

t.test('a send is one message entry in the mailbox of its recipient', (t) => {
  const { meta } = Course.begun().do(send(1, 'olá'))
  t.match(meta, { kind: KIND.message, mailbox: 'bob', seq: 1, answer: 0 })
  t.ok(sameBytes(meta.stream, STREAM))
  t.equal(meta.digest.length, 32)
  t.end()
})

t.test('a refusal consumes its seq; OUT_OF_ORDER and CONFLICT do not', (t) => {
  const course = Course.begun()
  isNoop(t, course.do(send(2, 'olá')), code('OUT_OF_ORDER'), 1)
  const refused = course.do(send(1, 'olá', 'nobody')).meta
  t.match(refused, { kind: KIND.refusal, answer: code('NO_SUCH_USER'), seq: 1, mailbox: 'nobody' })
  isNoop(t, course.do(send(3, 'olá')), code('OUT_OF_ORDER'), 2)
  t.match(course.do(send(2, 'olá')).meta, { kind: KIND.message, seq: 2 })
  t.end()
})

t.test('C5: a known seq: the same request points at its answer, another is a conflict', (t) => {
  const course = Course.begun()
  course.do(send(1, 'olá'))
  isNoop(t, course.do(send(1, 'olá')), 0, 1)
  isNoop(t, course.do(send(1, 'adeus')), code('CONFLICT'), 1)
  isNoop(t, course.do(send(1, 'olá', 'alice')), code('CONFLICT'), 1)
  course.do(send(2, 'olá', 'nobody'))
  isNoop(t, course.do(send(2, 'olá', 'nobody')), 0, 2)
  t.end()
})

t.test('the last answers are kept; an older seq is an old duplicate', (t) => {
  const course = Course.begun()
  const base = new Ledger()
  const log = [register('alice'), register('bob'), open('alice')]
  const sends = Array.from({ length: KEPT_ANSWERS + 1 }, (_, i) => send(i + 1, 'olá'))
  for (const [i, command] of [...log, ...sends].entries()) {
    const k = i + 1
    const { body, meta } = i < 3 ? decide(base, command, context({ k }), 0) : course.do(command)
    const place = { index: i + 1, term: 1, k: i + 1, place: 0, time: 5 }
    base.apply({ ...place, meta, body: body, bodyBytes: body.length, shared: NONE })
  }
  isNoop(t, decide(base, send(1, 'olá'), context({ k: 999 }), 0), code('OLD_DUPLICATE'), 1)
  isNoop(t, decide(base, send(2, 'olá'), context(), 0), 0, 2)
  isNoop(t, decide(base, send(999, 'olá'), context(), 0), code('OUT_OF_ORDER'), KEPT_ANSWERS + 2)
  t.end()
})

t.test('DIVERGED: every command is refused, and a send still consumes its seq', (t) => {
  const course = Course.begun()
  const diverged = { diverged: true }
  isNoop(t, course.do(register('carol'), diverged), code('DIVERGED'))
  isNoop(t, course.do(open('bob', 2), diverged), code('DIVERGED'))
  isNoop(t, course.do(change('bob', 1, 7), diverged), code('DIVERGED'))
  const { meta } = course.do(send(1, 'olá'), diverged)
  t.match(meta, { kind: KIND.refusal, answer: code('DIVERGED'), seq: 1 })
  t.match(course.do(send(2, 'olá')).meta, { kind: KIND.message, seq: 2 })
  t.end()
})

t.test('equal state, command and context make equal bytes; each of the three matters', (t) => {
  const bytes = (command: Command, change = {}, place = 0): string => {
    const { ledger } = Course.begun()
    const { meta, body } = decide(ledger, command, context(change), place)
    return Buffer.concat([encodeMeta(meta), body]).toString('hex')
  }
  const first = bytes(send(1, 'olá'))
  t.equal(bytes(send(1, 'olá')), first)
  t.not(bytes(send(1, 'olà')), first)
  t.not(bytes(send(1, 'olá'), { time: 1_001 }), first)
  t.not(bytes(send(1, 'olá'), { k: 2 }), first)
  t.not(bytes(send(1, 'olá'), { keySeed: new Uint8Array(32) }), first)
  t.not(bytes(send(1, 'olá'), {}, 1), first)
  t.end()
})
