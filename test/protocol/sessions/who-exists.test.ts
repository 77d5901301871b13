// Answers that tell whether a name exists: each row of the table in docs/SECURITY.md, section "Who
// learns that a name exists". A request that must not tell is asked for a name that is taken, one
// whose account has ended and one that nobody ever had; answers, computations and messages between
// replicas must be the same.

import t, { type Test } from 'tap'
import type { ErrorName } from '../../../protocol/errors.js'
import type { Limits, Registration } from '../../../protocol/machine/config.js'
import {
  CLIENT_REQUESTS,
  isClientRequest,
  type MessageName,
} from '../../../protocol/messages/catalogue.js'
import { EXAMPLES } from '../../generate-messages.js'
import { PASSWORD, type Asked } from '../../scenarios/played.js'
import { Ring, isError } from '../../scenarios/ring.js'

const NAMES = ['alice', 'gone', 'nobody'] as const
/** Messages that a request may cause, besides those that come by themselves. */
const WORK: ReadonlySet<MessageName> = new Set(['TIP', 'READ', 'FORWARD', 'ORDER', 'APPEND'])
const CODE = new Uint8Array(16).fill(0xc0)

/**
 * Alice is registered and has invited with CODE; the account of `gone` has ended. The client is not
 * logged in, and what the replicas have counted is forgotten.
 */
class Town extends Ring {
  #tokens = 0xa0

  constructor(registration: Registration, limits: Partial<Limits> = {}) {
    super([1, 2, 3], limits)
    this.begin()
    this.mustBe(this.client.ask({ type: 'INVITE', code: CODE }), 'INVITED')
    this.mustBe(this.client.ask(this.registerAs('gone')), 'SESSION')
    const leave = { type: 'DELETE_ACCOUNT', name: 'gone', password: PASSWORD } as const
    this.mustBe(this.client.ask({ ...leave, token: new Uint8Array(16) }), 'ACCOUNT_DELETED')
    this.registration = registration
    this.restart()
  }

  mustBe({ type }: { type: string }, needed: string): void {
    if (type !== needed) throw new Error(`answered by ${type}, not ${needed}`)
  }

  registerAs(name: string, invitation: Uint8Array | null = null): Asked {
    const token = new Uint8Array(16).fill(++this.#tokens)
    return { type: 'REGISTER', name, password: PASSWORD, token, keys: null, invitation }
  }

  logIn(): this {
    const login = { type: 'LOGIN', name: 'alice', password: PASSWORD } as const
    this.mustBe(this.client.ask(login), 'SESSION')
    this.stage.run(200)
    return this
  }

  /** Everything that the asker and the replicas see of a request, but its numbers and its name. */
  course(asked: Asked): object {
    const [mark, jobs] = [this.stage.said.length, this.jobs.length]
    const answer = { ...this.client.ask(asked), request: 0 }
    // Rounded, since time passes from one question to the next.
    const wait = Math.round(('retryAfter' in answer ? (answer.retryAfter ?? 0) : 0) / 100)
    const sent = this.stage.said.slice(mark).map(({ message }) => message.type)
    const work = sent.filter((type) => WORK.has(type))
    const kinds = this.jobs.slice(jobs).map(({ kind }) => kind)
    return { answer: { ...answer, retryAfter: wait }, work, jobs: kinds }
  }

  kinds(asked: Asked): string[] {
    const jobs = this.jobs.length
    this.client.ask(asked)
    return this.jobs.slice(jobs).map(({ kind }) => kind)
  }
}

/** The courses of the same request for each of NAMES are one. */
function tellsNothing(t: Test, town: Town, asking: (name: string) => Asked, name: ErrorName): void {
  const [first, ...others] = NAMES.map((one) => town.course(asking(one)))
  t.match(first, { answer: isError(name) })
  for (const other of others) t.same(other, first)
}

// ---- without a log-in -------------------------------------------------------------------------

t.test('REGISTER where registration is closed: one answer for all names', (t) => {
  const town = new Town('closed')
  tellsNothing(t, town, (name) => town.registerAs(name), 'REGISTRATION_CLOSED')
  tellsNothing(t, town, (name) => town.registerAs(name, CODE), 'REGISTRATION_CLOSED')
  t.same(town.kinds(town.registerAs('alice')), [])
  t.end()
})

t.test('REGISTER by invitation: without an open code, one answer for all names', (t) => {
  const town = new Town('invitation')
  tellsNothing(t, town, (name) => town.registerAs(name), 'INVITATION_NEEDED')
  const wrong = new Uint8Array(16).fill(1)
  tellsNothing(t, town, (name) => town.registerAs(name, wrong), 'BAD_INVITATION')
  t.match(town.client.ask(town.registerAs('alice', CODE)), isError('NAME_TAKEN'))
  t.match(town.client.ask(town.registerAs('gone', CODE)), isError('NAME_TAKEN'))
  t.match(town.client.ask(town.registerAs('bob', CODE)), { type: 'SESSION', name: 'bob' })
  tellsNothing(t, town, (name) => town.registerAs(name, CODE), 'BAD_INVITATION')
  t.end()
})

t.test('REGISTER, open: a taken name counts as a registration and costs its hashing', (t) => {
  const town = new Town('open', { registrationsPerMinute: 3 })
  t.match(town.course(town.registerAs('alice')), {
    answer: isError('NAME_TAKEN'),
    jobs: ['hash-password'],
  })
  t.match(town.client.ask(town.registerAs('gone')), isError('NAME_TAKEN'))
  t.same(town.kinds(town.registerAs('bob')), ['create-account'])
  tellsNothing(t, town, (name) => town.registerAs(name), 'TOO_MANY_REGISTRATIONS')
  t.end()
})

t.test('a repeated REGISTER is answered in every mode, and only to its password', (t) => {
  for (const registration of ['open', 'invitation', 'closed'] as const) {
    const town = new Town(registration)
    // The token of PlayedClient.register.
    const token = new Uint8Array(16).fill('alice'.length)
    const again = { ...town.registerAs('alice'), token } as Asked
    t.match(town.client.ask(again), { type: 'SESSION', name: 'alice' })
    const guess = { ...again, password: 'wrong password' } as Asked
    t.match(town.client.ask(guess), isError('BAD_CREDENTIALS'))
  }
  t.end()
})

t.test('LOGIN: one answer for all names, for the same work, and the same wait', (t) => {
  const town = new Town('open', { wrongPasswords: 2 })
  const asking = (name: string): Asked => ({ type: 'LOGIN', name, password: 'wrong password' })
  t.same(town.kinds(asking('alice')), ['unlock'])
  for (const name of ['gone', 'nobody']) town.client.ask(asking(name))
  tellsNothing(t, town, asking, 'BAD_CREDENTIALS')
  tellsNothing(t, town, asking, 'TOO_MANY_ATTEMPTS')
  t.end()
})

t.test('DELETE_ACCOUNT without a log-in, or of another name: one answer for all names', (t) => {
  const town = new Town('open')
  const token = new Uint8Array(16).fill(7)
  const asking = (name: string): Asked => ({
    ...{ type: 'DELETE_ACCOUNT', name, password: PASSWORD, token },
  })
  tellsNothing(t, town, asking, 'NOT_LOGGED_IN')
  t.match(town.client.ask(town.registerAs('bob')), { type: 'SESSION' })
  tellsNothing(t, town, asking, 'NOT_LOGGED_IN')
  t.end()
})

t.test('every other request that names a user needs a log-in first', (t) => {
  const town = new Town('open')
  const naming = EXAMPLES.filter(isClientRequest).filter((message) => {
    return ('name' in message || 'to' in message) && CLIENT_REQUESTS.get(message.type) !== 'none'
  })
  const types = naming.map(({ type }) => type).filter((type) => type !== 'DELETE_ACCOUNT')
  t.same(types.sort(), ['BLOCK', 'KEYS', 'RECEIPTS', 'SEND', 'SEND_SEALED', 'UNBLOCK'])
  for (const message of naming) {
    const named = (name: string): Asked => {
      const { request: _, ...asked } = message
      return { ...asked, ...('name' in asked ? { name } : { to: name }) } as Asked
    }
    tellsNothing(t, town, named, 'NOT_LOGGED_IN')
  }
  t.end()
})

t.test('STATUS names no user', (t) => {
  const town = new Town('open')
  const status = town.client.ask({ type: 'STATUS' })
  t.match(status, { type: 'STATUS_IS' })
  t.notMatch(JSON.stringify(status), /alice|gone/)
  t.end()
})

// ---- any user ---------------------------------------------------------------------------------

t.test(
  'KEYS and BLOCK tell any user which accounts exist; ended ones look as if never made',
  (t) => {
    const town = new Town('open').logIn()
    t.match(town.client.ask({ type: 'KEYS', name: 'alice' }), { type: 'KEYS_ARE' })
    t.match(town.client.ask({ type: 'BLOCK', name: 'alice' }), { type: 'BLOCKED_ARE' })
    for (const type of ['KEYS', 'BLOCK'] as const) {
      const [gone, nobody] = ['gone', 'nobody'].map((name) => town.course({ type, name }))
      t.match(gone, { answer: isError('NO_SUCH_USER') })
      t.same(nobody, gone)
    }
    t.end()
  },
)

t.test('UNBLOCK tells nothing about names that are not on the list', (t) => {
  const town = new Town('open').logIn()
  const [first, ...others] = NAMES.map((name) => town.course({ type: 'UNBLOCK', name }))
  t.match(first, { answer: { type: 'BLOCKED_ARE', names: [] } })
  for (const other of others) t.same(other, first)
  t.end()
})

t.test('SEND and SEND_SEALED tell their sender what became of the recipient', (t) => {
  const town = new Town('open', { mailboxBytes: 40 })
  t.match(town.client.ask(town.registerAs('bob')), { type: 'SESSION' })
  t.match(town.client.ask({ type: 'BLOCK', name: 'alice' }), { type: 'BLOCKED_ARE' })
  town.logIn()
  for (const name of ['gone', 'nobody']) {
    const seq = name === 'gone' ? 1 : 2
    t.match(town.ask(seq, 'olá', name), isError('NO_SUCH_USER'))
  }
  const sealed = new Uint8Array(8)
  const stream = town.stream
  const ask = (seq: number, to: string): unknown =>
    town.client.ask({ type: 'SEND_SEALED', stream, seq, to, sealed })
  t.match(ask(3, 'nobody'), isError('NO_SUCH_USER'))
  t.match(ask(4, 'alice'), isError('NOT_CLIENT_HELD'))
  t.match(town.ask(5, 'olá', 'bob'), isError('BLOCKED'))
  t.match(town.ask(6, 'a text', 'alice'), { type: 'RECEIPT' })
  t.match(town.ask(7, 'a text', 'alice'), { type: 'RECEIPT' })
  const full = town.ask(8, 'a text', 'alice')
  t.match(full, { ...isError('MAILBOX_FULL'), text: /\(alice may hold 40 bytes\)/ })
  t.end()
})

t.test('RECEIPTS by recipient: own sends only, so nothing about other names', (t) => {
  const town = new Town('open')
  t.match(town.client.ask(town.registerAs('bob')), { type: 'SESSION' })
  for (const to of NAMES) {
    const answer = town.client.ask({ type: 'RECEIPTS', limit: 10, to })
    t.match(answer, { type: 'RECEIPTS_ARE', sends: [] })
  }
  t.end()
})

t.test(
  "a send in another user's stream tells that it is not the sender's, not whose it is",
  (t) => {
    const town = new Town('open')
    t.match(town.client.ask(town.registerAs('bob')), { type: 'SESSION' })
    const { stream } = town
    t.match(town.client.ask({ type: 'CLOSE_STREAM', stream }), isError('NO_SUCH_STREAM'))
    t.match(town.ask(1, 'olá', 'alice'), isError('NO_SUCH_STREAM'))
    t.end()
  },
)
