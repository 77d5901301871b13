// The quick loop while something is changed: every test file that takes a moment, and the first seeds of
// the simulator, in about a minute. `npm test` runs everything. Arguments are further test files.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const TESTS = fileURLToPath(new URL('.', import.meta.url))
const ROOT = join(TESTS, '..', '..')
const SEEDS = 24

/** Folders and files of `test/` that take long, most because they make large keys or start daemons. */
const SLOW = [
  'system/',
  'flood/',
  'simulator/simulator.test.js',
  'examples/documentation.test.js',
  'clients/cli.test.js',
  'clients/client.test.js',
  'clients/e2e/',
  'clients/foreign-tools.test.js',
  'clients/rsa-cli.test.js',
  'clients/wrapping-nonces.test.js',
  'daemons/provision/cluster.test.js',
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
  return tests
    .filter((name) => !SLOW.some((slow) => name.startsWith(slow)))
    .map((name) => relative(process.cwd(), join(TESTS, name)))
}

/** Runs a program of the project; whether it ended well. */
function run(...args: string[]): boolean {
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0
}

const tap = join(ROOT, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
const passed = run(tap, 'run', ...quickTests(), ...process.argv.slice(2))
const simulated = run(join(TESTS, 'simulator', 'run.js'), '--seeds', String(SEEDS))
process.exitCode = passed && simulated ? 0 : 1
