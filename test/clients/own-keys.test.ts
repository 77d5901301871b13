// Private keys as the service sends and accepts them: how a client unwraps and wraps them, and how
// it rejects a service that sends other keys.

import t from 'tap'
import { unwrapKeys, wrapKey } from '../../clients/own-keys.js'
import {
  derivePasswordKeys,
  unwrapPrivateKey,
  wrapPrivateKey,
} from '../../protocol/envelope/accounts.js'
import { encodePkcs8, encodeSpki } from '../../protocol/rsa/formats.js'
import { privateKeyFromJwk, privateKeyToJwk } from '../../protocol/rsa/jwk.js'
import { entropy, fixture, flipped } from '../protocol/rsa/fixtures.js'

const [first, second] = [fixture(2048).key, fixture(3072).key]
const salt = entropy(16)
const cost = { logN: 10, r: 8, p: 1 }
const { wrappingKey } = derivePasswordKeys('sesame', salt, cost)
const stored = (key: typeof first) => ({
  publicKey: encodeSpki(key),
  wrappedKey: wrapPrivateKey(wrappingKey, 'bob', encodePkcs8(key), entropy),
})
const [newest, older] = [stored(second), stored(first)]
const wrapped = { salt, cost, keys: [newest, older] }
const broken = { name: 'BROKEN_PEER', definite: true }

t.test('keys are unwrapped in order, and wrapped so that the service can open them', (t) => {
  t.same(unwrapKeys('bob', 'sesame', wrapped), [second, first])
  const sent = wrapKey('bob', 'sesame', wrapped, first)
  t.same(unwrapPrivateKey(wrappingKey, 'bob', sent), encodePkcs8(first))
  t.notSame(wrapKey('bob', 'sesame', wrapped, first), sent, 'under a nonce of its own')
  t.end()
})

t.test('a key that is changed, swapped or of another user is rejected', (t) => {
  const wrong = [
    { ...newest, publicKey: older.publicKey },
    { ...newest, wrappedKey: older.wrappedKey },
    { ...newest, wrappedKey: flipped(newest.wrappedKey, 500) },
    { ...newest, wrappedKey: new Uint8Array(1) },
  ]
  for (const key of wrong) {
    t.throws(() => unwrapKeys('bob', 'sesame', { ...wrapped, keys: [older, key] }), broken)
  }
  t.throws(() => unwrapKeys('eve', 'sesame', wrapped), broken)
  t.throws(() => unwrapKeys('bob', 'another', wrapped), broken)
  t.end()
})

t.test('a key that is not for opening messages is not sent', (t) => {
  const jwk = privateKeyToJwk(first)
  const read = (members: object) => privateKeyFromJwk({ ...jwk, ...members }, entropy)
  for (const members of [{ use: 'sig' }, { key_ops: ['encrypt'] }, { alg: 'RSA-OAEP' }]) {
    const refusal = { name: 'BAD_KEY', message: /must not be used so: .*its JWK says/ }
    t.throws(() => wrapKey('bob', 'sesame', wrapped, read(members)), refusal)
  }
  t.ok(wrapKey('bob', 'sesame', wrapped, read({ use: 'enc', alg: 'RSA-OAEP-256' })))
  t.end()
})

t.test('scrypt costs that would exhaust the memory of the client are rejected', (t) => {
  for (const change of [{ logN: 24 }, { r: 64 }, { p: 0 }, { p: 17 }]) {
    const hostile = { ...wrapped, cost: { ...cost, ...change } }
    t.throws(() => unwrapKeys('bob', 'sesame', hostile), broken)
    t.throws(() => wrapKey('bob', 'sesame', hostile, first), broken)
  }
  t.end()
})
