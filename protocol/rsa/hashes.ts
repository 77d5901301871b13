// The hash functions of RFC 8017 appendix B.1 and the mask generation function MGF1 (B.2.1).

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

/** A hash function of RFC 8017 appendix B.1. */
export type HashName = keyof typeof lengths

/** All hash functions that OAEP and PSS take here. */
export const HASH_NAMES = Object.keys(lengths) as readonly HashName[]

/**
 * Length of a digest.
 *
 * @param hash - The hash function.
 * @returns Bytes.
 */
export function hashLength(hash: HashName): number {
  return lengths[hash]
}

export function digest(hash: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const context = createHash(hash)
  for (const part of parts) context.update(part)
  return new Uint8Array(context.digest())
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
