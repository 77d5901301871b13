// Probable primes: trial division by small primes, then Miller-Rabin (FIPS 186-5 section B.3.1) to
// base 2, where powers are cheap and nearly every composite fails, and then to random bases. Any
// composite passes a random base with probability <= 1/4, even one that an attacker chose, because
// the bases come from the injected entropy.

import type { Entropy } from '../entropy.js'
import { gcd } from 'bigint-crypto-utils'
import { modPow, powerOfTwo } from './modular.js'
import { bitLength, draw, randomBetween, toInteger } from './octets.js'
import { RsaError } from './rsa-error.js'

// Measured: key generation is a tenth faster than with a limit of 2048 (docs/decisions/0011).
const TRIAL_LIMIT = 8192

const smallPrimes = sieve(TRIAL_LIMIT)
const trialGroups = groupPrimes(smallPrimes)

/** Small primes whose product is below 2^53, so that one BigInt division serves them all. */
interface TrialGroup {
  readonly product: bigint
  readonly primes: readonly number[]
}

function sieve(limit: number): readonly number[] {
  const composite = new Uint8Array(limit)
  const primes: number[] = []
  for (let i = 2; i < limit; i++) {
    if (composite[i]) continue
    primes.push(i)
    for (let j = i * i; j < limit; j += i) composite[j] = 1
  }
  return primes
}

function groupPrimes(primes: readonly number[]): readonly TrialGroup[] {
  const groups: TrialGroup[] = []
  let group: number[] = []
  let product = 1
  for (const prime of primes) {
    if (product * prime > Number.MAX_SAFE_INTEGER) {
      groups.push({ product: BigInt(product), primes: group })
      group = []
      product = 1
    }
    group.push(prime)
    product *= prime
  }
  groups.push({ product: BigInt(product), primes: group })
  return groups
}

/** The smallest prime below 8192 that divides x > 0, or undefined. x itself may be that prime. */
export function smallFactor(x: bigint): number | undefined {
  for (const { product, primes } of trialGroups) {
    const rest = Number(x % product)
    const factor = primes.find((prime) => rest % prime === 0)
    if (factor !== undefined) return factor
  }
  return undefined
}

/**
 * Whether x is prime. The worst composite passes with probability <= 4^-rounds, where `rounds` is
 * the number of random bases.
 */
export function isProbablyPrime(x: bigint, rounds: number, entropy: Entropy): boolean {
  if (x < 2n) return false
  const factor = smallFactor(x)
  if (factor !== undefined) return x === BigInt(factor)
  if (x < BigInt(TRIAL_LIMIT) ** 2n) return true
  return millerRabin(x, rounds, entropy)
}

/**
 * Whether an odd n > 1 may be a prime or a power of a prime; false is a proof that it is neither. If
 * n = p^i, then p - 1 divides n - 1, so p divides 2^(n - 1) - 1 (FIPS 186-5 section B.3.2 compares
 * the same gcd). The product of two random primes passes with a negligible probability.
 */
export function mayBePrimePower(n: bigint): boolean {
  return gcd(powerOfTwo(n - 1n, n) - 1n, n) !== 1n
}

function millerRabin(x: bigint, rounds: number, entropy: Entropy): boolean {
  const last = x - 1n
  let twos = 0
  while (((last >> BigInt(twos)) & 1n) === 0n) twos++
  const odd = last >> BigInt(twos)
  const passes = (base: bigint): boolean => {
    let y = modPow(base, odd, x)
    if (y === 1n) return true
    for (let i = 1; i < twos && y !== last; i++) y = (y * y) % x
    return y === last
  }
  if (!passes(2n)) return false
  for (let round = 0; round < rounds; round++) {
    if (!passes(randomBetween(2n, last, entropy))) return false
  }
  return true
}

// FIPS 186-5 table B.1 demands 4 or 5 rounds for random candidates of 1024 bits and more.
const GENERATION_ROUNDS = 8

export interface PrimeSearch {
  /** Bits of the modulus that the prime is for. */
  readonly modulusBits: number
  readonly e: bigint
  /** Further condition on a candidate, such as its distance from the other prime. */
  readonly accepts: (candidate: bigint) => boolean
  /** Called for each candidate drawn. */
  readonly onCandidate: () => void
}

/**
 * A prime in [sqrt(2) * 2^(m/2 - 1), 2^(m/2)) for a modulus of m bits, with gcd(prime - 1, e) = 1
 * for prime e (FIPS 186-5 A.1.3 steps 4 and 5). The product of two such primes has exactly m bits,
 * for even and odd m. RsaError `entropy` if 10 * m candidates hold no prime, which happens with a
 * sound source less than once in 2^40 calls.
 */
export function generatePrime(search: PrimeSearch, entropy: Entropy): bigint {
  const { modulusBits, e } = search
  const bits = Math.ceil(modulusBits / 2)
  const top = 1n << BigInt(bits - 1)
  for (let tried = 0; tried < 10 * modulusBits; tried++) {
    const drawn = BigInt.asUintN(bits, toInteger(draw(entropy, Math.ceil(bits / 8))))
    const candidate = drawn | top | 1n
    search.onCandidate()
    // The interval's bounds, squared: 2^(m - 1) <= candidate^2 < 2^m.
    if (bitLength(candidate * candidate) !== modulusBits || !search.accepts(candidate)) continue
    if (candidate % e === 1n) continue
    if (isProbablyPrime(candidate, GENERATION_ROUNDS, entropy)) return candidate
  }
  throw new RsaError('entropy', `no prime of ${bits} bits among ${10 * modulusBits} candidates`)
}
