// Probable primes: trial division by small primes, then Miller-Rabin with random bases (FIPS 186-5
// section B.3.1). A composite passes one round with probability <= 1/4 whoever chose it, because
// the bases come from the injected entropy.

import type { Entropy } from '../machine.js'
import { modPow } from './modular.js'
import { randomBetween, toInteger } from './octets.js'
import { RsaError } from './rsa-error.js'

const TRIAL_LIMIT = 2048

const smallPrimes = sieve(TRIAL_LIMIT)
const trialGroups = groupPrimes(smallPrimes)

/** A product of small primes below 2^53, so that one BigInt division serves them all. */
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

/** The smallest prime below 2048 that divides x > 0, or undefined. x itself may be that prime. */
export function smallFactor(x: bigint): number | undefined {
  for (const { product, primes } of trialGroups) {
    const rest = Number(x % product)
    const factor = primes.find((prime) => rest % prime === 0)
    if (factor !== undefined) return factor
  }
  return undefined
}

/** Whether x is prime, wrongly true with probability <= 4^-rounds for the worst composite. */
export function isProbablyPrime(x: bigint, rounds: number, entropy: Entropy): boolean {
  if (x < 2n) return false
  const factor = smallFactor(x)
  if (factor !== undefined) return x === BigInt(factor)
  if (x < BigInt(TRIAL_LIMIT) ** 2n) return true
  return millerRabin(x, rounds, entropy)
}

function millerRabin(x: bigint, rounds: number, entropy: Entropy): boolean {
  const last = x - 1n
  let twos = 0
  while (((last >> BigInt(twos)) & 1n) === 0n) twos++
  const odd = last >> BigInt(twos)
  for (let round = 0; round < rounds; round++) {
    let y = modPow(randomBetween(2n, last, entropy), odd, x)
    if (y === 1n || y === last) continue
    for (let i = 1; i < twos && y !== last; i++) y = (y * y) % x
    if (y !== last) return false
  }
  return true
}

// FIPS 186-5 table B.1 asks 4 or 5 rounds of random candidates of 1024 bits and more.
const GENERATION_ROUNDS = 8

export interface PrimeSearch {
  readonly bits: number
  readonly e: bigint
  /** A further condition, as the distance from the other prime. */
  readonly accepts: (candidate: bigint) => boolean
  /** Called for each candidate drawn. */
  readonly onCandidate: () => void
}

/**
 * A prime in [sqrt(2) * 2^(bits-1), 2^bits) with gcd(prime - 1, e) = 1 for prime e (FIPS 186-5
 * A.1.3 steps 4 and 5). RsaError `entropy` when 20 * bits candidates hold no prime, which a sound
 * source meets less than once in 2^40 calls.
 */
export function generatePrime(search: PrimeSearch, entropy: Entropy): bigint {
  const { bits, e } = search
  const top = 1n << BigInt(bits - 1)
  const square = 1n << BigInt(2 * bits - 1)
  for (let tried = 0; tried < 20 * bits; tried++) {
    const drawn = BigInt.asUintN(bits, toInteger(entropy(Math.ceil(bits / 8))))
    const candidate = drawn | top | 1n
    search.onCandidate()
    if (candidate * candidate < square || !search.accepts(candidate)) continue
    if (candidate % e === 1n) continue
    if (isProbablyPrime(candidate, GENERATION_ROUNDS, entropy)) return candidate
  }
  throw new RsaError('entropy', `no prime of ${bits} bits among ${20 * bits} random candidates`)
}
