// The hash functions of RFC 8017 appendix B.1, the mask generation function MGF1 (B.2.1), and
// SHAKE128 and SHAKE256 as hash and mask of PSS (RFC 8702).

import { createHash } from 'node:crypto'
import { concat } from './octets.js'

const lengths = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  'sha512-224': 28,
  'sha512-256': 32,
} as const

/** RFC 8702 section 3: a SHAKE gives 256 or 512 bits where a hash is needed. */
const shakeLengths = { shake128: 32, shake256: 64 } as const

const allLengths = { ...lengths, ...shakeLengths }

/** A hash function of RFC 8017 appendix B.1. */
export type HashName = keyof typeof lengths

/** A hash function of PSS: SHAKE128 and SHAKE256 too, each with itself as mask (RFC 8702). */
export type PssHashName = HashName | 'shake128' | 'shake256'

/** All hash functions that OAEP and MGF1 take here. */
export const HASH_NAMES = Object.keys(lengths) as readonly HashName[]

/** All hash functions that PSS takes here. */
export const PSS_HASH_NAMES = Object.keys(allLengths) as readonly PssHashName[]

/**
 * Length of a digest.
 *
 * @param hash - The hash function.
 * @returns Bytes.
 */
export function hashLength(hash: PssHashName): number {
  return allLengths[hash]
}

export function isShake(hash: PssHashName): hash is 'shake128' | 'shake256' {
  return hash in shakeLengths
}

export function digest(hash: PssHashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const context = createHash(hash, isShake(hash) ? { outputLength: hashLength(hash) } : {})
  for (const part of parts) context.update(part)
  return new Uint8Array(context.digest())
}

/** `length` bytes drawn from `seed`, by MGF1 of a hash or by a SHAKE itself. */
export function maskOf(hash: PssHashName, seed: Uint8Array, length: number): Uint8Array {
  if (!isShake(hash)) return mgf1(hash, seed, length)
  return new Uint8Array(createHash(hash, { outputLength: length }).update(seed).digest())
}

/** MGF1: `length` bytes drawn from `seed`. */
export function mgf1(hash: HashName, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  const counter = new Uint8Array(4)
  for (let i = 0; i * hashLength(hash) < length; i++) {
    new DataView(counter.buffer).setUint32(0, i)
    blocks.push(digest(hash, seed, counter))
  }
  return concat(...blocks).subarray(0, length)
}
