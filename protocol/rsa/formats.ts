// Keys as DER: PKCS#1 (RFC 8017 appendix A.1), SubjectPublicKeyInfo (RFC 5280 section 4.1) and
// PKCS#8 PrivateKeyInfo (RFC 5208 section 5). Decoding returns checked keys: RsaError `encoding`
// for an invalid structure, `key` for a key that must not be used.

import type { Entropy } from '../entropy.js'
import {
  DerReader,
  derBitString,
  derInteger,
  derNull,
  derObjectIdentifier,
  derOctetString,
  derSequence,
} from './der.js'
import { checkPrivateKey, checkPublicKey, type KeyPolicy } from './key-checks.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { RsaError } from './rsa-error.js'

// 1.2.840.113549.1.1.1
const rsaEncryption = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01)

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
  if (key.integer() !== 0n) throw new RsaError('encoding', 'only keys of two primes are known')
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
  return derSequence(algorithm(), derBitString(encodePkcs1Public(key)))
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
  requireRsa(info.sequence())
  const key = info.bitString()
  info.end()
  return decodePkcs1Public(key, policy)
}

/**
 * Writes a key as PKCS#8 PrivateKeyInfo, version 0, without attributes (RFC 5208 section 5).
 *
 * @param key - The key.
 * @returns DER.
 */
export function encodePkcs8(key: RsaPrivateKey): Uint8Array {
  return derSequence(derInteger(0n), algorithm(), derOctetString(encodePkcs1Private(key)))
}

/**
 * Reads a key from PKCS#8 PrivateKeyInfo, version 0, without attributes (RFC 5208 section 5).
 *
 * @param der - DER, and nothing after it.
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function decodePkcs8(der: Uint8Array, entropy: Entropy, policy?: KeyPolicy): RsaPrivateKey {
  const info = only(der)
  if (info.integer() !== 0n) throw new RsaError('encoding', 'only PKCS#8 version 0 is known')
  requireRsa(info.sequence())
  const key = info.octetString()
  info.end()
  return decodePkcs1Private(key, entropy, policy)
}

function only(der: Uint8Array): DerReader {
  const reader = new DerReader(der)
  const sequence = reader.sequence()
  reader.end()
  return sequence
}

function algorithm(): Uint8Array {
  return derSequence(derObjectIdentifier(rsaEncryption), derNull())
}

function requireRsa(algorithmIdentifier: DerReader): void {
  const arcs = algorithmIdentifier.objectIdentifier()
  if (Buffer.compare(arcs, rsaEncryption) !== 0) {
    throw new RsaError('encoding', 'the algorithm is not rsaEncryption (1.2.840.113549.1.1.1)')
  }
  algorithmIdentifier.null()
  algorithmIdentifier.end()
}
