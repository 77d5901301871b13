import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { checkPrivateKey, checkPublicKey } from '../../../protocol/rsa/key-checks.js'
import type { PrivateParts } from '../../../protocol/rsa/key-checks.js'
import { derInteger, derSequence } from '../../../protocol/rsa/der.js'
import {
  decodePkcs1Private,
  decodePkcs8,
  decodeSpki,
  encodePkcs8,
  encodeSpki,
} from '../../../protocol/rsa/formats.js'
import {
  privateKeyFromJwk,
  privateKeyToJwk,
  publicKeyFromJwk,
  thumbprint,
} from '../../../protocol/rsa/jwk.js'
import { privateKeyFromPem, publicKeyFromPem } from '../../../protocol/rsa/pem.js'
import { generatePrime, smallFactor } from '../../../protocol/rsa/primes.js'
import { entropy, fixture, flipped, inverse } from './fixtures.js'

const { key, pem } = fixture(2048)
const other = fixture(2049).key

t.test('the thumbprint is that of RFC 7638 section 3.1', (t) => {
  const jwk = {
    kty: 'RSA',
    n:
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_' +
      'BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0' +
      '_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWh' +
      'AI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
    alg: 'RS256',
    kid: '2011-04-29',
  }
  t.equal(thumbprint(publicKeyFromJwk(jwk)), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  t.end()
})

t.test('a bad public key is refused with its reason', (t) => {
  const { n, e } = key
  const cases: readonly [bigint, bigint, string][] = [
    [n - 1n, e, 'the modulus is even'],
    [0n, e, 'the modulus is even'],
    [(n >> 8n) | 1n, e, 'the modulus has 2040 bits; at least 2048 are needed'],
    [(1n << 8192n) + 1n, e, 'the modulus has 8193 bits; at most 8192 are accepted'],
    [n, 65538n, 'the public exponent is even'],
    [n, 3n, 'the public exponent is too small; at least 65537 is needed'],
    [n, 1n, 'the public exponent is too small; at least 65537 is needed'],
    [n, (1n << 256n) + 1n, 'the public exponent has more than 256 bits'],
    [n * 1031n, e, 'the modulus is divisible by 1031'],
  ]
  for (const [badN, badE, reason] of cases) {
    const expected = { code: 'key', message: `bad RSA key: ${reason}` }
    t.throws(() => checkPublicKey(badN, badE), expected, reason)
  }
  t.equal(checkPublicKey(n, 3n, { minPublicExponent: 3n }).e, 3n, 'a policy may allow e = 3')
  t.throws(() => checkPublicKey(n, 1n, { minPublicExponent: 1n }), { code: 'key' })
  t.end()
})

t.test('a bad private key is refused with its reason', (t) => {
  const { n, e, d, p, q, dP, dQ, qInv } = key
  const good: PrivateParts = { n, e, d, p, q, dP, dQ, qInv }
  const phi = (p - 1n) * (q - 1n)
  const cases: readonly [Partial<PrivateParts>, string][] = [
    [{ n: other.n }, 'the modulus is not p * q'],
    [{ p: other.p }, 'the modulus is not p * q'],
    [{ p: n, q: 1n }, 'the modulus is not p * q'],
    [{ p: -p, q: -q }, 'the modulus is not p * q'],
    [{ d: 65537n }, 'the private exponent is out of range'],
    [{ d: d + phi * 2n }, 'the private exponent is out of range'],
    [{ d: d - 2n }, 'e * d is not 1 modulo p - 1'],
    [{ d: d - (p - 1n) }, 'e * d is not 1 modulo q - 1'],
    [{ dP: dP + 1n }, 'dP is not d modulo p - 1'],
    [{ dP: dP + p - 1n }, 'dP is not d modulo p - 1'],
    [{ dQ: dQ - 1n }, 'dQ is not d modulo q - 1'],
    [{ qInv: qInv + 1n }, 'qInv is not the inverse of q modulo p'],
    [{ qInv: qInv + p }, 'qInv is not the inverse of q modulo p'],
  ]
  for (const [change, reason] of cases) {
    const expected = { code: 'key', message: `bad RSA key: ${reason}` }
    t.throws(() => checkPrivateKey({ ...good, ...change }, entropy), expected, reason)
  }
  t.ok(checkPrivateKey(good, entropy), 'the same without a change is accepted')
  t.end()
})

t.test('factors that are composite, close, tiny or three are refused', (t) => {
  const parts = (p: bigint, q: bigint): PrivateParts => {
    const d = inverse(65537n, (p - 1n) * (q - 1n))
    const qInv = inverse(q, p)
    return { n: p * q, e: 65537n, d, p, q, dP: d % (p - 1n), dQ: d % (q - 1n), qInv }
  }
  const refused = (p: bigint, q: bigint, reason: string): void => {
    const expected = { code: 'key', message: `bad RSA key: ${reason}` }
    t.throws(() => checkPrivateKey(parts(p, q), entropy), expected, reason)
  }
  const prime = (bits: number): bigint => {
    const search = { modulusBits: 2 * bits, e: 65537n, accepts: () => true, onCandidate: () => {} }
    return generatePrime(search, entropy)
  }
  // d fits the product of p and a composite, so only the primality test can refuse the key.
  const composite = prime(512) * prime(512)
  refused(key.p, composite, 'q is not prime')
  refused(composite, key.p, 'p is not prime')
  refused(key.p, prime(64) * prime(960), 'q is not prime')
  refused(prime(64), prime(1990), 'p has 64 bits; at least 1027 are needed')
  refused(prime(1700), prime(350), 'q has 350 bits; at least 1025 are needed')
  refused(key.p, key.p, 'p and q are too close to each other')
  let near = key.p + 2n ** 100n
  while (smallFactor(near) !== undefined) near += 2n
  refused(key.p, near, 'p and q are too close to each other')

  // PKCS#1 has version 1 and OtherPrimeInfos, and a JWK `oth`, when there are more than two primes.
  const { n, e, d, p, q, dP, dQ, qInv } = key
  const integers = (...all: bigint[]): Uint8Array[] => all.map(derInteger)
  const other = derSequence(...integers(7n, 1n, 1n))
  const four = derSequence(...integers(1n, n, e, d, p, q, dP, dQ, qInv), derSequence(other, other))
  const twoOnly = (count: number) => {
    return { code: 'encoding', message: new RegExp(`${count} primes, and only keys of two primes`) }
  }
  t.throws(() => decodePkcs1Private(four, entropy), twoOnly(4))
  t.throws(() => privateKeyFromJwk({ ...privateKeyToJwk(key), oth: [{}] }, entropy), twoOnly(3))
  const future = derSequence(...integers(2n, n, e, d, p, q, dP, dQ, qInv))
  t.throws(() => decodePkcs1Private(future, entropy), { message: /PKCS#1 version 2 is not known/ })
  t.end()
})

t.test('DER has one encoding', (t) => {
  const pkcs8 = encodePkcs8(key)
  const spki = encodeSpki(key)
  t.throws(() => decodePkcs8(Buffer.concat([pkcs8, Buffer.of(0)]), entropy), { code: 'encoding' })
  t.throws(() => decodeSpki(Buffer.concat([spki, Buffer.of(0)])), { code: 'encoding' })
  for (let length = 0; length < spki.length; length++) {
    t.throws(() => decodeSpki(spki.subarray(0, length)), { code: 'encoding' })
  }
  // The length of the outer sequence in three octets instead of two: 30 82 xx xx to 30 83 00 xx xx.
  const long = Buffer.concat([Buffer.of(0x30, 0x83, 0), spki.subarray(2)])
  t.throws(() => decodeSpki(long), { message: /length is not minimal/ })
  const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), spki.subarray(4), Buffer.of(0, 0)])
  t.throws(() => decodeSpki(indefinite), { message: /indefinite/ })
  t.end()
})

t.test('a bit flipped in SubjectPublicKeyInfo throws nothing but RsaError', (t) => {
  const spki = encodeSpki(key)
  let refused = 0
  for (let bit = 0; bit < spki.length * 8; bit++) {
    try {
      const decoded = decodeSpki(flipped(spki, bit))
      t.notSame(decoded, { n: key.n, e: key.e })
    } catch (error) {
      refused++
      if (!(error instanceof Error) || error.name !== 'RsaError') t.fail(`bit ${bit}: ${error}`)
    }
  }
  t.ok(refused > 200, 'all of the structure is checked')
  t.end()
})

t.test('keys of other algorithms are refused', (t) => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = new Uint8Array(ec.publicKey.export({ type: 'spki', format: 'der' }))
  t.throws(() => decodeSpki(der), { message: /algorithm is not rsaEncryption/ })
  t.end()
})

t.test('PEM is one block of canonical base64 with a known label', (t) => {
  t.throws(() => privateKeyFromPem('', entropy), { code: 'encoding' })
  t.throws(() => privateKeyFromPem(pem + pem, entropy), { message: /2 keys where one is expected/ })
  t.throws(() => privateKeyFromPem(pem.replace('END PRIVATE', 'END PUBLIC'), entropy), {
    code: 'encoding',
  })
  t.throws(() => publicKeyFromPem(pem), { message: /"PRIVATE KEY" is not a public/ })
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString()
  t.throws(() => privateKeyFromPem(spki, entropy), { message: /not a private RSA key/ })
  t.equal(publicKeyFromPem(spki.replaceAll('\n', '\r\n')).n, key.n, 'line ends may be of DOS')
  t.end()
})

t.test('an encrypted key is refused with advice', (t) => {
  const options = { cipher: 'aes-256-cbc', passphrase: 'secret', format: 'pem' } as const
  const reasons = {
    pkcs8: [/it is under a passphrase/, /"ENCRYPTED PRIVATE KEY" is not a public RSA key/],
    pkcs1: [/of an old form; openssl pkey -in/, /"RSA PRIVATE KEY" is not a public RSA key/],
  } as const
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    const encrypted = createPrivateKey(pem)
      .export({ type, ...options })
      .toString()
    const [asPrivate, asPublic] = reasons[type]
    const code = 'encoding'
    t.throws(() => privateKeyFromPem(encrypted, entropy), { code, message: asPrivate }, type)
    t.throws(() => publicKeyFromPem(encrypted), { code, message: asPublic }, type)
  }
  t.end()
})

t.test('JWK members are canonical and complete', (t) => {
  const jwk = privateKeyToJwk(key)
  const read = (value: unknown) => () => privateKeyFromJwk(value, entropy, { rounds: 1 })
  for (const name of ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi']) {
    t.throws(read({ ...jwk, [name]: undefined }), { message: new RegExp(`"${name}" is missing`) })
  }
  t.throws(read({ ...jwk, e: 'AAEAAQ' }), { message: /without leading zeros/ })
  t.throws(read({ ...jwk, e: 'AQAB=' }), { code: 'encoding' })
  t.throws(read({ ...jwk, kty: 'EC' }), { code: 'encoding' })
  t.throws(read({ ...jwk, oth: [] }), { message: /two primes/ })
  t.throws(read(null), { code: 'encoding' })
  t.end()
})
