// Modular exponentiation, left to right with a fixed window (Handbook of Applied Cryptography,
// algorithm 14.82). On V8's BigInt plain reduction is as fast as Montgomery's or Barrett's at
// these sizes, and shorter. BigInt is not constant-time: base blinding (primitives.ts) is what
// keeps an attacker's ciphertext apart from these operands, see docs/SECURITY.

import { bitLength } from './octets.js'

const WINDOW = 5

/**
 * base^exponent mod modulus for base >= 0, exponent >= 0, modulus > 1. The sequence of squarings
 * and multiplications depends on the sizes alone, as long as exponent is no longer than modulus.
 */
export function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const powers = powersOf(base, modulus)
  const windows = Math.ceil(Math.max(bitLength(modulus), bitLength(exponent)) / WINDOW)
  const bits = exponent.toString(2).padStart(windows * WINDOW, '0')
  let result = 1n
  for (let at = 0; at < bits.length; at += WINDOW) {
    for (let i = 0; i < WINDOW; i++) result = (result * result) % modulus
    const digit = parseInt(bits.slice(at, at + WINDOW), 2)
    result = (result * (powers[digit] ?? 0n)) % modulus
  }
  return result
}

function powersOf(base: bigint, modulus: bigint): readonly bigint[] {
  // The zeroth is congruent to 1 and as long as the others: a zero digit costs a multiplication.
  const powers = [modulus + 1n, base % modulus]
  for (let i = 2; i < 1 << WINDOW; i++) {
    powers.push(((powers[i - 1] ?? 0n) * (powers[1] ?? 0n)) % modulus)
  }
  return powers
}

/** base^e mod modulus for public values: the usual e = 2^16 + 1 is 16 squarings and a product. */
export function modPowPublic(base: bigint, e: bigint, modulus: bigint): bigint {
  if (e !== 65537n) return modPow(base, e, modulus)
  let power = base
  for (let i = 0; i < 16; i++) power = (power * power) % modulus
  return (power * base) % modulus
}
