// Key files from a seed: every form of a key that is read here, with octets, lengths, tags and lines
// changed. Each gives a key or an RsaError, and nothing else; a private key is never another one.

import t from 'tap'
import {
  derBitString,
  derInteger,
  derNull,
  derOctetString,
  derSequence,
} from '../../protocol/rsa/der.js'
import {
  decodePkcs1Private,
  decodePkcs1Public,
  decodePkcs8,
  decodeSpki,
  encodePkcs1Private,
  encodePkcs1Public,
  encodePkcs8,
  encodeSpki,
} from '../../protocol/rsa/formats.js'
import { privateKeyFromJwk, privateKeyToJwk, publicKeyFromJwk } from '../../protocol/rsa/jwk.js'
import { pemFromFile } from '../../protocol/rsa/key-text.js'
import { concat } from '../../protocol/rsa/octets.js'
import { decodeEncryptedPkcs8, encodeEncryptedPkcs8 } from '../../protocol/rsa/pbes2.js'
import { pemBlocks, privateKeyFromPem, publicKeyFromPem } from '../../protocol/rsa/pem.js'
import { RsaError } from '../../protocol/rsa/rsa-error.js'
import { MGF1, RSASSA_PSS, SHA384, oid, rsaEncryption, tagged } from '../protocol/rsa/elements.js'
import { entropy, fixture } from '../protocol/rsa/fixtures.js'
import { Random } from '../simulator/random.js'

t.setTimeout(240_000)

const SEED = 1
const CASES = 20_000
const { key, pem } = fixture(2048)
/** No tests of primes: only the structure is looked at. */
const policy = { rounds: 0 }

const hash = derSequence(SHA384, derNull())
const parameters = derSequence(
  tagged(0xa0, hash),
  tagged(0xa1, derSequence(MGF1, hash)),
  tagged(0xa2, derInteger(48n)),
  tagged(0xa3, derInteger(1n)),
)
const pss = derSequence(RSASSA_PSS, parameters)
const pkcs1 = derOctetString(encodePkcs1Private(key))
const half = tagged(0x81, concat(Uint8Array.of(0), encodePkcs1Public(key)))
const attributes = tagged(0xa0, derSequence(oid('551d0f'), tagged(0x31, derNull())))
const several = derSequence(
  derInteger(1n),
  ...[key.n, key.e, key.d, key.p, key.q, key.dP, key.dQ, key.qInv].map(derInteger),
  derSequence(derSequence(derInteger(3n), derInteger(1n), derInteger(1n))),
)
const SEEDS: readonly Uint8Array[] = [
  encodePkcs8(key),
  encodePkcs1Private(key),
  encodeSpki(key),
  encodePkcs1Public(key),
  derSequence(derInteger(0n), pss, pkcs1, attributes),
  derSequence(derInteger(1n), rsaEncryption, pkcs1, attributes, half),
  derSequence(pss, derBitString(encodePkcs1Public(key))),
  encodeEncryptedPkcs8(key, 'secret', entropy, 1),
  several,
]

/** Octets that mean something in DER: tags, lengths, and the edges. */
const TELLING = [0, 1, 0x02, 0x04, 0x05, 0x06, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xa3, 0xff]

function varied(seed: Uint8Array, random: Random): Uint8Array {
  let octets: Uint8Array = Uint8Array.from(seed)
  // The structure is at the front; the integers behind it are long.
  const at = (): number => Math.floor(random.float() ** 3 * octets.length)
  const byte = (): number => TELLING[random.u32() % TELLING.length]!
  for (let changes = 1 + (random.u32() % 4); changes > 0; changes--) {
    const place = at()
    const kind = random.u32() % 6
    if (kind === 0) octets[place] = byte()
    if (kind === 1) octets[place] = (octets[place] ?? 0) ^ (1 << (random.u32() % 8))
    if (kind === 2) octets = octets.slice(0, place)
    if (kind === 3)
      octets = Uint8Array.from([...octets.slice(0, place), ...octets.slice(place + 1)])
    if (kind === 4) {
      octets = Uint8Array.from([...octets.slice(0, place), byte(), ...octets.slice(place)])
    }
    if (kind === 5) {
      const other = SEEDS[random.u32() % SEEDS.length]!
      const from = Math.floor(random.float() * other.length)
      octets = concat(octets.slice(0, place), other.slice(from, from + 20), octets.slice(place))
    }
  }
  return octets
}

/** Whether it gave a key. Any error but RsaError fails the test. */
function reads(read: () => { n: bigint; d?: bigint } | readonly string[] | string): boolean {
  try {
    const given = read()
    if (typeof given === 'object' && 'd' in given && given.d !== undefined && given.n !== key.n) {
      throw new Error('another private key')
    }
    return true
  } catch (error) {
    if (error instanceof RsaError) return false
    throw error
  }
}

function count(t: Tap, cases: number, read: (random: Random, i: number) => boolean): number {
  const random = new Random(SEED, 'keys')
  let keys = 0
  for (let i = 0; i < cases; i++) {
    try {
      if (read(random, i)) keys++
    } catch (error) {
      t.fail(`seed ${SEED}, case ${i}: ${String(error)}`)
    }
  }
  return keys
}
type Tap = { readonly fail: (text: string) => unknown }

t.test(`${CASES} changed structures at each decoder`, async (t) => {
  const decoders: readonly ((der: Uint8Array) => { n: bigint })[] = [
    (der) => decodePkcs8(der, entropy, policy),
    (der) => decodePkcs1Private(der, entropy, policy),
    (der) => decodeSpki(der, policy),
    (der) => decodePkcs1Public(der, policy),
    (der) => decodeEncryptedPkcs8(der, 'secret', entropy, policy),
  ]
  for (const seed of SEEDS.slice(0, -1)) {
    t.ok(
      decoders.some((decode) => reads(() => decode(seed))),
      'a seed is read unchanged',
    )
  }
  const keys = count(t, CASES, (random, i) => {
    const der = varied(SEEDS[i % SEEDS.length]!, random)
    return decoders.some((decode) => reads(() => decode(der)))
  })
  t.comment(`${keys} of ${CASES} were read`)
  t.ok(keys > 0 && keys < CASES / 2, 'some changes do not matter, most do')
})

t.test('changed files: PEM, DER and noise', async (t) => {
  const lines = [
    ...pem.split('\n'),
    '-----BEGIN PUBLIC KEY-----',
    '-----END PUBLIC KEY-----',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----',
    '-----BEGIN -----',
    'Proc-Type: 4,ENCRYPTED',
    'Bag Attributes',
    '\ufeff',
    '',
    '{"kty": "RSA"',
  ]
  const keys = count(t, CASES, (random, i) => {
    let file: Uint8Array
    if (i % 2 === 0) {
      const chosen = pem.split('\n')
      for (let changes = 1 + (random.u32() % 3); changes > 0; changes--) {
        const place = random.u32() % (chosen.length + 1)
        chosen.splice(place, random.u32() % 2, lines[random.u32() % lines.length]!)
      }
      file = Buffer.from(chosen.join(random.u32() % 8 === 0 ? '\r\n' : '\n'))
    } else {
      file = varied(SEEDS[(i >> 1) % SEEDS.length]!, random)
    }
    const text = (): string => pemFromFile(file)
    const blocks = reads(() => pemBlocks(text()))
    const secret = reads(() => privateKeyFromPem(text(), entropy, policy))
    const open = reads(() => publicKeyFromPem(text(), policy))
    return blocks && (secret || open)
  })
  t.comment(`${keys} of ${CASES} were read`)
  t.ok(keys > 0)
})

t.test('changed JWKs', async (t) => {
  const jwk: Readonly<Record<string, unknown>> = {
    ...privateKeyToJwk(key),
    use: 'sig',
    key_ops: ['sign'],
    alg: 'PS256',
  }
  const names = [...Object.keys(jwk), 'oth', '__proto__', 'constructor']
  const values = [
    '',
    'AQAB',
    'AA',
    'sig',
    'enc',
    'PS512',
    '=',
    0,
    1n,
    true,
    null,
    undefined,
    [],
    {},
  ]
  const lists = [['sign', 'sign'], ['verify'], ['decrypt', 'toString'], [null], [['sign']]]
  const all = [...values, ...lists, jwk['n'], jwk['p']]
  const keys = count(t, CASES, (random) => {
    const changed = { ...jwk }
    for (let changes = 1 + (random.u32() % 3); changes > 0; changes--) {
      const name = names[random.u32() % names.length]!
      if (random.u32() % 4 === 0) delete changed[name]
      else changed[name] = all[random.u32() % all.length]
    }
    const secret = reads(() => privateKeyFromJwk(changed, entropy, policy))
    return reads(() => publicKeyFromJwk(changed, policy)) || secret
  })
  t.comment(`${keys} of ${CASES} were read`)
  t.ok(keys > 0 && keys < CASES)
})
