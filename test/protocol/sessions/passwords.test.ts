// The service's own check of a password that a user chooses. A log-in is not checked: an account
// keeps the password that it has when the floor rises.

import t from 'tap'
import { PASSWORD, type Asked } from '../../scenarios/played.js'
import { Ring, isError } from '../../scenarios/ring.js'

const REFUSED = ['', 'x', 'seven c', 'long\0enough', 'long\nenough', 'long\renough', 'tab\tenough']

function registering(name: string, password: string, token = 1): Asked {
  const rest = { token: new Uint8Array(16).fill(token), keys: null, invitation: null }
  return { type: 'REGISTER', name, password, ...rest }
}

function changing(password: string, newPassword: string, token = 2): Asked {
  return { type: 'CHANGE_PASSWORD', password, newPassword, token: new Uint8Array(16).fill(token) }
}

const login = (name: string, password: string): Asked => ({ type: 'LOGIN', name, password })

t.test('a new password that is too short, or has a control character, is refused', (t) => {
  const ring = new Ring().begin()
  const jobs = ring.jobs.length
  for (const password of REFUSED) {
    t.match(ring.client.ask(registering('bob', password)), isError('BAD_PASSWORD'))
    t.match(ring.client.ask(changing(PASSWORD, password)), isError('BAD_PASSWORD'))
  }
  t.equal(ring.jobs.length, jobs, 'without any computation')
  t.match(ring.client.ask(login('alice', PASSWORD)), { type: 'SESSION' }, 'nothing has changed')
  t.match(ring.client.ask(changing(PASSWORD, '8 chars.')), { type: 'SESSION' })
  t.match(ring.client.ask(registering('bob', '8 chars.')), { type: 'SESSION' })
  t.end()
})

t.test('the refusal says what is wrong, and comes before it matters whether a name exists', (t) => {
  const ring = new Ring().begin()
  const [alice, bob] = ['alice', 'bob'].map((name) => ring.client.ask(registering(name, 'seven c')))
  t.match(alice, { ...isError('BAD_PASSWORD'), text: /7 of the 8 characters/, retryAfter: null })
  t.same({ ...bob, request: 0 }, { ...alice, request: 0 })
  t.end()
})

t.test('an account keeps a password that is below a new floor, until it is changed', (t) => {
  const ring = new Ring([1, 2, 3], { minPasswordLength: 1 }).begin()
  t.match(ring.client.ask(registering('bob', 'x', 1)), { type: 'SESSION' })
  ring.limits = { ...ring.limits, minPasswordLength: 12 }
  ring.restart()
  t.match(ring.client.ask(login('bob', 'x')), { type: 'SESSION', name: 'bob' })
  const repeated = ring.client.ask(registering('bob', 'x', 1))
  t.match(repeated, { type: 'SESSION' }, 'a repeated registration is a log-in')
  t.match(ring.client.ask(changing('x', 'eleven char')), isError('BAD_PASSWORD'))
  t.match(ring.client.ask(changing('x', 'twelve chars')), { type: 'SESSION' })
  t.match(ring.client.ask(changing('x', 'twelve chars')), { type: 'SESSION' }, 'repeated')
  t.match(ring.client.ask(login('bob', 'x')), isError('BAD_CREDENTIALS'))
  t.end()
})
