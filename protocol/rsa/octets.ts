// Integers and octet strings, big-endian: I2OSP and OS2IP (RFC 8017 section 4), and the few
// operations on octet strings that the paddings share.

import type { Entropy } from '../entropy.js'
import { RsaError } from './rsa-error.js'

/** Number of bits of x >= 0; 0 for 0. */
export function bitLength(x: bigint): number {
  const hex = x.toString(16)
  return (hex.length - 1) * 4 + 32 - Math.clz32(parseInt(hex.charAt(0), 16))
}

/** OS2IP; the empty string is 0. */
export function toInteger(octets: Uint8Array): bigint {
  if (octets.length === 0) return 0n
  const hex = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex')
  return BigInt(`0x${hex}`)
}

/** I2OSP, left-padded to exactly `length` bytes. RsaError `range` if x does not fit. */
export function toOctets(x: bigint, length: number): Uint8Array {
  const hex = x.toString(16)
  if (x < 0n || hex.length > 2 * length) throw new RsaError('range', 'integer too large')
  return new Uint8Array(Buffer.from(hex.padStart(2 * length, '0'), 'hex'))
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** target ^= mask, for the length of target. */
export function xorInto(target: Uint8Array, mask: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) ^ (mask[i] ?? 0)
}

/** Draws `bytes` random bytes. RsaError `entropy` if the source returns another number. */
export function draw(entropy: Entropy, bytes: number): Uint8Array {
  const octets = entropy(bytes)
  if (octets.length === bytes) return octets
  throw new RsaError('entropy', `the random source gave ${octets.length} bytes for ${bytes}`)
}

// Each draw is rejected with probability below 1/2, so a sound source fails at most once in 2^128
// calls.
const MAX_DRAWS = 128

/** Uniform in [low, high), by rejection sampling. RsaError `entropy` if the source is stuck. */
export function randomBetween(low: bigint, high: bigint, entropy: Entropy): bigint {
  const span = high - low
  const bits = bitLength(span - 1n)
  const bytes = Math.ceil(bits / 8)
  for (let drawn = 0; drawn < MAX_DRAWS; drawn++) {
    const x = BigInt.asUintN(bits, toInteger(draw(entropy, bytes)))
    if (x < span) return low + x
  }
  throw new RsaError('entropy', `the random source gave nothing usable in ${MAX_DRAWS} draws`)
}
