// Keys whose factors can be computed, or that have no two factors at all.

import t from 'tap'
import { checkPrivateKey, checkPublicKey } from '../../../protocol/rsa/key-checks.js'
import { decodePkcs8, decodeSpki, encodePkcs8, encodeSpki } from '../../../protocol/rsa/formats.js'
import type { RsaPrivateKey } from '../../../protocol/rsa/keys.js'
import { modPow } from '../../../protocol/rsa/modular.js'
import { bitLength, randomBetween, toInteger } from '../../../protocol/rsa/octets.js'
import { generatePrime, isProbablyPrime, mayBePrimePower } from '../../../protocol/rsa/primes.js'
import { hasRocaStructure } from '../../../protocol/rsa/roca.js'
import { FIXTURE_BITS, ROCA_MODULUS, entropy, fixture, inverse } from './fixtures.js'

t.setTimeout(240_000)

const E = 65537n

function keyOf(p: bigint, q: bigint): RsaPrivateKey {
  const d = inverse(E, (p - 1n) * (q - 1n))
  const [n, qInv] = [p * q, inverse(q, p)]
  const bits = bitLength(n)
  const crt = { dP: d % (p - 1n), dQ: d % (q - 1n), qInv }
  return { n, e: E, bits, bytes: Math.ceil(bits / 8), d, p, q, ...crt }
}

// ---- ROCA ---------------------------------------------------------------------------------------

/** The product of the first 126 primes, 2 to 701, as the fault has it for 2048 bits. */
function primorial(): bigint {
  let product = 1n
  for (let x = 2, count = 0; count < 126; x++) {
    if (!isProbablyPrime(BigInt(x), 8, entropy)) continue
    product *= BigInt(x)
    count++
  }
  return product
}

/** A prime k * M + (65537^a mod M) of exactly 1024 bits, in the upper half of them. */
function rocaPrime(): bigint {
  const m = primorial()
  const [low, high] = [(3n << 1022n) / m + 1n, (1n << 1024n) / m]
  for (;;) {
    const power = modPow(E, randomBetween(1n, 1n << 254n, entropy), m)
    const prime = randomBetween(low, high, entropy) * m + power
    if (prime % E !== 1n && isProbablyPrime(prime, 8, entropy)) return prime
  }
}

const roca = { code: 'key', message: /CVE-2017-15361 \(ROCA\): .* another program must make a new/ }

t.test('a modulus of a card with the fault is refused', (t) => {
  t.ok(hasRocaStructure(ROCA_MODULUS))
  t.throws(() => checkPublicKey(ROCA_MODULUS, E), roca)
  t.end()
})

t.test('a key made by the rule of the fault is refused, private and public', (t) => {
  const key = keyOf(rocaPrime(), rocaPrime())
  t.equal(key.bits, 2048)
  t.throws(() => checkPublicKey(key.n, E), roca)
  t.throws(() => checkPrivateKey(key, entropy), roca)
  t.throws(() => decodeSpki(encodeSpki(key)), roca)
  t.throws(() => decodePkcs8(encodePkcs8(key), entropy), roca)
  const stored = { rounds: 0 }
  t.equal(decodePkcs8(encodePkcs8(key), entropy, stored).n, key.n, 'a stored key still opens')
  t.end()
})

t.test('no other key has the structure', (t) => {
  for (const bits of FIXTURE_BITS) t.notOk(hasRocaStructure(fixture(bits).key.n), `${bits} bits`)
  let found = 0
  for (let i = 0; i < 5_000; i++) if (hasRocaStructure(toInteger(entropy(256)) | 1n)) found++
  t.equal(found, 0, 'of 5,000 random moduli')
  const half = keyOf(rocaPrime(), fixture(2048).key.q)
  t.notOk(hasRocaStructure(half.n), 'one faulty prime alone is not seen in the modulus')
  t.end()
})

// ---- moduli without two factors -----------------------------------------------------------------

function primeOf(bits: number): bigint {
  const search = { modulusBits: 2 * bits, e: E, accepts: () => true, onCandidate: () => {} }
  return generatePrime(search, entropy)
}

t.test('a modulus that is a prime, or a power of one, is refused (SP 800-89 5.3.3)', (t) => {
  const refusal = { code: 'key', message: /the modulus is a prime, or a power of one/ }
  const [p, r] = [primeOf(1025), primeOf(700)]
  const moduli = { prime: primeOf(2048), 'a square': p ** 2n, 'a cube': r ** 3n }
  for (const [what, n] of Object.entries(moduli)) {
    t.throws(() => checkPublicKey(n, E), refusal, what)
    t.equal(checkPublicKey(n, E, { rounds: 0 }).n, n, 'stored keys are not tested again')
  }
  t.end()
})

t.test('the test is right for all small odd numbers', (t) => {
  const isPowerOfPrime = (n: number): boolean => {
    let p = 3
    while (n % p !== 0) p += 2
    let rest = n
    while (rest % p === 0) rest /= p
    return rest === 1
  }
  let passed = 0
  for (let n = 3; n < 20_000; n += 2) {
    const may = mayBePrimePower(BigInt(n))
    if (isPowerOfPrime(n) && !may) t.fail(`${n} is a power of a prime`)
    if (!may) passed++
  }
  // Small composites share a factor with 2^(n - 1) - 1 often, the moduli of keys never.
  t.ok(passed > 1000, `${passed} numbers are proven to be neither`)
  for (const bits of FIXTURE_BITS) t.notOk(mayBePrimePower(fixture(bits).key.n), `${bits} bits`)
  t.end()
})
