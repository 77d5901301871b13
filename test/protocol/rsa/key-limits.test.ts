// Limits of keys: id-RSASSA-PSS with its parameters, and "use", "key_ops" and "alg" of a JWK.

import { generateKeyPairSync, sign, verify, constants } from 'node:crypto'
import type { RSAPSSKeyPairKeyObjectOptions } from 'node:crypto'
import t from 'tap'
import { derBitString, derInteger, derNull, derSequence } from '../../../protocol/rsa/der.js'
import {
  decodePkcs8,
  decodeSpki,
  encodePkcs1Public,
  encodePkcs8,
  encodeSpki,
} from '../../../protocol/rsa/formats.js'
import { hashLength, HASH_NAMES, PSS_HASH_NAMES } from '../../../protocol/rsa/hashes.js'
import {
  privateKeyFromJwk,
  privateKeyToJwk,
  publicKeyFromJwk,
  publicKeyToJwk,
  thumbprint,
} from '../../../protocol/rsa/jwk.js'
import type { KeyUse } from '../../../protocol/rsa/key-limits.js'
import { publicKeyOf, type RsaPrivateKey } from '../../../protocol/rsa/keys.js'
import { oaepCapacity, oaepDecrypt, oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import type { OaepOptions } from '../../../protocol/rsa/oaep.js'
import { pssMaxSaltLength, pssSign, pssVerify } from '../../../protocol/rsa/pss.js'
import type { PssOptions } from '../../../protocol/rsa/pss.js'
import { MGF1, RSASSA_PSS, SHA384, oid, tagged } from './elements.js'
import { entropy, fixture } from './fixtures.js'

t.setTimeout(120_000)

const { key, openssl } = fixture(2048)
const fast = { rounds: 1 }
const message = Buffer.from('attack at dawn')
const signed = pssSign(key, message, entropy)
const sealed = oaepEncrypt(key, message, entropy(32))

/** Tries each use with the options; gives those that are not refused. */
function usesOf(
  given: RsaPrivateKey,
  { pss = {}, oaep = {} }: { pss?: PssOptions; oaep?: OaepOptions } = {},
): KeyUse[] {
  const attempts: Record<KeyUse, () => unknown> = {
    encrypt: () => oaepEncrypt(given, message, entropy(hashLength(oaep.hash ?? 'sha256')), oaep),
    decrypt: () => oaepDecrypt(given, sealed, entropy, oaep),
    sign: () => pssSign(given, message, entropy, pss),
    verify: () => pssVerify(given, message, signed, pss),
  }
  return (Object.keys(attempts) as KeyUse[]).filter((use) => {
    try {
      attempts[use]()
      return true
    } catch (error) {
      const { code, message: reason } = error as { code: string; message: string }
      if (code !== 'key' || !reason.startsWith('this key must not be used so: ')) throw error
      return false
    }
  })
}

// ---- id-RSASSA-PSS ------------------------------------------------------------------------------

const context = (number: number, content: Uint8Array): Uint8Array => tagged(0xa0 + number, content)
const sha384 = context(0, derSequence(SHA384, derNull()))
const mgf1 = (hash: Uint8Array): Uint8Array => context(1, derSequence(MGF1, hash))
const mask = mgf1(derSequence(SHA384))
const salt = (length: bigint): Uint8Array => context(2, derInteger(length))
const spkiOf = (...algorithm: Uint8Array[]): Uint8Array =>
  derSequence(derSequence(...algorithm), derBitString(encodePkcs1Public(key)))
const limitsOf = (...parameters: Uint8Array[]) =>
  decodeSpki(spkiOf(RSASSA_PSS, derSequence(...parameters))).limits

t.test(
  'OpenSSL and node:crypto make keys of id-RSASSA-RSASSA_PSS, which are read and enforced',
  (t) => {
    const parameters = { hashAlgorithm: 'sha384', mgf1HashAlgorithm: 'sha256', saltLength: 40 }
    // The declarations have a string for saltLength; Node takes a number.
    const options = { modulusLength: 2048, ...parameters } as unknown
    const made = generateKeyPairSync('rsa-pss', options as RSAPSSKeyPairKeyObjectOptions)
    const pkcs8 = new Uint8Array(made.privateKey.export({ type: 'pkcs8', format: 'der' }))
    const spki = new Uint8Array(made.publicKey.export({ type: 'spki', format: 'der' }))
    const own = decodePkcs8(pkcs8, entropy, fast)
    const pub = decodeSpki(spki)
    const pss = { hash: 'sha384', mgf1Hash: 'sha256', minSaltLength: 40, maxSaltLength: Infinity }
    t.match(own.limits, { uses: ['sign', 'verify'], pss })
    t.same(publicKeyOf(own), pub)
    t.same(encodePkcs8(own), pkcs8, 'it is written as it came')
    t.same(encodeSpki(pub), spki)

    const padding = constants.RSA_PKCS1_PSS_PADDING
    for (const saltLength of [40, 48, pssMaxSaltLength(own)]) {
      const ours = pssSign(own, message, entropy, { saltLength })
      t.ok(verify('sha384', message, { key: made.publicKey, padding, saltLength }, ours))
      const theirs = sign('sha384', message, { key: made.privateKey, padding, saltLength })
      t.ok(pssVerify(pub, message, theirs, { saltLength }), `a salt of ${saltLength}`)
    }
    t.ok(pssVerify(pub, message, pssSign(own, message, entropy)), "by default the key's parameters")
    const refusals: readonly [PssOptions, RegExp][] = [
      [{ hash: 'sha256' }, /its hash and mask are sha384\/sha256, and sha256\/sha256 is asked/],
      [{ mgf1Hash: 'sha384' }, /sha384\/sha256, and sha384\/sha384 is asked/],
      [
        { saltLength: 39 },
        /its salt has at least 40 bytes, and 39 are asked \(it is a key of id-RSA/,
      ],
    ]
    for (const [options, reason] of refusals) {
      const refusal = { code: 'key', message: reason }
      t.throws(() => pssSign(own, message, entropy, options), refusal)
      t.throws(() => pssVerify(pub, message, signed, options), refusal)
    }
    const notTo = /it is not to encrypt, but to sign and verify/
    t.throws(() => oaepEncrypt(pub, message, entropy(32)), { code: 'key', message: notTo })
    t.throws(() => oaepDecrypt(own, sealed, entropy), { code: 'key', message: /not to decrypt/ })
    t.end()
  },
)

t.test('parameters of id-RSASSA-PSS: absent, defaults, and SHAKE', (t) => {
  t.same(decodeSpki(spkiOf(RSASSA_PSS)).limits?.pss, undefined, 'absent: any parameters')
  const free = { ...key, limits: decodeSpki(spkiOf(RSASSA_PSS)).limits! }
  t.same(usesOf(free, { pss: { hash: 'sha512', saltLength: 0 } }), ['sign', 'verify'])
  const sha1 = { hash: 'sha1', mgf1Hash: 'sha1', minSaltLength: 20, maxSaltLength: Infinity }
  t.same(limitsOf()?.pss, sha1, 'an empty sequence: the defaults of RFC 4055')
  const all = { hash: 'sha384', mgf1Hash: 'sha384', minSaltLength: 48, maxSaltLength: Infinity }
  t.same(limitsOf(sha384, mask, salt(48n))?.pss, all)
  const trailer = context(3, derInteger(1n))
  t.same(limitsOf(sha384, mask, salt(48n), trailer)?.pss, all)
  t.same(limitsOf(sha384, mgf1(derSequence(SHA384, derNull())), salt(48n))?.pss, all)

  const shakes = [
    ['1e', 'shake128', 32],
    ['1f', 'shake256', 64],
  ] as const
  for (const [arc, hash, length] of shakes) {
    const spki = spkiOf(oid(`2b060105050706${arc}`))
    const pss = { hash, mgf1Hash: hash, minSaltLength: length, maxSaltLength: length }
    const { limits } = decodeSpki(spki)
    t.same(limits?.pss, pss)
    t.same(encodeSpki(decodeSpki(spki)), spki)
    const limited = { ...key, limits: limits! }
    t.ok(pssVerify(limited, message, pssSign(limited, message, entropy)))
    t.same(usesOf(limited, { pss: { hash: 'sha256' } }), [])
  }
  t.end()
})

t.test('other parameters of id-RSASSA-PSS are refused', (t) => {
  const sha3 = derSequence(oid('608648016503040208'))
  const refusals: readonly [readonly Uint8Array[], RegExp][] = [
    [[context(0, sha3)], /name a hash other than SHA-1 and SHA-2/],
    [[mgf1(sha3)], /name a hash other than SHA-1 and SHA-2/],
    [[context(1, derSequence(SHA384, derSequence(SHA384)))], /name a mask other than MGF1/],
    [[context(3, derInteger(2n))], /a trailer field other than 1/],
    [[salt(2000n)], /a salt that no key of these sizes holds/],
    [[mask, sha384], /bytes follow/],
    [[sha384, sha384], /bytes follow/],
    [[derNull()], /bytes follow/],
  ]
  for (const [parameters, reason] of refusals) {
    t.throws(() => limitsOf(...parameters), { code: 'encoding', message: reason })
  }
  t.throws(() => decodeSpki(spkiOf(RSASSA_PSS, derNull())), { message: /expected: sequence/ })
  t.throws(() => decodeSpki(spkiOf(oid('2b0601050507061e'), derNull())), {
    message: /bytes follow/,
  })
  t.end()
})

// ---- JWK ----------------------------------------------------------------------------------------

const jwk = privateKeyToJwk(key)
const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...pubJwk } = jwk
const privately = (members: object) => privateKeyFromJwk({ ...jwk, ...members }, entropy, fast)
/** The private operations need a private key: only the limits are those of the public JWK. */
const publicly = (members: object) => {
  const { limits } = publicKeyFromJwk({ ...pubJwk, ...members })
  return { ...key, ...(limits && { limits }) }
}
const all: KeyUse[] = ['encrypt', 'decrypt', 'sign', 'verify']

t.test('"use", "key_ops" and "alg" of a JWK leave what they say', (t) => {
  const cases: readonly [object, readonly KeyUse[], readonly KeyUse[]][] = [
    [{}, all, all],
    [{ use: 'sig' }, ['sign', 'verify'], ['sign', 'verify']],
    [{ use: 'enc' }, ['encrypt', 'decrypt'], ['encrypt', 'decrypt']],
    [{ use: 'other' }, [], []],
    [{ key_ops: ['sign'] }, ['sign', 'verify'], ['sign']],
    [{ key_ops: ['verify'] }, ['verify'], ['verify']],
    [{ key_ops: ['decrypt'] }, ['encrypt', 'decrypt'], ['decrypt']],
    [{ key_ops: ['wrapKey'] }, ['encrypt'], ['encrypt']],
    [{ key_ops: ['unwrapKey', 'sign'] }, all, ['decrypt', 'sign']],
    [{ key_ops: ['deriveKey'] }, [], []],
    [{ key_ops: [] }, [], []],
    [{ alg: 'PS256' }, ['sign', 'verify'], ['sign', 'verify']],
    [{ alg: 'RSA-OAEP-256' }, ['encrypt', 'decrypt'], ['encrypt', 'decrypt']],
    [{ alg: 'RS256' }, [], []],
    [{ alg: 'RSA1_5' }, [], []],
    [
      { use: 'sig', key_ops: ['sign', 'verify'], alg: 'PS256' },
      ['sign', 'verify'],
      ['sign', 'verify'],
    ],
    [{ use: 'enc', alg: 'PS256' }, [], []],
    [{ use: 'sig', key_ops: ['verify'] }, ['verify'], ['verify']],
  ]
  for (const [members, byPrivate, byPublic] of cases) {
    const what = JSON.stringify(members)
    t.same(usesOf(privately(members)), byPrivate, `private, ${what}`)
    t.same(usesOf(publicly(members)), byPublic, `public, ${what}`)
    t.equal(thumbprint(privately(members)), thumbprint(key))
  }
  const refusal = {
    code: 'key',
    message: /not to encrypt, but to do nothing known here \(its JWK says "alg": "RS256"\)/,
  }
  t.throws(() => oaepEncrypt(publicly({ alg: 'RS256' }), message, entropy(32)), refusal)
  t.end()
})

t.test('"alg" names the hashes, and for PSS the salt', (t) => {
  const algorithms = {
    PS256: 'sha256',
    PS384: 'sha384',
    PS512: 'sha512',
    'RSA-OAEP': 'sha1',
    'RSA-OAEP-256': 'sha256',
    'RSA-OAEP-384': 'sha384',
    'RSA-OAEP-512': 'sha512',
  } as const
  for (const [alg, hash] of Object.entries(algorithms)) {
    const own = privately({ alg })
    const others = HASH_NAMES.filter((name) => name !== hash)
    if (alg.startsWith('PS')) {
      const signature = pssSign(own, message, entropy)
      const padding = constants.RSA_PKCS1_PSS_PADDING
      const theirs = { key: openssl.public, padding, saltLength: hashLength(hash) }
      t.ok(verify(hash, message, theirs, signature), alg)
      for (const other of others)
        t.same(usesOf(own, { pss: { hash: other } }), [], `${alg} ${other}`)
      t.same(usesOf(own, { pss: { hash, saltLength: hashLength(hash) - 1 } }), [])
      t.same(usesOf(own, { pss: { hash, saltLength: hashLength(hash) + 1 } }), [])
    } else {
      const seed = entropy(hashLength(hash))
      t.equal(oaepCapacity(own), 256 - 2 * hashLength(hash) - 2)
      const ciphertext = oaepEncrypt(own, message, seed)
      t.same(oaepDecrypt(key, ciphertext, entropy, { hash }), new Uint8Array(message), alg)
      for (const other of others)
        t.same(usesOf(own, { oaep: { hash: other } }), [], `${alg} ${other}`)
      t.same(usesOf(own, { oaep: { hash, mgf1Hash: others[0]! } }), [])
    }
  }
  t.end()
})

t.test('members of another type, repeated or contradicting are refused', (t) => {
  const refusals: readonly [object, RegExp][] = [
    [{ use: 1 }, /"use" is not a string/],
    [{ alg: null }, /"alg" is not a string/],
    [{ key_ops: 'sign' }, /"key_ops" is not a list of strings/],
    [{ key_ops: ['sign', 1] }, /"key_ops" is not a list of strings/],
    [{ key_ops: ['sign', 'sign'] }, /"key_ops" is not a list without repetitions/],
    [{ use: 'enc', key_ops: ['sign'] }, /"use" and "key_ops" contradict/],
    [{ use: 'sig', key_ops: ['sign', 'decrypt'] }, /"use" and "key_ops" contradict/],
  ]
  for (const [members, reason] of refusals) {
    t.throws(() => privately(members), { code: 'encoding', message: reason })
    t.throws(() => publicly(members), { code: 'encoding', message: reason })
  }
  t.end()
})

t.test('a JWK is written with the limits of its key', (t) => {
  t.same(publicKeyToJwk(key), pubJwk, 'no members without limits')
  const own = privately({ use: 'sig', alg: 'PS384' })
  t.match(privateKeyToJwk(own), { key_ops: ['sign', 'verify'], alg: 'PS384' })
  const half = publicKeyToJwk(publicKeyOf(own))
  t.match(half, { key_ops: ['verify'], alg: 'PS384' })
  t.same(
    usesOf(privateKeyFromJwk(privateKeyToJwk(own), entropy, fast), { pss: { hash: 'sha384' } }),
    ['sign', 'verify'],
  )
  t.same(publicKeyFromJwk(half).limits?.uses, ['verify'])
  const ofPss = { ...key, limits: decodeSpki(spkiOf(RSASSA_PSS)).limits! }
  t.same(publicKeyToJwk(ofPss), { ...pubJwk, key_ops: ['verify'] })
  t.end()
})

// ---- SHAKE --------------------------------------------------------------------------------------

t.test('a SHAKE is hash and mask of PSS at once (RFC 8702)', (t) => {
  for (const hash of ['shake128', 'shake256'] as const) {
    for (const { key } of [fixture(2048), fixture(2049), fixture(2055)]) {
      const signature = pssSign(key, message, entropy, { hash })
      t.ok(pssVerify(key, message, signature, { hash, mgf1Hash: hash }))
      for (const other of PSS_HASH_NAMES.filter((name) => name !== hash)) {
        const options = { hash: other, saltLength: hashLength(hash) }
        t.notOk(pssVerify(key, message, signature, options), other)
      }
      t.notOk(pssVerify(key, Buffer.from('attack at noon'), signature, { hash }))
    }
    const mixed = { code: 'range', message: /a SHAKE is its own mask/ }
    t.throws(() => pssSign(key, message, entropy, { hash, mgf1Hash: 'sha256' }), mixed)
    t.throws(() => pssVerify(key, message, signed, { mgf1Hash: hash }), mixed)
  }
  t.same([hashLength('shake128'), hashLength('shake256')], [32, 64])
  t.end()
})
