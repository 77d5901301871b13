// npm run bench:rsa -- --key-runs N --runs N: compares this RSA with OpenSSL (node:crypto) and
// node-forge, alternating in one process. The benchmark reports, and never fails.

import { constants, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { privateDecrypt, publicEncrypt } from 'node:crypto'
import { generateKey } from '../../../protocol/rsa/keys.js'
import { toOctets } from '../../../protocol/rsa/octets.js'
import { privateKeyToPem } from '../../../protocol/rsa/pem.js'
import { privateOperation, publicOperation } from '../../../protocol/rsa/primitives.js'
import { entropy } from './fixtures.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    'key-runs': { type: 'string', default: '9' },
  },
})
const BITS = [2048, 3072, 4096] as const

type Contestants = Readonly<Record<'here' | 'openssl' | 'forge', (() => unknown) | undefined>>
type Medians = Readonly<Record<keyof Contestants, number | undefined>>

const forge = await import('node-forge').then(
  (module) => module.default,
  () => undefined,
)
console.log(
  `${cpus()[0]?.model.trim()}, Node ${process.version}, OpenSSL ${process.versions.openssl}`,
)
if (!forge) console.log('node-forge is not installed: its columns stay empty')
console.log('medians in ms, three programs in turn; ratios are medians of the single rounds\n')

const rows: Record<string, Record<string, string>> = {}
for (const bits of BITS) {
  const key = generateKey(bits, entropy)
  const pem = privateKeyToPem(key)
  const [privateKey, publicKey] = [createPrivateKey(pem), createPublicKey(pem)]
  const padding = constants.RSA_NO_PADDING
  const x = key.n >> 3n
  const octets = toOctets(x, key.bytes)
  const theirs = forge?.pki.privateKeyFromPem(pem)
  const theirPublic = theirs && forge?.pki.setRsaPublicKey(theirs.n, theirs.e)
  const binary = Buffer.from(octets).toString('latin1')
  measure(`private ${bits}`, Number(values.runs), {
    here: () => privateOperation(key, x, entropy),
    openssl: () => privateDecrypt({ key: privateKey, padding }, octets),
    forge: theirs && (() => theirs.decrypt(binary, 'RAW')),
  })
  measure(`public ${bits}`, Number(values.runs), {
    here: () => publicOperation(key, x),
    openssl: () => publicEncrypt({ key: publicKey, padding }, octets),
    forge: theirPublic && (() => theirPublic.encrypt(binary, 'RAW')),
  })
  measure(`new key ${bits}`, Number(values['key-runs']), {
    here: () => generateKey(bits, entropy),
    openssl: () => generateKeyPairSync('rsa', { modulusLength: bits }),
    // Left out: it takes minutes, and chooses primes differently.
    forge: undefined,
  })
}
console.table(rows)

function measure(name: string, runs: number, contestants: Contestants): void {
  const times = { here: [] as number[], openssl: [] as number[], forge: [] as number[] }
  const names = (['here', 'openssl', 'forge'] as const).filter((name) => contestants[name])
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      const start = performance.now()
      contestants[name]?.()
      times[name].push(performance.now() - start)
    }
  }
  const medians: Medians = {
    here: median(times.here),
    openssl: median(times.openssl),
    forge: median(times.forge),
  }
  rows[name] = {
    here: show(medians.here),
    OpenSSL: show(medians.openssl),
    'node-forge': show(medians.forge),
    '× OpenSSL': show(median(times.here.map((time, i) => time / times.openssl[i]!))),
    'forge ×': show(median(times.forge.map((time, i) => time / times.here[i]!))),
  }
}

function median(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
}

function show(x: number | undefined): string {
  return x === undefined ? '' : x.toPrecision(3)
}
