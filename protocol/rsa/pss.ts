// RSASSA-PSS (RFC 8017 sections 8.1 and 9.1).

import type { Entropy } from '../entropy.js'
import { digest, hashLength, isShake, maskOf, type PssHashName } from './hashes.js'
import { demandUse, pssDefaults, type KeyUse } from './key-limits.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { bitLength, concat, draw, toInteger, toOctets, xorInto } from './octets.js'
import { privateOperation, publicOperation } from './primitives.js'
import { RsaError } from './rsa-error.js'

/** The parameters of PSS; both sides need the same. */
export interface PssOptions {
  /** That of the key's limits by default, else SHA-256. */
  readonly hash?: PssHashName
  /** As `hash` by default. A SHAKE is its own mask, and no other's (RFC 8702). */
  readonly mgf1Hash?: PssHashName
  /** Bytes; the length of the hash by default. A signature with another salt does not verify. */
  readonly saltLength?: number
}

const TRAILER = 0xbc
const eightZeros = new Uint8Array(8)

/**
 * Length of the longest salt that a signature by a key holds: emLen - hLen - 2.
 *
 * @param key - The key.
 * @param hash - The hash function of PSS.
 * @returns Bytes.
 */
export function pssMaxSaltLength(
  key: RsaPublicKey,
  hash: PssHashName = pssDefaults(key).hash,
): number {
  return encodedLength(key) - hashLength(hash) - 2
}

/**
 * Signs by RSASSA-PSS (RFC 8017 section 8.1.1).
 *
 * @param key - The private key of the signer.
 * @param message - Of any length.
 * @param entropy - For the salt, and the blinding of the private operation.
 * @param options - Hashes and salt length.
 * @returns The signature, k bytes.
 * @throws RsaError `range` for a salt length below 0 or above {@link pssMaxSaltLength}; `key` if the
 * key's limits exclude this; `entropy` for a source that gives another number of bytes; `fault` if
 * the result contradicts the public key.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { generateKey, pssSign, pssVerify } from 'troca/rsa'
 *
 * const key = generateKey(2048, randomBytes)
 * const signature = pssSign(key, Buffer.from('olá'), randomBytes)
 * console.log(pssVerify(key, Buffer.from('olá'), signature)) // true
 * ```
 */
export function pssSign(
  key: RsaPrivateKey,
  message: Uint8Array,
  entropy: Entropy,
  options: PssOptions = {},
): Uint8Array {
  const { hash, mgf1Hash, saltLength } = parametersOf(key, 'sign', options)
  const longest = pssMaxSaltLength(key, hash)
  if (!isLength(saltLength) || saltLength > longest) {
    throw new RsaError('range', `salt of ${saltLength} bytes; 0 to ${longest} are possible`)
  }
  const paddingLength = longest - saltLength
  const salt = draw(entropy, saltLength)
  const h = digest(hash, eightZeros, digest(hash, message), salt)
  const block = concat(new Uint8Array(paddingLength), Uint8Array.of(1), salt)
  xorInto(block, maskOf(mgf1Hash, h, block.length))
  block[0] = (block[0] ?? 0) & topMask(key)
  const encoded = toInteger(concat(block, h, Uint8Array.of(TRAILER)))
  return toOctets(privateOperation(key, encoded, entropy), key.bytes)
}

/**
 * Verifies by RSASSA-PSS (RFC 8017 section 8.1.2). A signature of another length, hash or salt
 * length is not valid.
 *
 * @param key - The public key of the signer.
 * @param message - The signed message.
 * @param signature - The signature to verify.
 * @param options - Hashes and salt length.
 * @returns Whether the holder of `key` made `signature` over `message`.
 * @throws RsaError `key` if the key's limits exclude this.
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { pssVerify, publicKeyFromPem } from 'troca/rsa'
 *
 * const key = publicKeyFromPem(readFileSync('public.pem', 'utf8'))
 * const isSigned = pssVerify(key, readFileSync('note'), readFileSync('note.sig'))
 * console.log(isSigned ? 'signed' : 'not signed')
 * ```
 */
export function pssVerify(
  key: RsaPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  options: PssOptions = {},
): boolean {
  const { hash, mgf1Hash, saltLength } = parametersOf(key, 'verify', options)
  const paddingLength = pssMaxSaltLength(key, hash) - saltLength
  if (!isLength(saltLength) || paddingLength < 0 || signature.length !== key.bytes) return false
  const x = toInteger(signature)
  if (x >= key.n) return false
  const size = encodedLength(key)
  const representative = publicOperation(key, x)
  // A modulus of 8i + 1 bits leaves an encoded message one byte shorter than the signature.
  if (bitLength(representative) > 8 * size) return false
  const encoded = toOctets(representative, size)
  const block = encoded.slice(0, size - hashLength(hash) - 1)
  const h = encoded.subarray(block.length, size - 1)
  if (encoded[size - 1] !== TRAILER || ((block[0] ?? 0) & ~topMask(key)) !== 0) return false
  xorInto(block, maskOf(mgf1Hash, h, block.length))
  block[0] = (block[0] ?? 0) & topMask(key)
  if (block[paddingLength] !== 1 || block.subarray(0, paddingLength).some(Boolean)) return false
  const salt = block.subarray(paddingLength + 1)
  const expected = digest(hash, eightZeros, digest(hash, message), salt)
  return expected.every((byte, i) => byte === h[i])
}

/** The parameters as given, or the key's own; its limits must allow them. */
function parametersOf(key: RsaPublicKey, use: KeyUse, options: PssOptions): Required<PssOptions> {
  const own = pssDefaults(key)
  const { hash = own.hash } = options
  const { saltLength = Math.max(hashLength(hash), own.minSaltLength ?? 0) } = options
  const { mgf1Hash = hash === own.hash ? (own.mgf1Hash ?? hash) : hash } = options
  if ((isShake(hash) || isShake(mgf1Hash)) && hash !== mgf1Hash) {
    throw new RsaError('range', `${hash} and ${mgf1Hash}: a SHAKE is its own mask (RFC 8702)`)
  }
  demandUse(key, use, { hash, mgf1Hash, saltLength })
  return { hash, mgf1Hash, saltLength }
}

/** emLen: an encoded message has one bit less than the modulus. */
function encodedLength(key: RsaPublicKey): number {
  return Math.ceil((key.bits - 1) / 8)
}

/** The bits of the first byte that an encoded message may use. */
function topMask(key: RsaPublicKey): number {
  return 0xff >> (8 * encodedLength(key) - (key.bits - 1))
}

function isLength(length: number): boolean {
  return Number.isInteger(length) && length >= 0
}
