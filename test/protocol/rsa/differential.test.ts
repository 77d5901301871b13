// A few hundred random cases. npm run test:rsa runs any number, with random keys.

import { randomInt } from 'node:crypto'
import t from 'tap'
import { differs } from './differential.js'
import { fixture, seededEntropy } from './fixtures.js'

const CASES = 400

t.test('random cases give the results of OpenSSL', (t) => {
  const seed = randomInt(2 ** 32)
  const fixtures = ([2048, 2049, 2055, 2688, 3072, 3104] as const).map(fixture)
  const found: string[] = []
  for (let i = 0; i < CASES; i++) {
    const difference = differs(fixtures, seededEntropy(`${seed} ${i}`))
    if (difference !== undefined) found.push(`seed ${seed}, case ${i}: ${difference}`)
  }
  t.same(found, [])
  t.end()
})
