import t from 'tap'
import { createDecipheriv } from 'node:crypto'
import type { RsaPrivateKey } from '../../../protocol/rsa/keys.js'
import { privateKeyFromJwk } from '../../../protocol/rsa/jwk.js'
import { oaepCapacity, oaepDecrypt, oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import { privateOperation, publicOperation } from '../../../protocol/rsa/primitives.js'
import { pssSign, pssVerify } from '../../../protocol/rsa/pss.js'
import { randomBetween, toInteger, toOctets } from '../../../protocol/rsa/octets.js'
import { RsaError } from '../../../protocol/rsa/rsa-error.js'
import { entropy, fixture, flipped, fromHex, vectors } from './fixtures.js'

const { key } = fixture(2048)

const FAULTS = 60

t.test('a fault in any CRT parameter withholds the result', (t) => {
  const message = entropy(32)
  const ciphertext = oaepEncrypt(key, message, entropy(32))
  let left = 0
  for (const name of ['dP', 'dQ', 'qInv', 'p', 'q'] as const) {
    for (let i = 0; i < FAULTS; i++) {
      const bit = 1n << (toInteger(entropy(2)) % 1024n)
      const faulty: RsaPrivateKey = { ...key, [name]: key[name] ^ bit }
      const x = randomBetween(2n, key.n, entropy)
      for (const operation of [
        () => privateOperation(faulty, x, entropy),
        () => oaepDecrypt(faulty, ciphertext, entropy),
        () => pssSign(faulty, message, entropy),
      ].slice(0, i < 5 ? 3 : 1)) {
        try {
          operation()
          left++
        } catch (error) {
          if (!(error instanceof RsaError && error.code === 'fault')) throw error
        }
      }
    }
  }
  t.equal(left, 0, `0 of ${5 * FAULTS}`)
  t.same(oaepDecrypt(key, ciphertext, entropy), message, 'the sound key opens it')
  t.end()
})

t.test('the private operation inverts the public one, with fresh blinding', (t) => {
  const drawn: string[] = []
  const spying = (bytes: number): Uint8Array => {
    const octets = entropy(bytes)
    drawn.push(Buffer.from(octets).toString('hex'))
    return octets
  }
  for (const x of [0n, 1n, 2n, key.n - 1n, key.p, key.q, key.n >> 1n]) {
    t.equal(publicOperation(key, privateOperation(key, x, spying)), x)
    t.equal(privateOperation(key, publicOperation(key, x), spying), x)
  }
  t.ok(drawn.length >= 14, 'entropy is drawn for each operation')
  t.equal(new Set(drawn).size, drawn.length)
  t.end()
})

t.test('representatives out of range are refused', (t) => {
  for (const x of [-1n, key.n, key.n + 1n]) {
    t.throws(() => publicOperation(key, x), { code: 'range' })
    t.throws(() => privateOperation(key, x, entropy), { code: 'range' })
  }
  t.end()
})

t.test('OAEP encryption is a function of its seed and keeps its limits', (t) => {
  const message = entropy(32)
  const seed = entropy(32)
  t.same(oaepEncrypt(key, message, seed), oaepEncrypt(key, message, seed))
  t.notSame(oaepEncrypt(key, message, seed), oaepEncrypt(key, message, entropy(32)))
  t.equal(oaepCapacity(key), key.bytes - 66)
  t.throws(() => oaepEncrypt(key, entropy(key.bytes - 65), seed), { code: 'range' })
  t.throws(() => oaepEncrypt(key, message, entropy(31)), { code: 'range' })
  t.end()
})

t.test('output is left-padded to k bytes', (t) => {
  for (const x of [0n, 1n]) {
    const octets = toOctets(publicOperation(key, x), key.bytes)
    t.equal(octets.length, key.bytes)
    t.equal(toInteger(octets), x)
  }
  t.throws(() => toOctets(256n, 1), { code: 'range' })
  t.end()
})

t.test('RFC 7516 appendix A.1 opens', (t) => {
  const { jwk, cek, jwe, text } = vectors('rfc7516-a1.json') as {
    jwk: object
    cek: string
    jwe: string
    text: string
  }
  const recipient = privateKeyFromJwk(jwk, entropy)
  const [header = '', ...rest] = jwe.split('.')
  const part = (i: number): Buffer => Buffer.from(rest[i] ?? '', 'base64url')
  const [encryptedKey, nonce, ciphertext, tag] = [part(0), part(1), part(2), part(3)]
  const contentKey = oaepDecrypt(recipient, encryptedKey, entropy, { hash: 'sha1' })
  t.same(contentKey, fromHex(cek))
  const decipher = createDecipheriv('aes-256-gcm', contentKey, nonce)
  decipher.setAAD(Buffer.from(header)).setAuthTag(tag)
  t.equal(decipher.update(ciphertext, undefined, 'utf8') + decipher.final('utf8'), text)
  t.end()
})

t.test('PSS returns false for invalid signatures, and never throws', (t) => {
  const message = entropy(20)
  const signature = pssSign(key, message, entropy)
  t.ok(pssVerify(key, message, signature))
  t.notSame(pssSign(key, message, entropy), signature, 'the salt is fresh')
  for (let bit = 0; bit < signature.length * 8; bit += 37) {
    t.notOk(pssVerify(key, message, flipped(signature, bit)))
  }
  for (const octets of [signature.subarray(1), new Uint8Array(0), toOctets(key.n, key.bytes)]) {
    t.notOk(pssVerify(key, message, octets))
  }
  t.notOk(pssVerify(key, message, signature, { saltLength: 10_000 }))
  for (const saltLength of [10_000, 223, -1, 1.5, NaN]) {
    t.throws(() => pssSign(key, message, entropy, { saltLength }), { code: 'range' })
    t.notOk(pssVerify(key, message, signature, { saltLength }))
  }
  t.throws(() => pssSign(key, message, (n) => entropy(n + 1)), { code: 'entropy' })
  t.end()
})
