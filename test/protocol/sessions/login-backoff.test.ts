import t from 'tap'
import { LoginBackoff } from '../../../protocol/sessions/login-backoff.js'

const HERE = '192.0.2.1'
const ELSEWHERE = '198.51.100.1'
const BACK_OFF = { perPair: 3, perAddress: 10, maxMs: 60_000 }

/**
 * Waits before each of `count` wrong passwords, tried as early as possible, and the wait after
 * them.
 */
function waits(backoff: LoginBackoff, count: number, name = (_i: number) => 'alice'): number[] {
  let now = 0
  const waited: number[] = []
  for (let i = 0; i < count; i++) {
    const wait = backoff.waitMs(name(i), HERE, now)
    waited.push(wait)
    now += wait
    backoff.failed(name(i), HERE, now)
  }
  waited.push(backoff.waitMs(name(count), HERE, now))
  return waited
}

t.test('the wait doubles beyond the free attempts, up to a maximum', (t) => {
  const expected = [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1_000)
  t.same(waits(new LoginBackoff({ ...BACK_OFF, perAddress: 100 }), 10), expected)
  t.end()
})

t.test('wrong passwords at an address lock out no other address or account', (t) => {
  const backoff = new LoginBackoff(BACK_OFF)
  for (let i = 0; i < 9; i++) backoff.failed('alice', HERE, 0)
  t.ok(backoff.waitMs('alice', HERE, 0) > 0)
  t.equal(backoff.waitMs('alice', ELSEWHERE, 0), 0)
  t.equal(backoff.waitMs('bob', HERE, 0), 0)
  t.end()
})

t.test('an address that tries one account after another has to wait', (t) => {
  const backoff = new LoginBackoff(BACK_OFF)
  const waited = waits(backoff, 12, (i) => `user${i}`)
  t.same(waited, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1_000, 2_000, 4_000])
  backoff.succeeded('mallory', HERE)
  t.ok(
    backoff.waitMs('alice', HERE, 0) > 0,
    'a log-in to an own account does not clear the address',
  )
  t.end()
})

t.test('the right password clears its count at the address; time clears all', (t) => {
  const backoff = new LoginBackoff(BACK_OFF)
  for (let i = 0; i < 5; i++) backoff.failed('alice', HERE, 0)
  t.ok(backoff.isSuspect('alice', HERE, 0))
  backoff.succeeded('alice', HERE)
  t.notOk(backoff.isSuspect('alice', HERE, 0))
  for (let i = 0; i < 64; i++) backoff.failed(`user${i}`, HERE, 0)
  const later = 24 * 3_600_000
  t.equal(backoff.waitMs('user1', HERE, later), 0)
  backoff.failed('bob', ELSEWHERE, later)
  t.equal(backoff.size, 3, 'old counts are not kept')
  t.end()
})

t.test('memory is bounded, whatever names are tried', (t) => {
  const backoff = new LoginBackoff(BACK_OFF)
  for (let i = 0; i < 200_000; i++) backoff.failed(`name${i}`, `10.${i >> 8}.0.${i & 255}`, 1)
  t.ok(backoff.size < 200_000, `${backoff.size} are kept`)
  t.equal(backoff.waitMs('name199999', '10.781.0.63', 1), 0)
  for (let i = 0; i < 3; i++) backoff.failed('name199999', HERE, 1)
  t.ok(backoff.waitMs('name199999', HERE, 1) > 0, 'the newest counts are kept')
  t.end()
})
