// Invitations, block lists and the end of an account. Each course is decided twice: on an overlay
// that holds all of it, and on the committed log that it would become. Both must be equal (C2).

import { NONE } from '../../../protocol/state/decision.js'
import t, { type Test } from 'tap'
import { ERRORS, type ErrorName } from '../../../protocol/errors.js'
import { KIND } from '../../../protocol/entries/entry.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { MAX_BLOCKED } from '../../../protocol/schema/shared.js'
import { decodeAccount } from '../../../protocol/state/account.js'
import { decodeInvitation } from '../../../protocol/state/invitation.js'
import { decodeNote } from '../../../protocol/entries/note.js'
import { decide, type Command } from '../../../protocol/state/commands/registry.js'
import type { Draft } from '../../../protocol/entries/entry.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Overlay } from '../../../protocol/state/overlay.js'
import {
  block,
  change,
  close,
  codeHash,
  context,
  invite,
  open,
  register,
  registerBy,
  registerUninvited,
  remove,
  send,
  streamAt,
} from './orders.js'

const code = (name: ErrorName): number => ERRORS[name].code

class Course {
  readonly #committed = new Ledger()
  readonly #overlay = new Overlay(new Ledger())
  readonly #t: Test
  #k = 0
  time = 1_000

  constructor(t: Test, ...begin: Command[]) {
    this.#t = t
    for (const command of begin) this.do(command)
  }

  do(command: Command, diverged = false): Draft {
    const k = ++this.#k
    const at = context({ k, time: this.time, diverged })
    const draft = decide(this.#overlay, command, at, 0)
    const other = decide(new Overlay(this.#committed), command, at, 0)
    this.#t.same(other, draft, 'C2: the same ahead of the log and behind it')
    const { meta, body } = draft
    this.#overlay.apply(draft, k, this.time)
    const place = { index: k, term: 1, k, place: 0, time: this.time }
    this.#committed.apply({
      ...place,
      meta,
      body,
      bodyBytes: body.length,
      shared: NONE,
    })
    return draft
  }

  /** Code of a no-op's note, or of a refused send's meta. */
  answer(command: Command): { code: number; value: number } {
    const { meta, body } = this.do(command)
    if (meta.kind === KIND.refusal) return { code: meta.answer, value: 0 }
    return meta.kind === KIND.noop ? decodeNote(body) : { code: 0, value: meta.kind }
  }

  refused(command: Command, name: ErrorName): void {
    this.#t.equal(this.answer(command).code, code(name), name)
  }

  done(command: Command, kind: number): void {
    this.#t.same(this.answer(command), { code: 0, value: kind })
  }
}

t.test('an invitation lets one account register, once', (t) => {
  const course = new Course(t, register('alice'))
  const { meta, body } = course.do(invite('alice', 1))
  t.match(meta, { kind: KIND.invitation, mailbox: 'alice', answer: 0 })
  t.match(decodeInvitation(body), { expires: 2_000 })
  t.ok(sameBytes(decodeInvitation(body).invitation, codeHash(1)))
  t.same(course.answer(invite('alice', 1)), { code: 0, value: 2_000 }, 'again: until when')
  course.refused(registerUninvited('bob'), 'INVITATION_NEEDED')
  course.refused(registerBy(9, 'bob'), 'BAD_INVITATION')
  course.refused(registerUninvited('alice', 2), 'INVITATION_NEEDED')
  course.refused(registerBy(9, 'alice'), 'BAD_INVITATION')
  course.refused(registerBy(1, 'alice', true, 2), 'NAME_TAKEN')
  const joined = course.do(registerBy(1, 'bob'))
  t.match(joined.meta, { kind: KIND.account, mailbox: 'bob' })
  t.ok(sameBytes(decodeAccount('bob', joined.body).invitation!, codeHash(1)))
  course.refused(registerBy(1, 'carol'), 'BAD_INVITATION')
  t.same(course.answer(registerBy(1, 'bob')), { code: 0, value: 0 }, 'the same registration')
  t.same(course.answer(invite('alice', 1)), { code: 0, value: 2_000 }, 'a late repetition')
  course.refused(registerBy(1, 'carol'), 'BAD_INVITATION')
  t.end()
})

t.test('the very first account needs no invitation; an invitation given must be open', (t) => {
  const course = new Course(t)
  course.refused(registerBy(1, 'alice'), 'BAD_INVITATION')
  course.done(registerUninvited('alice'), KIND.account)
  course.refused(registerUninvited('bob'), 'INVITATION_NEEDED')
  course.refused(registerBy(1, 'bob', false), 'BAD_INVITATION')
  course.done(close('alice', 1), KIND.closed)
  course.refused(registerUninvited('bob'), 'INVITATION_NEEDED')
  course.done(register('bob'), KIND.account)
  t.end()
})

t.test("an invitation expires by the order's time, and then another may be opened", (t) => {
  const course = new Course(t, register('alice'), invite('alice', 1), invite('alice', 2))
  course.refused(invite('alice', 3), 'TOO_MANY_INVITATIONS')
  course.done(registerBy(1, 'bob'), KIND.account)
  course.done(invite('alice', 3), KIND.invitation)
  course.refused(invite('alice', 4), 'TOO_MANY_INVITATIONS')
  course.time = 2_000
  course.refused(registerBy(2, 'carol'), 'BAD_INVITATION')
  course.done(invite('alice', 4), KIND.invitation)
  course.done(invite('bob', 2), KIND.invitation)
  course.done(registerBy(2, 'carol'), KIND.account)
  course.done(invite('alice', 1), KIND.invitation)
  course.refused(invite('alice', 5), 'TOO_MANY_INVITATIONS')
  course.refused(invite('nobody', 6), 'NO_SUCH_USER')
  t.end()
})

t.test('a blocked sender is refused, which consumes its seq', (t) => {
  const course = new Course(t, register('alice'), register('bob'), open('alice'))
  course.done(send(1, 'olá'), KIND.message)
  course.done(block('bob', 'alice'), KIND.block)
  course.refused(send(2, 'olá'), 'BLOCKED')
  t.same(course.answer(send(1, 'olá')), { code: 0, value: 1 }, 'what is stored is stored')
  t.same(course.answer(block('bob', 'alice')), { code: 0, value: 0 }, 'twice is once')
  course.done(send(3, 'to who blocks nobody', 'alice'), KIND.message)
  course.done(block('bob', 'alice', false), KIND.block)
  course.done(send(4, 'olá'), KIND.message)
  t.same(course.answer(block('bob', 'alice', false)), { code: 0, value: 0 })
  course.refused(block('bob', 'nobody'), 'NO_SUCH_USER')
  course.refused(block('nobody', 'bob'), 'NO_SUCH_USER')
  t.end()
})

t.test('a block list has a bounded number of names', (t) => {
  const names = Array.from({ length: MAX_BLOCKED }, (_, i) => `user${i}`)
  const course = new Course(t, ...['alice', 'bob', ...names].map((name) => register(name)))
  for (const name of names) course.do(block('alice', name))
  course.refused(block('alice', 'bob'), 'TOO_MANY_BLOCKED')
  course.do(block('alice', 'user7', false))
  course.done(block('alice', 'bob'), KIND.block)
  t.end()
})

t.test('after the end of an account its name has no account, and stays taken', (t) => {
  const course = new Course(t, register('alice'), register('bob', 2), open('alice'), open('bob'))
  course.do(invite('bob', 1))
  course.do(change('bob', 1, 7))
  course.refused(close('bob', 1), 'ACCOUNT_CHANGED')
  course.done(close('bob', 2, 5), KIND.closed)
  t.same(course.answer(close('bob', 2, 5)), { code: 0, value: 0 }, 'the same request')
  course.refused(close('bob', 2, 6), 'NO_SUCH_USER')
  course.refused(register('bob', 2), 'NAME_TAKEN')
  course.refused(register('bob', 3), 'NAME_TAKEN')
  course.refused(send(1, 'olá'), 'NO_SUCH_USER')
  course.refused(send(1, 'olá', 'alice', 'bob', streamAt(4)), 'STREAM_CLOSED')
  course.refused(open('bob'), 'NO_SUCH_USER')
  course.refused(registerBy(1, 'carol'), 'BAD_INVITATION')
  course.refused(change('bob', 2, 8), 'NO_SUCH_USER')
  course.refused(invite('bob', 2), 'NO_SUCH_USER')
  course.refused(block('bob', 'alice'), 'NO_SUCH_USER')
  course.refused(remove('bob', [1]), 'NO_SUCH_USER')
  t.end()
})

t.test('an order without a majority changes no account, invitation or block list', (t) => {
  const course = new Course(t, register('alice'))
  for (const command of [invite('alice', 1), block('alice', 'alice'), close('alice', 1)]) {
    const { meta, body } = course.do(command, true)
    t.same([meta.kind, decodeNote(body).code], [KIND.noop, code('DIVERGED')])
  }
  course.refused(registerBy(1, 'bob'), 'BAD_INVITATION')
  t.end()
})
