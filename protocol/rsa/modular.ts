// Modular exponentiation on BigInt. Alternatives that were measured and rejected (Montgomery,
// Barrett, folding) are in docs/decisions/0011. BigInt is not constant-time; base blinding
// (primitives.ts) makes the operands independent of an attacker's ciphertext, see docs/SECURITY.md.

import { bitLength } from './octets.js'

/** Bits of a window, so the exponent's digits are in radix 32. */
const WINDOW = 5
const RADIX = 1 << WINDOW

/**
 * base^exponent mod modulus for base >= 0, exponent >= 0, modulus > 1: left to right with a fixed
 * window (Handbook of Applied Cryptography, algorithm 14.82). The sequence of squarings and
 * multiplications depends on the sizes alone, as long as exponent is no longer than modulus.
 */
export function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const powers = powersOf(base, modulus)
  const length = Math.ceil(Math.max(bitLength(modulus), bitLength(exponent)) / WINDOW)
  const [first = '0', ...rest] = exponent.toString(RADIX).padStart(length, '0')
  const powerOf = (digit: string): bigint => powers[parseInt(digit, RADIX)] ?? 0n
  let result = powerOf(first)
  for (const digit of rest) {
    for (let i = 0; i < WINDOW; i++) result = (result * result) % modulus
    result = (result * powerOf(digit)) % modulus
  }
  return result % modulus
}

function powersOf(base: bigint, modulus: bigint): readonly bigint[] {
  // Power 0 is modulus + 1, not 1: a digit 0 then costs a multiplication of full length too.
  const powers = [modulus + 1n, base % modulus]
  for (let i = 2; i < RADIX; i++) {
    powers.push(((powers[i - 1] ?? 0n) * (powers[1] ?? 0n)) % modulus)
  }
  return powers
}

/** 2^exponent mod modulus for a public exponent > 0; doubling costs less than a product. */
export function powerOfTwo(exponent: bigint, modulus: bigint): bigint {
  let power = 1n
  for (const bit of exponent.toString(2)) {
    power = (power * power) % modulus
    if (bit === '1') power = (power * 2n) % modulus
  }
  return power
}

/**
 * base^exponent mod modulus for base >= 0 and a public exponent > 0, bit by bit: the usual exponent
 * 2^16 + 1 costs 16 squarings and one product.
 */
export function modPowPublic(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let power = base % modulus
  for (const bit of exponent.toString(2).slice(1)) {
    power = (power * power) % modulus
    if (bit === '1') power = (power * base) % modulus
  }
  return power
}
