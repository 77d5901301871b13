// npm run timing:rsa -- --runs N: tests whether the time of the private operation depends on the
// ciphertext. A Welch t-test compares a fixed with random ciphertexts, in random order, after
// Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?" (2017); beyond |t| = 4.5 the
// times differ. The program reports, and never fails.

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { modPow } from '../../../protocol/rsa/modular.js'
import { randomBetween } from '../../../protocol/rsa/octets.js'
import { privateOperation } from '../../../protocol/rsa/primitives.js'
import { entropy, fixture } from './fixtures.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10000' } } })
const runs = Number(values.runs)

/** Quantiles tested beside the whole sample, because the slowest measurements are interruptions. */
const QUANTILES = [1, 0.9, 0.5] as const
const WARM_UP = 200

const { key } = fixture(2048)

interface Experiment {
  readonly name: string
  readonly fixed: bigint
  readonly operation: (x: bigint) => unknown
}

const blinded = (x: bigint): unknown => privateOperation(key, x, entropy)
const experiments: readonly Experiment[] = [
  {
    name: 'private operation, some fixed ciphertext',
    fixed: randomBetween(2n, key.n, entropy),
    operation: blinded,
  },
  { name: 'private operation, ciphertext 2', fixed: 2n, operation: blinded },
  {
    name: 'control: without blinding, ciphertext 2',
    fixed: 2n,
    operation: (x) => [modPow(x, key.dP, key.p), modPow(x, key.dQ, key.q)],
  },
]

for (const { name, fixed, operation } of experiments) {
  const samples: { readonly isFixed: boolean; readonly time: number }[] = []
  for (let run = -WARM_UP; run < runs; run++) {
    const isFixed = randomInt(2) === 0
    const random = randomBetween(2n, key.n, entropy)
    // Both ciphertexts are fresh copies, so that neither is faster by its place in memory.
    const x = isFixed ? fixed + random - random : random
    const start = performance.now()
    operation(x)
    const time = performance.now() - start
    if (run >= 0) samples.push({ isFixed, time })
  }
  const sorted = samples.map(({ time }) => time).toSorted((a, b) => a - b)
  const results = QUANTILES.map((quantile) => {
    const limit = sorted[Math.ceil(quantile * sorted.length) - 1]!
    const times = (fixed: boolean): number[] =>
      samples.flatMap(({ isFixed, time }) => (isFixed === fixed && time <= limit ? time : []))
    const t = welch(times(true), times(false))
    return `${quantile === 1 ? 'all' : `fastest ${quantile * 100} %`} t = ${t.toFixed(2)}`
  })
  console.log(`${name}: ${runs} runs, ${results.join(', ')}`)
}

/** Welch's t statistic of two samples. */
function welch(a: readonly number[], b: readonly number[]): number {
  const mean = (sample: readonly number[]): number =>
    sample.reduce((sum, x) => sum + x, 0) / sample.length
  const squaredError = (sample: readonly number[]): number => {
    const centre = mean(sample)
    const squares = sample.reduce((sum, x) => sum + (x - centre) ** 2, 0)
    return squares / (sample.length - 1) / sample.length
  }
  return (mean(a) - mean(b)) / Math.sqrt(squaredError(a) + squaredError(b))
}
