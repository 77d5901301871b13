// Primality against known pseudoprimes. Each test also shows that the number passes a weaker test.

import t from 'tap'
import { modPow, modPowPublic } from '../../../protocol/rsa/modular.js'
import { isProbablyPrime, smallFactor } from '../../../protocol/rsa/primes.js'
import { entropy } from './fixtures.js'

const ROUNDS = 20

t.test('all small numbers are classified as the sieve does', (t) => {
  const prime = (x: number): boolean => {
    for (let i = 2; i * i <= x; i++) if (x % i === 0) return false
    return x > 1
  }
  // To 5000, and around the square of the limit of trial division, where Miller-Rabin takes over.
  const ranges = [
    { low: -3, high: 5000 },
    { low: 8192 ** 2 - 200, high: 8192 ** 2 + 200 },
  ]
  const wrong: number[] = []
  for (const { low, high } of ranges) {
    for (let x = low; x < high; x++) {
      if (isProbablyPrime(BigInt(x), ROUNDS, entropy) !== prime(x)) wrong.push(x)
    }
  }
  t.same(wrong, [])
  t.end()
})

t.test('Carmichael numbers, which pass Fermat to every base, are refused', (t) => {
  // Chernick 1939: (6k + 1)(12k + 1)(18k + 1), where the three are prime.
  let found = 0
  for (let k = 10n ** 20n; found < 3; k++) {
    const factors = [6n * k + 1n, 12n * k + 1n, 18n * k + 1n]
    if (!factors.every((factor) => isProbablyPrime(factor, ROUNDS, entropy))) continue
    found++
    const n = factors.reduce((product, factor) => product * factor)
    t.equal(modPow(2n, n - 1n, n), 1n, 'Fermat to base 2 is fooled')
    t.equal(modPow(3n, n - 1n, n), 1n, 'and to base 3')
    t.notOk(isProbablyPrime(n, ROUNDS, entropy), `${n} is composite`)
  }
  t.end()
})

t.test('the least strong pseudoprimes are refused (Jaeschke 1993, Sorenson 2017)', (t) => {
  const least: readonly [number, bigint][] = [
    [1, 2047n],
    [2, 1373653n],
    [3, 25326001n],
    [4, 3215031751n],
    [5, 2152302898747n],
    [6, 3474749660383n],
    [7, 341550071728321n],
    [9, 3825123056546413051n],
    [12, 318665857834031151167461n],
    [13, 3317044064679887385961981n],
  ]
  for (const [count, n] of least) {
    for (const base of firstPrimes(count)) t.ok(strongProbablePrime(n, base), `${n}, base ${base}`)
    t.notOk(isProbablyPrime(n, ROUNDS, entropy), `${n} is composite`)
  }
  t.end()
})

t.test("Arnault's strong pseudoprime to all prime bases below 307 is refused (1995)", (t) => {
  const p = BigInt(
    '2967449566868551055015417464290533273077199179985304335099507553127683875317177019959423' +
      '8596428121188033664754218345562493168782883',
  )
  const n = p * (313n * (p - 1n) + 1n) * (353n * (p - 1n) + 1n)
  t.equal(n.toString().length, 397)
  const bases = firstPrimes(62)
  t.equal(bases.at(-1), 293)
  for (const base of bases) if (!strongProbablePrime(n, base)) t.fail(`base ${base}`)
  t.equal(smallFactor(n), undefined)

  // A Carmichael number of three primes that are 3 modulo 4 has the most strong liars of any
  // composite, a quarter of all bases (Monier 1980, Rabin 1980).
  const accepted = (rounds: number): number =>
    Array.from({ length: 200 }, () => isProbablyPrime(n, rounds, entropy)).filter(Boolean).length
  const once = accepted(1)
  // The bounds are 9 standard deviations around the mean, 50.
  t.ok(once > 0 && once < 105, `one random base accepts a quarter: ${once} of 200`)
  t.equal(accepted(32), 0, '32 accept none')
  t.end()
})

t.test('modular powers agree with repeated multiplication', (t) => {
  for (const modulus of [2n, 3n, 97n, 65536n, 1000003n, 2n ** 64n - 59n]) {
    for (let exponent = 0; exponent < 70; exponent++) {
      let power = 1n % modulus
      for (let i = 0; i < exponent; i++) power = (power * 12345n) % modulus
      t.equal(modPow(12345n, BigInt(exponent), modulus), power)
      if (exponent > 0) t.equal(modPowPublic(12345n, BigInt(exponent), modulus), power)
    }
  }
  t.end()
})

function firstPrimes(count: number): readonly number[] {
  const primes: number[] = []
  for (let x = 2; primes.length < count; x++) if (primes.every((p) => x % p !== 0)) primes.push(x)
  return primes
}

function strongProbablePrime(n: bigint, base: number): boolean {
  let odd = n - 1n
  while (odd % 2n === 0n) odd /= 2n
  let y = modPow(BigInt(base), odd, n)
  if (y === 1n) return true
  for (; odd !== n - 1n; odd *= 2n) {
    if (y === n - 1n) return true
    y = (y * y) % n
  }
  return false
}
