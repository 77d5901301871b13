// RSA keys and their generation (FIPS 186-5 A.1.3: two random probable primes). Invariant: a key of
// one of these types was generated here or has passed key-checks.ts.

import { lcm, modInv } from 'bigint-crypto-utils'
import type { Entropy } from '../entropy.js'
import type { KeyLimits } from './key-limits.js'
import { modPow, modPowPublic } from './modular.js'
import { bitLength, randomBetween } from './octets.js'
import { generatePrime } from './primes.js'
import { RsaError } from './rsa-error.js'

/** A checked public key. A private key may stand wherever a public one is asked. */
export interface RsaPublicKey {
  /** Modulus. */
  readonly n: bigint
  /** Public exponent. */
  readonly e: bigint
  /** Length of n in bits. */
  readonly bits: number
  /** k: length of n, and so of ciphertexts and signatures, in bytes. */
  readonly bytes: number
  /** What the key may be used for; absent: everything. */
  readonly limits?: KeyLimits
}

/** A checked private key: RFC 8017 section 3.2, second form, of two primes. */
export interface RsaPrivateKey extends RsaPublicKey {
  /** Private exponent: the inverse of e modulo lcm(p - 1, q - 1). */
  readonly d: bigint
  /** First prime, the larger one in keys made here. */
  readonly p: bigint
  /** Second prime. */
  readonly q: bigint
  /** d mod (p - 1). */
  readonly dP: bigint
  /** d mod (q - 1). */
  readonly dQ: bigint
  /** q^-1 mod p. */
  readonly qInv: bigint
}

/** Smallest modulus, in bits. */
export const MIN_BITS = 2048
/** Largest modulus, in bits. */
export const MAX_BITS = 8192

export const PUBLIC_EXPONENT = 65537n

/** Called with the number of candidates for p and q drawn so far. */
export type KeyProgress = (candidates: number) => void

/**
 * Generates a key of exactly `bits` bits with e = 65537 and p > q (FIPS 186-5 A.1.3). The search for
 * primes takes some seconds, without a pause.
 *
 * @param bits - 2048 to 8192.
 * @param entropy - The source of the primes.
 * @param onProgress - Called with the number of candidates drawn so far.
 * @returns The key.
 * @throws RsaError `range` for other sizes, `entropy` if the source yields no primes, `fault`
 * if the key fails its pairwise check.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { generateKey, thumbprint } from 'troca/rsa'
 *
 * const key = generateKey(3072, randomBytes)
 * console.log(key.bits, thumbprint(key))
 * ```
 */
export function generateKey(
  bits: number,
  entropy: Entropy,
  onProgress: KeyProgress = () => {},
): RsaPrivateKey {
  if (!Number.isInteger(bits) || bits < MIN_BITS || bits > MAX_BITS) {
    throw new RsaError('range', `${bits} bits asked; ${MIN_BITS} to ${MAX_BITS} are possible`)
  }
  const e = PUBLIC_EXPONENT
  let candidates = 0
  const onCandidate = (): void => onProgress(++candidates)
  const search = { modulusBits: bits, e, onCandidate }
  for (;;) {
    const p = generatePrime({ ...search, accepts: () => true }, entropy)
    const q = generatePrime({ ...search, accepts: (q) => areApart(p, q, bits) }, entropy)
    const d = modInv(e, lcm(p - 1n, q - 1n))
    if (!isLargeExponent(d, bits)) continue
    const key = privateKeyOf(e, d, p > q ? p : q, p > q ? q : p)
    requireConsistent(key, entropy)
    return key
  }
}

/** |p - q| > 2^(bits/2 - 100) (FIPS 186-5 A.1.3 step 5.4): close primes fall to Fermat's method. */
export function areApart(p: bigint, q: bigint, bits: number): boolean {
  return (p - q) ** 2n > 1n << BigInt(bits - 200)
}

/** d > 2^(bits/2) (FIPS 186-5 A.1.1 3b): a small d falls to Wiener's attack. */
export function isLargeExponent(d: bigint, bits: number): boolean {
  return d ** 2n > 1n << BigInt(bits)
}

/**
 * Extracts the public key of a private key.
 *
 * @param key - Either kind of key.
 * @returns The public key alone.
 */
export function publicKeyOf({ n, e, bits, bytes, limits }: RsaPublicKey): RsaPublicKey {
  return { n, e, bits, bytes, ...(limits && { limits }) }
}

function privateKeyOf(e: bigint, d: bigint, p: bigint, q: bigint): RsaPrivateKey {
  const n = p * q
  const bits = bitLength(n)
  const [dP, dQ, qInv] = [d % (p - 1n), d % (q - 1n), modInv(q, p)]
  return { n, e, bits, bytes: Math.ceil(bits / 8), d, p, q, dP, dQ, qInv }
}

/** Pairwise consistency (SP 800-56B section 6.4.1.1): d inverts e on a random x. */
function requireConsistent(key: RsaPrivateKey, entropy: Entropy): void {
  const x = randomBetween(2n, key.n - 1n, entropy)
  if (modPow(modPowPublic(x, key.e, key.n), key.d, key.n) !== x) {
    throw new RsaError('fault', 'the generated key failed its pairwise check')
  }
}
