// RSASSA-PSS (RFC 8017 sections 8.1 and 9.1).

import type { Entropy } from '../machine.js'
import { digest, hashLength, mgf1 } from './hashes.js'
import type { HashName } from './hashes.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { concat, toInteger, toOctets, xorInto } from './octets.js'
import { privateOperation, publicOperation } from './primitives.js'
import { RsaError } from './rsa-error.js'

export interface PssOptions {
  /** SHA-256 by default. */
  readonly hash?: HashName
  /** As `hash` by default. */
  readonly mgf1Hash?: HashName
  /** Bytes; the length of the hash by default. A signature with another salt does not verify. */
  readonly saltLength?: number
}

const TRAILER = 0xbc
const eightZeros = new Uint8Array(8)

/** The signature, k bytes. RsaError `range` when hash and salt do not fit; `fault`. */
export function pssSign(
  key: RsaPrivateKey,
  message: Uint8Array,
  entropy: Entropy,
  options: PssOptions = {},
): Uint8Array {
  const { hash = 'sha256', mgf1Hash = hash, saltLength = hashLength(hash) } = options
  const size = Math.ceil((key.bits - 1) / 8)
  const paddingLength = size - saltLength - hashLength(hash) - 2
  if (paddingLength < 0) throw new RsaError('range', 'hash and salt do not fit into the modulus')
  const salt = entropy(saltLength)
  const h = digest(hash, eightZeros, digest(hash, message), salt)
  const block = concat(new Uint8Array(paddingLength), Uint8Array.of(1), salt)
  xorInto(block, mgf1(mgf1Hash, h, block.length))
  block[0] = (block[0] ?? 0) & topMask(key.bits)
  const encoded = toInteger(concat(block, h, Uint8Array.of(TRAILER)))
  return toOctets(privateOperation(key, encoded, entropy), key.bytes)
}

/** Whether `signature` is the holder's of `key` over `message`; never throws for what it is given. */
export function pssVerify(
  key: RsaPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  options: PssOptions = {},
): boolean {
  const { hash = 'sha256', mgf1Hash = hash, saltLength = hashLength(hash) } = options
  const x = toInteger(signature)
  if (signature.length !== key.bytes || x >= key.n) return false
  const size = Math.ceil((key.bits - 1) / 8)
  const paddingLength = size - saltLength - hashLength(hash) - 2
  const representative = publicOperation(key, x)
  // A modulus of 8i + 1 bits leaves an encoded message one byte shorter than the signature.
  if (paddingLength < 0 || representative >> BigInt(8 * size) !== 0n) return false
  const encoded = toOctets(representative, size)
  const block = encoded.slice(0, size - hashLength(hash) - 1)
  const h = encoded.subarray(block.length, size - 1)
  if (encoded[size - 1] !== TRAILER || ((block[0] ?? 0) & ~topMask(key.bits)) !== 0) return false
  xorInto(block, mgf1(mgf1Hash, h, block.length))
  block[0] = (block[0] ?? 0) & topMask(key.bits)
  if (block[paddingLength] !== 1 || block.subarray(0, paddingLength).some(Boolean)) return false
  const salt = block.subarray(paddingLength + 1)
  const expected = digest(hash, eightZeros, digest(hash, message), salt)
  return expected.every((byte, i) => byte === h[i])
}

/** The bits of the first byte that an encoded message of bits - 1 bits may use. */
function topMask(bits: number): number {
  return 0xff >> (8 * Math.ceil((bits - 1) / 8) - (bits - 1))
}
