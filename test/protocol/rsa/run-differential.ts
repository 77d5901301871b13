// npm run test:rsa -- --seed N --cases 10000: random cases against OpenSSL, with random keys of
// every bit length. The seed determines the run; exit code 1 if any case differs.

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { HASH_NAMES } from '../../../protocol/rsa/hashes.js'
import { generateKey } from '../../../protocol/rsa/keys.js'
import { privateKeyToPem } from '../../../protocol/rsa/pem.js'
import { differs } from './differential.js'
import { FIXTURE_BITS, fixture, fixtureOf, seededEntropy } from './fixtures.js'
import type { Fixture } from './fixtures.js'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, cases: { type: 'string', default: '10000' } },
})
const seed = Number(values.seed ?? randomInt(2 ** 32))
const cases = Number(values.cases)

/** Number of cases after which a fresh key replaces the oldest. */
const CASES_PER_KEY = 100
const FRESH_KEYS = 6
const SHORTEST = 2048
const LENGTHS = 1200

const own = FIXTURE_BITS.filter((bits) => bits < 8192).map(fixture)
let fresh: readonly Fixture[] = []
let different = 0
const lengths = new Set<number>()

console.log(`seed ${seed}, ${cases} cases, hashes ${HASH_NAMES.join(' ')}`)
for (let i = 0; i < cases; i++) {
  if (i % CASES_PER_KEY === 0) {
    fresh = [freshKey(i), ...fresh].slice(0, FRESH_KEYS)
    console.error(`${i} cases, ${lengths.size} lengths of modulus, ${different} different`)
  }
  const difference = differs([...own, ...fresh], seededEntropy(`${seed} ${i}`))
  if (difference === undefined) continue
  different++
  console.log(`case ${i}: ${difference}`)
}
console.log(`${cases} cases, ${lengths.size} fresh lengths of modulus, ${different} different`)
process.exitCode = different > 0 ? 1 : 0

function freshKey(at: number): Fixture {
  const entropy = seededEntropy(`${seed} key ${at}`)
  const [high = 0, low = 0] = entropy(2)
  const bits = SHORTEST + ((high * 256 + low) % LENGTHS)
  lengths.add(bits)
  return fixtureOf(privateKeyToPem(generateKey(bits, entropy)))
}
