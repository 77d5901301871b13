import t, { type Test } from 'tap'
import { ERRORS, type ErrorName } from '../../../protocol/errors.js'
import { KIND } from '../../../protocol/entries/entry.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { decodeAccount } from '../../../protocol/state/account.js'
import { decodeNote } from '../../../protocol/entries/note.js'
import { decide, type Command } from '../../../protocol/state/commands/registry.js'
import type { Draft } from '../../../protocol/entries/entry.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Overlay } from '../../../protocol/state/overlay.js'
import {
  change,
  changeHeld,
  context,
  open,
  register,
  registerHeld,
  send,
  sendSealed,
} from './orders.js'

const code = (name: ErrorName): number => ERRORS[name].code

/** The accounts of alice and bob are client-held, carol's is not; alice has a stream. */
class Course {
  readonly ledger = new Overlay(new Ledger())
  #k = 0

  constructor() {
    const people = [registerHeld('alice'), registerHeld('bob')]
    for (const command of [...people, open('alice'), register('carol')]) this.do(command)
  }

  do(command: Command): Draft {
    const k = ++this.#k
    const draft = decide(this.ledger, command, context({ k }), 0)
    this.ledger.apply(draft, k, 1_000)
    return draft
  }
}

/** The refusal consumes the seq. */
function isRefused(t: Test, { meta }: Draft, name: ErrorName, seq = 1): void {
  t.match(meta, { kind: KIND.refusal, answer: code(name), seq }, name)
}

t.test('a sealed message is stored as it came', (t) => {
  const course = new Course()
  const command = sendSealed(1)
  const { meta, body } = course.do(command)
  t.match(meta, { kind: KIND.message, answer: 0, mailbox: 'bob', seq: 1 })
  t.ok(command.kind === 'send-sealed' && sameBytes(body, command.sealed))
  t.end()
})

t.test('plain text for a client-held account is refused, and never stored', (t) => {
  const refused = new Course().do(send(1, 'a secret'))
  isRefused(t, refused, 'CLIENT_HELD')
  t.equal(refused.body.length, 0)
  t.end()
})

t.test('a sealed message for, or by, an account that is not client-held is refused', (t) => {
  isRefused(t, new Course().do(sendSealed(1, {}, 'carol')), 'NOT_CLIENT_HELD')
  isRefused(t, new Course().do(sendSealed(1, {}, 'nobody')), 'NO_SUCH_USER')
  const course = new Course()
  const { stream } = course.do(open('carol')).meta
  const command = sendSealed(1, {}, 'bob', 'carol', stream)
  isRefused(t, course.do(command), 'NOT_CLIENT_HELD')
  t.match(
    course.do(send(1, 'olá', 'carol')).meta,
    { kind: KIND.message },
    'a plain send is accepted',
  )
  t.end()
})

t.test('an envelope for another place is refused', (t) => {
  const wrong = [
    { sender: 'bob' },
    { recipient: 'carol' },
    { seq: 2 },
    { stream: new Uint8Array(16) },
    { kid: 'key of alice' },
    { signer: 'signer of bob' },
    { signer: null },
  ]
  for (const header of wrong) {
    isRefused(t, new Course().do(sendSealed(1, header)), 'BAD_ENVELOPE')
  }
  const junk = { ...sendSealed(1), sealed: Buffer.from('no envelope') } as Command
  isRefused(t, new Course().do(junk), 'BAD_ENVELOPE')
  t.end()
})

t.test('older keys count: messages sealed before a rotation are stored', (t) => {
  const course = new Course()
  for (const user of ['alice', 'bob']) course.do(changeHeld(user, 1, 7, `${user}, anew`))
  t.match(course.do(sendSealed(1)).meta, { kind: KIND.message })
  const newest = { kid: 'key of bob, anew', signer: 'signer of alice, anew' }
  t.match(course.do(sendSealed(2, newest)).meta, { kind: KIND.message })
  t.end()
})

t.test('C5: the same bytes are the same request; other bytes with its seq are a conflict', (t) => {
  const course = new Course()
  course.do(sendSealed(1))
  const again = course.do(sendSealed(1))
  t.same([again.meta.kind, decodeNote(again.body)], [KIND.noop, { code: 0, value: 1 }])
  for (const other of [sendSealed(1, { time: 5 }), send(1, 'olá')]) {
    const { code: answer } = decodeNote(course.do(other).body)
    t.equal(answer, code('CONFLICT'))
  }
  t.end()
})

t.test('an account stays client-held, or not, for ever', (t) => {
  const course = new Course()
  for (const command of [change('alice', 1, 7), changeHeld('carol', 1, 7, 'carol')]) {
    const { meta, body } = course.do(command)
    t.same([meta.kind, decodeNote(body).code], [KIND.noop, code('BAD_KEYS')])
  }
  t.end()
})

t.test(
  'a client-held account is read as it was written; so is an account of an older version',
  (t) => {
    const course = new Course()
    const { body } = course.do(changeHeld('alice', 1, 7, 'alice, anew'))
    const { secrets } = decodeAccount('alice', body)
    t.equal(Buffer.from(secrets.signing!.publicKey).toString(), 'signer of alice, anew')
    t.equal(Buffer.from(secrets.older[0]!.signing!.ownSignature).toString(), 'signed by alice')
    // The entry, byte for byte, of a version without client-held accounts.
    const before =
      '{"token":"AQEBAQEBAQEBAQEBAQEBAQ","version":1,"changeToken":"","salt":"AAAAAAAAAAAAAAAAAAAAAA",' +
      '"cost":[1,1,1],"verifierHash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",' +
      '"publicKey":"a2V5IG9mIGNhcm9s","wrappedKey":"d3JhcHBlZA","older":[]}'
    t.equal(decodeAccount('carol', Buffer.from(before)).secrets.signing, null)
    t.equal(
      Buffer.from(course.do(register('dave')).body).toString(),
      before.replace('a2V5IG9mIGNhcm9s', 'a2V5IG9mIGRhdmU'),
      'other accounts are still written like this',
    )
    t.end()
  },
)
