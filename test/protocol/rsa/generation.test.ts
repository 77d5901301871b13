// Key generation, checked against FIPS 186-5 A.1.3 from outside.

import { checkPrimeSync, constants, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import t from 'tap'
import { generateKey } from '../../../protocol/rsa/keys.js'
import { privateKeyFromPem, privateKeyToPem } from '../../../protocol/rsa/pem.js'
import { pssVerify } from '../../../protocol/rsa/pss.js'
import { entropy, inverse, seededEntropy } from './fixtures.js'

for (const bits of [2048, 2049, 2051]) {
  t.test(`a key of ${bits} bits satisfies FIPS 186-5, and OpenSSL accepts it`, (t) => {
    const told: number[] = []
    const key = generateKey(bits, entropy, (count) => told.push(count))
    const { n, e, d, p, q } = key
    t.ok(told.length > 0 && told.every((count, i) => count === i + 1), 'each candidate is told')
    t.equal(n.toString(2).length, bits)
    t.equal(key.bits, bits)
    t.equal(key.bytes, Math.ceil(bits / 8))
    t.equal(e, 65537n)
    t.equal(n, p * q)
    t.ok(p > q && checkPrimeSync(p) && checkPrimeSync(q))
    const twoTo = (power: number): bigint => 1n << BigInt(power)
    for (const prime of [p, q]) {
      t.ok(prime ** 2n >= twoTo(bits - 1), 'sqrt(2) * 2^(n/2 - 1) <= prime')
      t.ok(prime ** 2n < twoTo(bits), 'prime < 2^(n/2)')
      t.not((prime - 1n) % e, 0n, 'gcd(prime - 1, e) = 1')
    }
    t.ok((p - q) ** 2n > twoTo(bits - 200), '|p - q| > 2^(n/2 - 100)')
    t.ok(d ** 2n > twoTo(bits), 'd > 2^(n/2)')
    const lcm = ((p - 1n) * (q - 1n)) / gcd(p - 1n, q - 1n)
    t.equal(d, inverse(e, lcm), 'd = e^-1 mod lcm(p - 1, q - 1)')
    t.same([key.dP, key.dQ, key.qInv], [d % (p - 1n), d % (q - 1n), inverse(q, p)])

    const pem = privateKeyToPem(key)
    t.same(createPublicKey(pem).asymmetricKeyDetails, { modulusLength: bits, publicExponent: e })
    const message = entropy(32)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const options = { key: createPrivateKey(pem), padding, saltLength: 32 }
    t.ok(pssVerify(key, message, sign('sha256', message, options)))
    t.same(privateKeyFromPem(pem, entropy), key, 'and passes our own checks')
    t.end()
  })
}

t.test('a key outside 2048 to 8192 bits is not generated', (t) => {
  for (const bits of [0, 1024, 2047, 8193, 2048.5, NaN, Infinity]) {
    t.throws(() => generateKey(bits, entropy), { code: 'range' }, `${bits}`)
  }
  t.end()
})

t.test('generation is a function of its entropy, and fails on a stuck source', (t) => {
  const [a, b] = [1, 2].map(() => generateKey(2048, seededEntropy('the same')))
  t.same(a, b)
  const stuck = { code: 'entropy' }
  t.throws(() => generateKey(2048, (bytes) => new Uint8Array(bytes)), stuck)
  t.throws(() => generateKey(2048, (bytes) => new Uint8Array(bytes).fill(255)), stuck)
  t.throws(() => generateKey(2048, (bytes) => new Uint8Array(bytes - 1)), stuck, 'a short draw')
  t.end()
})

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}
