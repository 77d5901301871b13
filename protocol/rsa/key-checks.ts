// Checks of a key from outside before any use (FIPS 186-5 A.1, SP 800-56B section 6.4, SP 800-89
// section 5.3.3). Each refusal is an RsaError `key` that gives the reason.

import type { Entropy } from '../entropy.js'
import {
  MAX_BITS,
  MIN_BITS,
  PUBLIC_EXPONENT,
  areApart,
  isLargeExponent,
  type RsaPrivateKey,
  type RsaPublicKey,
} from './keys.js'
import { bitLength } from './octets.js'
import { isProbablyPrime, mayBePrimePower, smallFactor } from './primes.js'
import { hasRocaStructure } from './roca.js'
import { RsaError } from './rsa-error.js'

/** Requirements on a key from outside. */
export interface KeyPolicy {
  /** Smallest public exponent accepted; 65537 by default. */
  readonly minPublicExponent?: bigint
  /**
   * Miller-Rabin rounds for each prime, 32 by default (2^-64 for the worst composite). 0 leaves out
   * the tests of primes, of the modulus and for ROCA, and is only for keys that passed these checks
   * before and were kept where nobody could change them.
   */
  readonly rounds?: number
}

/** The integers of a private key as a format carries them. */
export type PrivateParts = Pick<RsaPrivateKey, 'n' | 'e' | 'd' | 'p' | 'q' | 'dP' | 'dQ' | 'qInv'>

const MAX_PUBLIC_EXPONENT_BITS = 256
const IMPORT_ROUNDS = 32

/**
 * Makes a public key of its integers, after checks that it may be used (SP 800-89 section 5.3.3,
 * SP 800-56B section 6.4.2).
 *
 * @param n - Modulus.
 * @param e - Public exponent.
 * @param policy - Requirements on the key.
 * @returns The checked key.
 * @throws RsaError `key`, with the reason.
 */
export function checkPublicKey(n: bigint, e: bigint, policy: KeyPolicy = {}): RsaPublicKey {
  const key = checkForm(n, e, policy)
  if (policy.rounds !== 0) {
    refuseRoca(n)
    demand(!mayBePrimePower(n), 'the modulus is a prime, or a power of one')
  }
  return key
}

/** The checks that cost little; they suffice where p and q are known and checked. */
function checkForm(n: bigint, e: bigint, policy: KeyPolicy): RsaPublicKey {
  const { minPublicExponent = PUBLIC_EXPONENT } = policy
  const bits = bitLength(n)
  demand(n > 0n && (n & 1n) === 1n, 'the modulus is even')
  demand(bits >= MIN_BITS, `the modulus has ${bits} bits; at least ${MIN_BITS} are needed`)
  demand(bits <= MAX_BITS, `the modulus has ${bits} bits; at most ${MAX_BITS} are accepted`)
  demand((e & 1n) === 1n, 'the public exponent is even')
  demand(
    e >= minPublicExponent && e > 1n,
    `the public exponent is too small; at least ${minPublicExponent} is needed`,
  )
  demand(
    bitLength(e) <= MAX_PUBLIC_EXPONENT_BITS,
    `the public exponent has more than ${MAX_PUBLIC_EXPONENT_BITS} bits`,
  )
  const factor = smallFactor(n)
  demand(factor === undefined, `the modulus is divisible by ${factor}`)
  return { n, e, bits, bytes: Math.ceil(bits / 8) }
}

/**
 * Makes a private key of its integers, after checks that it may be used: the integers must fit each
 * other, and p and q must be prime.
 *
 * @param parts - The integers.
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on the key.
 * @returns The checked key.
 * @throws RsaError `key`, with the reason.
 */
export function checkPrivateKey(
  parts: PrivateParts,
  entropy: Entropy,
  policy: KeyPolicy = {},
): RsaPrivateKey {
  const { n, e, d, p, q, dP, dQ, qInv } = parts
  const key = checkForm(n, e, policy)
  const inRange = [p, q].every((prime) => prime > 1n && prime < n)
  demand(inRange && p * q === n, 'the modulus is not p * q')
  // FIPS demands more of p and q, but other programs make keys of odd lengths that differ by a bit.
  const half = Math.floor(key.bits / 2)
  for (const [name, prime] of [['p', p] as const, ['q', q] as const]) {
    const bits = bitLength(prime)
    demand(bits >= half, `${name} has ${bits} bits; at least ${half} are needed`)
  }
  demand(areApart(p, q, key.bits), 'p and q are too close to each other')
  demand(d > 0n && d < n && isLargeExponent(d, key.bits), 'the private exponent is out of range')
  demand((e * d) % (p - 1n) === 1n, 'e * d is not 1 modulo p - 1')
  demand((e * d) % (q - 1n) === 1n, 'e * d is not 1 modulo q - 1')
  demand(dP === d % (p - 1n), 'dP is not d modulo p - 1')
  demand(dQ === d % (q - 1n), 'dQ is not d modulo q - 1')
  demand(qInv > 0n && qInv < p && (q * qInv) % p === 1n, 'qInv is not the inverse of q modulo p')
  const { rounds = IMPORT_ROUNDS } = policy
  if (rounds > 0) {
    refuseRoca(n)
    demand(isProbablyPrime(p, rounds, entropy), 'p is not prime')
    demand(isProbablyPrime(q, rounds, entropy), 'q is not prime')
  }
  return { ...key, d, p, q, dP, dQ, qInv }
}

function refuseRoca(n: bigint): void {
  const advice = 'its primes can be computed from it, so another program must make a new key'
  demand(!hasRocaStructure(n), `the modulus has the structure of CVE-2017-15361 (ROCA): ${advice}`)
}

function demand(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new RsaError('key', `bad RSA key: ${otherwise}`)
}
