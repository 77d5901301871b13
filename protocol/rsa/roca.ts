// The structure of keys by CVE-2017-15361, "ROCA" (Nemec, Sys, Svenda, Klinec, Matyas: The Return of
// Coppersmith's Attack, CCS 2017). Such a prime is k * M + (65537^a mod M), where M is the product
// of the first primes, so the modulus is a power of 65537 modulo each of them, with one exponent
// for all. The factors of such a modulus can be computed.

/** M has these primes at least (for 2048 bits all up to 701); 2 says nothing. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

const GENERATOR = 65537

interface Residues {
  readonly prime: number
  /** Exponents of the generator by power, modulo its order. */
  readonly exponents: ReadonlyMap<number, number>
}

const table: readonly Residues[] = PRIMES.map((prime) => {
  const exponents = new Map<number, number>()
  for (let power = 1; !exponents.has(power); power = (power * GENERATOR) % prime) {
    exponents.set(power, exponents.size)
  }
  return { prime, exponents }
})

const product = PRIMES.map(BigInt).reduce((all, prime) => all * prime)

/**
 * Whether n is a power of 65537 modulo the product of the primes. A random odd n is with a
 * probability below 2^-150.
 */
export function hasRocaStructure(n: bigint): boolean {
  const rest = n % product
  const found: { exponent: number; order: number }[] = []
  for (const { prime, exponents } of table) {
    const exponent = exponents.get(Number(rest % BigInt(prime)))
    if (exponent === undefined) return false
    // One exponent serves all primes if each two agree modulo what their orders share.
    const order = exponents.size
    const agree = found.every((other) => {
      return (other.exponent - exponent) % gcd(other.order, order) === 0
    })
    if (!agree) return false
    found.push({ exponent, order })
  }
  return true
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
