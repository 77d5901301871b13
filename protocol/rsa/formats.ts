// Keys as DER: PKCS#1 (RFC 8017 appendix A.1), SubjectPublicKeyInfo (RFC 5280 section 4.1) and
// PKCS#8 PrivateKeyInfo (RFC 5208 section 5; version 1 is RFC 5958's OneAsymmetricKey). Decoding
// returns checked keys: RsaError `encoding` for an invalid structure, `key` for a key that must not
// be used. A key of id-RSASSA-PSS keeps its limits, and its AlgorithmIdentifier when it is written.

import type { Entropy } from '../entropy.js'
import { algorithmOf, readAlgorithm } from './algorithms.js'
import { DerReader, derBitString, derInteger, derOctetString, derSequence } from './der.js'
import { checkPrivateKey, checkPublicKey, type KeyPolicy } from './key-checks.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { RsaError } from './rsa-error.js'

/**
 * Writes a key as PKCS#1 RSAPublicKey (RFC 8017 A.1.1).
 *
 * @param key - The key.
 * @returns DER.
 */
export function encodePkcs1Public({ n, e }: RsaPublicKey): Uint8Array {
  return derSequence(derInteger(n), derInteger(e))
}

/**
 * Reads a key from PKCS#1 RSAPublicKey (RFC 8017 A.1.1).
 *
 * @param der - DER, and nothing after it.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function decodePkcs1Public(der: Uint8Array, policy?: KeyPolicy): RsaPublicKey {
  const key = only(der)
  const [n, e] = [key.integer(), key.integer()]
  key.end()
  return checkPublicKey(n, e, policy)
}

/**
 * Writes a key as PKCS#1 RSAPrivateKey of two primes (RFC 8017 A.1.2).
 *
 * @param key - The key.
 * @returns DER.
 */
export function encodePkcs1Private(key: RsaPrivateKey): Uint8Array {
  const { n, e, d, p, q, dP, dQ, qInv } = key
  return derSequence(...[0n, n, e, d, p, q, dP, dQ, qInv].map(derInteger))
}

/**
 * Reads a key from PKCS#1 RSAPrivateKey of two primes (RFC 8017 A.1.2).
 *
 * @param der - DER, and nothing after it.
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function decodePkcs1Private(
  der: Uint8Array,
  entropy: Entropy,
  policy?: KeyPolicy,
): RsaPrivateKey {
  const key = only(der)
  const version = key.integer()
  if (version === 1n) refuseSeveralPrimes(key)
  if (version !== 0n) throw new RsaError('encoding', `PKCS#1 version ${version} is not known`)
  const parts = {
    n: key.integer(),
    e: key.integer(),
    d: key.integer(),
    p: key.integer(),
    q: key.integer(),
    dP: key.integer(),
    dQ: key.integer(),
    qInv: key.integer(),
  }
  key.end()
  return checkPrivateKey(parts, entropy, policy)
}

/**
 * Writes a key as SubjectPublicKeyInfo (RFC 5280 section 4.1).
 *
 * @param key - The key.
 * @returns DER.
 */
export function encodeSpki(key: RsaPublicKey): Uint8Array {
  return derSequence(algorithmOf(key), derBitString(encodePkcs1Public(key)))
}

/**
 * Reads a key from SubjectPublicKeyInfo (RFC 5280 section 4.1).
 *
 * @param der - DER, and nothing after it.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function decodeSpki(der: Uint8Array, policy?: KeyPolicy): RsaPublicKey {
  const info = only(der)
  const limits = readAlgorithm(info.sequence())
  const key = info.bitString()
  info.end()
  return { ...decodePkcs1Public(key, policy), ...(limits && { limits }) }
}

/**
 * Writes a key as PKCS#8 PrivateKeyInfo, version 0, without attributes (RFC 5208 section 5).
 *
 * @param key - The key.
 * @returns DER.
 */
export function encodePkcs8(key: RsaPrivateKey): Uint8Array {
  return derSequence(derInteger(0n), algorithmOf(key), derOctetString(encodePkcs1Private(key)))
}

/**
 * Reads a key from PKCS#8 PrivateKeyInfo (RFC 5208 section 5). Attributes are left out. In version
 * 1 (RFC 5958) the public key follows, which must be that of the private key.
 *
 * @param der - DER, and nothing after it.
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function decodePkcs8(der: Uint8Array, entropy: Entropy, policy?: KeyPolicy): RsaPrivateKey {
  const info = only(der)
  const version = info.integer()
  if (version > 1n) throw new RsaError('encoding', `PKCS#8 version ${version} is not known`)
  const limits = readAlgorithm(info.sequence())
  const pkcs1 = info.octetString()
  info.optional('context0')
  const half = version === 1n ? info.bitString('bits1') : undefined
  info.end()
  const key = decodePkcs1Private(pkcs1, entropy, policy)
  if (half && Buffer.compare(half, encodePkcs1Public(key)) !== 0) {
    throw new RsaError('key', 'bad RSA key: its public key is not that of the private key')
  }
  return { ...key, ...(limits && { limits }) }
}

/** RFC 8017 A.1.2: version 1 has OtherPrimeInfos after the eight integers. */
function refuseSeveralPrimes(key: DerReader): never {
  for (let i = 0; i < 8; i++) key.integer()
  const others = key.sequence()
  let primes = 2
  for (; !others.isAtEnd; primes++) others.sequence()
  throw new RsaError('encoding', severalPrimes(String(primes)))
}

/** What is so, and what to do, for a key of more than two primes. */
export function severalPrimes(count: string): string {
  const advice = 'no program can make two of them, so make a new key: troca rsa gen --out NEW'
  return `it has ${count} primes, and only keys of two primes are known; ${advice}`
}

function only(der: Uint8Array): DerReader {
  const reader = new DerReader(der)
  const sequence = reader.sequence()
  reader.end()
  return sequence
}
