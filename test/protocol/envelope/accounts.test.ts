import { createDecipheriv } from 'node:crypto'
import t from 'tap'
import {
  hashVerifier,
  splitPasswordKey,
  unwrapPrivateKey,
  verifies,
  wrapPrivateKey,
} from '../../../protocol/envelope/accounts.js'
import { entropy, flipped } from '../rsa/fixtures.js'

const { wrappingKey, verifier } = splitPasswordKey(entropy(64))
const pkcs8 = entropy(1200)
const nonce = entropy(12)
const wrapped = wrapPrivateKey(wrappingKey, 'alice', pkcs8, () => nonce)

t.test('wrapping key and verifier are different halves', (t) => {
  const derived = entropy(64)
  const halves = splitPasswordKey(derived)
  t.same(halves.wrappingKey, derived.subarray(0, 32))
  t.same(halves.verifier, derived.subarray(32))
  t.throws(() => splitPasswordKey(entropy(63)), { name: 'InvariantError' })
  t.end()
})

t.test('a verifier is checked by its hash', (t) => {
  const hash = hashVerifier(verifier)
  t.ok(verifies(verifier, hash))
  t.notOk(verifies(flipped(verifier, 5), hash))
  t.notOk(verifies(verifier, hash.subarray(1)))
  t.end()
})

t.test('a wrapped key opens for its user and password only', (t) => {
  t.same(unwrapPrivateKey(wrappingKey, 'alice', wrapped), pkcs8)
  t.equal(unwrapPrivateKey(wrappingKey, 'bob', wrapped), null)
  t.equal(unwrapPrivateKey(entropy(32), 'alice', wrapped), null)
  const opened = Array.from({ length: wrapped.length * 8 }, (_, bit) =>
    unwrapPrivateKey(wrappingKey, 'alice', flipped(wrapped, bit)),
  )
  t.ok(
    opened.every((key) => key === null),
    'every bit counts',
  )
  for (const length of [0, 11, 27, 28, wrapped.length - 1]) {
    t.equal(unwrapPrivateKey(wrappingKey, 'alice', wrapped.subarray(0, length)), null)
  }
  t.end()
})

t.test('a wrapped key is nonce, ciphertext, tag', (t) => {
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey, wrapped.subarray(0, 12))
  decipher.setAAD(Buffer.from('troca private key of alice')).setAuthTag(wrapped.subarray(-16))
  const opened = Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()])
  t.same(new Uint8Array(opened), pkcs8)
  t.same(wrapped.subarray(0, 12), nonce)
  t.end()
})
