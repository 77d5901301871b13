// Vectors made by the openssl program (make-vectors.ts): every hash with every MGF1 hash.

import t from 'tap'
import { HASH_NAMES, hashLength } from '../../../protocol/rsa/hashes.js'
import type { HashName } from '../../../protocol/rsa/hashes.js'
import { oaepDecrypt, oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import { pssSign, pssVerify } from '../../../protocol/rsa/pss.js'
import { entropy, fixture, flipped, vectors } from './fixtures.js'

interface Vector {
  readonly bits: 2048 | 2049 | 2688 | 3104
  readonly hash: HashName
  readonly mgf1Hash: HashName
  readonly message: string
}
interface Vectors {
  readonly oaep: readonly (Vector & { label: string; ciphertext: string })[]
  readonly pss: readonly (Vector & { saltLength: number; signature: string })[]
}

const { oaep, pss } = vectors('rsa-openssl.json') as Vectors
const octets = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))
const PAIRS = HASH_NAMES.length ** 2

/** An MGF1 hash other than that of the vector. */
const another = (hash: HashName): HashName => (hash === 'sha1' ? 'sha224' : 'sha1')

t.test('OAEP decrypts the vectors of openssl', (t) => {
  t.equal(new Set(oaep.map(({ hash, mgf1Hash }) => `${hash} ${mgf1Hash}`)).size, PAIRS)
  for (const { bits, hash, mgf1Hash, label: text, ...rest } of oaep) {
    const { key } = fixture(bits)
    const options = { hash, mgf1Hash, label: Buffer.from(text) }
    const [message, ciphertext] = [octets(rest.message), octets(rest.ciphertext)]
    const what = `${bits} bits, ${hash}, MGF1 with ${mgf1Hash}`
    t.same(oaepDecrypt(key, ciphertext, entropy, options), message, what)
    for (const wrong of [
      { ...options, mgf1Hash: another(mgf1Hash) },
      { ...options, label: Buffer.from(`${text}.`) },
    ]) {
      t.throws(() => oaepDecrypt(key, ciphertext, entropy, wrong), { code: 'decryption' })
    }
    const sealed = oaepEncrypt(key, message, entropy(hashLength(hash)), options)
    t.same(oaepDecrypt(key, sealed, entropy, options), message, 'there and back')
  }
  t.end()
})

t.test('PSS verifies the vectors of openssl', (t) => {
  t.equal(new Set(pss.map(({ hash, mgf1Hash }) => `${hash} ${mgf1Hash}`)).size, PAIRS)
  for (const { bits, hash, mgf1Hash, saltLength, ...rest } of pss) {
    const { key } = fixture(bits)
    const options = { hash, mgf1Hash, saltLength }
    const [message, signature] = [octets(rest.message), octets(rest.signature)]
    const what = `${bits} bits, ${hash}, MGF1 with ${mgf1Hash}, salt of ${saltLength}`
    t.ok(pssVerify(key, message, signature, options), what)
    t.notOk(pssVerify(key, flipped(message, 3), signature, options))
    t.notOk(pssVerify(key, message, signature, { ...options, mgf1Hash: another(mgf1Hash) }))
    t.notOk(pssVerify(key, message, signature, { ...options, saltLength: saltLength + 1 }))
    t.ok(pssVerify(key, message, pssSign(key, message, entropy, options), options), 'our own')
  }
  t.end()
})
