// OpenSSL as the independent oracle, in both directions and for every size of modulus.

import { constants } from 'node:crypto'
import { privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto'
import t from 'tap'
import {
  decodePkcs1Private,
  decodePkcs1Public,
  decodePkcs8,
  decodeSpki,
  encodePkcs1Private,
  encodePkcs1Public,
  encodePkcs8,
  encodeSpki,
} from '../../../protocol/rsa/formats.js'
import { hashLength } from '../../../protocol/rsa/hashes.js'
import type { HashName } from '../../../protocol/rsa/hashes.js'
import {
  privateKeyFromJwk,
  privateKeyToJwk,
  publicKeyFromJwk,
  publicKeyToJwk,
} from '../../../protocol/rsa/jwk.js'
import { publicKeyOf } from '../../../protocol/rsa/keys.js'
import { oaepCapacity, oaepDecrypt, oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import {
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyFromPem,
  publicKeyToPem,
} from '../../../protocol/rsa/pem.js'
import { pssSign, pssVerify } from '../../../protocol/rsa/pss.js'
import { FIXTURE_BITS, entropy, fixture } from './fixtures.js'

const lenient = { rounds: 1 }
const hashes: readonly HashName[] = [
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha512-224',
  'sha512-256',
]

for (const bits of FIXTURE_BITS) {
  t.test(`${bits} bits`, (t) => {
    const { key, openssl } = fixture(bits)
    t.equal(key.bits, bits)
    t.test('OAEP agrees at every edge of the message length', (t) => {
      const label = Buffer.from('label')
      for (const length of [0, 1, 32, oaepCapacity(key)]) {
        const message = entropy(length)
        const options = { key: openssl.public, oaepHash: 'sha256', oaepLabel: label }
        const theirs = publicEncrypt(options, message)
        t.same(oaepDecrypt(key, theirs, entropy, { label }), message, `${length} bytes from it`)
        const ours = oaepEncrypt(key, message, entropy(32), { label })
        const back = privateDecrypt({ ...options, key: openssl.private }, ours)
        t.same(new Uint8Array(back), message, `${length} bytes to it`)
      }
      t.end()
    })
    t.test('PSS agrees with several salt lengths', (t) => {
      const message = entropy(100)
      const padding = constants.RSA_PKCS1_PSS_PADDING
      for (const saltLength of [0, 20, 32, 64]) {
        const options = { padding, saltLength }
        const theirs = sign('sha256', message, { key: openssl.private, ...options })
        t.ok(pssVerify(key, message, theirs, { saltLength }), `salt of ${saltLength} from it`)
        const ours = pssSign(key, message, entropy, { saltLength })
        const verified = verify('sha256', message, { key: openssl.public, ...options }, ours)
        t.ok(verified, `salt of ${saltLength} to it`)
        t.notOk(pssVerify(key, message, ours, { saltLength: saltLength + 1 }), 'another salt')
        t.notOk(pssVerify(key, entropy(100), ours, { saltLength }), 'another message')
      }
      t.end()
    })
    t.end()
  })
}

t.test('OAEP and PSS agree with every hash', (t) => {
  const { key, openssl } = fixture(2048)
  for (const hash of hashes) {
    const message = entropy(48)
    const theirs = publicEncrypt({ key: openssl.public, oaepHash: hash }, message)
    t.same(oaepDecrypt(key, theirs, entropy, { hash }), message, `${hash} from it`)
    const ours = oaepEncrypt(key, message, entropy(hashLength(hash)), { hash })
    const back = privateDecrypt({ key: openssl.private, oaepHash: hash }, ours)
    t.same(new Uint8Array(back), message, `${hash} to it`)
    const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: hashLength(hash) }
    const signature = pssSign(key, message, entropy, { hash })
    t.ok(verify(hash, message, { key: openssl.public, ...options }, signature), `${hash} signed`)
    const signed = sign(hash, message, { key: openssl.private, ...options })
    t.ok(pssVerify(key, message, signed, { hash }), `${hash} verified`)
  }
  const message = entropy(10)
  const mixed = { hash: 'sha256', mgf1Hash: 'sha1' } as const
  const ciphertext = oaepEncrypt(key, message, entropy(32), mixed)
  t.same(oaepDecrypt(key, ciphertext, entropy, mixed), message, 'MGF1 with a hash of its own')
  t.throws(() => oaepDecrypt(key, ciphertext, entropy), { code: 'decryption' })
  t.end()
})

t.test('every format is byte for byte as OpenSSL writes it', (t) => {
  for (const bits of [2048, 2049, 3072] as const) {
    const { key, pem, openssl } = fixture(bits)
    const pub = publicKeyOf(key)
    const derOf = (type: 'pkcs1' | 'pkcs8'): Uint8Array =>
      new Uint8Array(openssl.private.export({ type, format: 'der' }))
    const publicDerOf = (type: 'pkcs1' | 'spki'): Uint8Array =>
      new Uint8Array(openssl.public.export({ type, format: 'der' }))
    t.same(encodePkcs8(key), derOf('pkcs8'))
    t.same(encodePkcs1Private(key), derOf('pkcs1'))
    t.same(encodeSpki(key), publicDerOf('spki'))
    t.same(encodePkcs1Public(key), publicDerOf('pkcs1'))
    t.equal(privateKeyToPem(key), pem)
    t.equal(privateKeyToPem(key, 'pkcs1'), openssl.private.export({ type: 'pkcs1', format: 'pem' }))
    t.equal(publicKeyToPem(key), openssl.public.export({ type: 'spki', format: 'pem' }))
    t.equal(publicKeyToPem(key, 'pkcs1'), openssl.public.export({ type: 'pkcs1', format: 'pem' }))
    t.same(privateKeyToJwk(key), openssl.private.export({ format: 'jwk' }))
    t.same(publicKeyToJwk(key), openssl.public.export({ format: 'jwk' }))

    t.same(decodePkcs8(derOf('pkcs8'), entropy, lenient), key)
    t.same(decodePkcs1Private(derOf('pkcs1'), entropy, lenient), key)
    t.same(decodeSpki(publicDerOf('spki')), pub)
    t.same(decodePkcs1Public(publicDerOf('pkcs1')), pub)
    t.same(privateKeyFromPem(privateKeyToPem(key, 'pkcs1'), entropy, lenient), key)
    t.same(publicKeyFromPem(publicKeyToPem(key)), pub)
    t.same(publicKeyFromPem(publicKeyToPem(key, 'pkcs1')), pub)
    t.same(privateKeyFromJwk(privateKeyToJwk(key), entropy, lenient), key)
    t.same(publicKeyFromJwk(publicKeyToJwk(key)), pub)
  }
  t.end()
})
