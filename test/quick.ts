// The quick loop while something is changed: every test file that takes a moment, and the first seeds of
// the simulator, in about a minute. `npm test` runs everything. Arguments are further test files.

import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TESTS = fileURLToPath(new URL('.', import.meta.url))
const ROOT = join(TESTS, '..', '..')
const SEEDS = 24

/** Folders and files of `test/` that take long, most because they make large keys or start daemons. */
const SLOW = [
  'system/',
  'flood/',
  'simulator/planted.test.js',
  'simulator/simulator.test.js',
  'examples/documentation.test.js',
  'clients/cli.test.js',
  'clients/client.test.js',
  'clients/e2e/',
  'clients/foreign-tools.test.js',
  'clients/rsa-cli.test.js',
  'clients/talk/talk.test.js',
  'clients/units.test.js',
  'clients/wrapping-nonces.test.js',
  'daemons/provision/cluster.test.js',
  'daemons/provision/repair.test.js',
  'daemons/storage/shrink.test.js',
  'daemons/workers/computations.test.js',
  'fuzz/machines.test.js',
  'protocol/envelope/envelope.test.js',
  'protocol/envelope/jose.test.js',
  'protocol/envelope/suite-rsa.test.js',
  'protocol/rsa/openssl.test.js',
  'protocol/rsa/primes.test.js',
  'protocol/rsa/vectors.test.js',
  'protocol/rsa/weak-keys.test.js',
]

function quickTests(): string[] {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  const tests = files.filter((name) => name.endsWith('.test.js'))
  const gone = SLOW.filter(
    (slow) => !files.some((name) => name.startsWith(slow.replace(/\/$/, ''))),
  )
  if (gone.length > 0) throw new Error(`test/quick.ts names what is not there: ${gone.join(', ')}`)
  return tests.filter((name) => !SLOW.some((slow) => name.startsWith(slow))).sort()
}

/**
 * Files that import the tests, one for each core: a process for each test would take longer to start
 * than most of the tests take.
 */
function partsOf(tests: readonly string[]): string[] {
  const parts = Array.from({ length: availableParallelism() }, (_, i) => {
    const own = tests.filter((_, at) => at % availableParallelism() === i)
    return { path: join(TESTS, `quick-part-${i + 1}.js`), own }
  })
  for (const { path, own } of parts)
    writeFileSync(path, own.map((name) => `import './${name}'\n`).join(''))
  return parts.map(({ path }) => path)
}

/** Runs a program of the project; whether it ended well. */
function run(...args: string[]): boolean {
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0
}

const tap = join(ROOT, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
const parts = partsOf(quickTests())
const passed = run(tap, 'run', '--timeout=300', ...parts, ...process.argv.slice(2))
const simulated = run(join(TESTS, 'simulator', 'run.js'), '--seeds', String(SEEDS))
process.exitCode = passed && simulated ? 0 : 1
