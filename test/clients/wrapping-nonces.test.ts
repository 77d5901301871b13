// Nonces of wrapped keys: every part that wraps a private key runs here, and every AES-GCM
// encryption that it makes is recorded. No nonce may repeat under one key.

import crypto from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import t, { type Test } from 'tap'
import { KeyFile } from '../../clients/e2e/key-file.js'
import { wrapKey } from '../../clients/own-keys.js'
import { Computations } from '../../daemons/workers/computations.js'
import type { AccountSecrets } from '../../protocol/envelope/secrets.js'
import type { Job, JobResult } from '../../protocol/machine/compute.js'
import { encodePkcs8 } from '../../protocol/rsa/formats.js'
import { fixture } from '../protocol/rsa/fixtures.js'

t.setTimeout(240_000)

/** The files that call wrapPrivateKey, each with the part of this test that runs it. */
const CALLERS = [
  'clients/e2e/key-file.ts',
  'clients/own-keys.ts',
  'daemons/workers/computations.ts',
]

const used: string[] = []
const original = crypto.createCipheriv
t.before(() => {
  const recorded = (...args: Parameters<typeof original>): ReturnType<typeof original> => {
    const [algorithm, key, nonce] = args
    const hex = [key, nonce].map((part) => Buffer.from(part as Uint8Array).toString('hex'))
    if (algorithm === 'aes-256-gcm') used.push(hex.join(' '))
    return original(...args)
  }
  crypto.createCipheriv = recorded as typeof original
  syncBuiltinESMExports()
})
t.teardown(() => {
  crypto.createCipheriv = original
  syncBuiltinESMExports()
})

function noneRepeats(t: Test, wrappings: number): void {
  const keys = new Set(used.map((one) => one.split(' ')[0]))
  t.equal(used.length, wrappings)
  t.equal(new Set(used).size, wrappings, `${wrappings} wrappings under ${keys.size} keys`)
  used.length = 0
}

t.test('this test knows every caller', async (t) => {
  const sources = ['clients', 'daemons', 'protocol'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  )
  const callers = sources.filter((path) => {
    const calls = readFileSync(path, 'utf8').match(/(?<!function )\bwrapPrivateKey\(/g)
    return calls !== null
  })
  t.same(callers.sort(), CALLERS)
})

t.test('the service: new accounts, new keys, keys from elsewhere, passwords', async (t) => {
  const computations = new Computations({ logN: 4, r: 8, p: 1 })
  const run = <K extends JobResult['kind']>(kind: K, job: Job) => {
    const result = computations.run(job, () => {})
    t.equal(result.kind, kind)
    return result as Extract<JobResult, { kind: K }>
  }
  const who = { user: 'alice', password: 'sesame' }
  const make = { ...who, bits: 2048, keys: null }
  let secrets: AccountSecrets = run('create-account', { kind: 'create-account', ...make }).secrets
  secrets = run('rotate-key', { kind: 'rotate-key', ...make, secrets }).rotated!.secrets
  for (const bits of [2049, 2688] as const) {
    const wrappedKey = wrapKey('alice', 'sesame', { ...secrets, keys: [] }, fixture(bits).key)
    secrets = run('add-key', { kind: 'add-key', ...who, wrappedKey, secrets }).rotated!.secrets
  }
  t.equal(secrets.older.length, 3)
  // The same password twice, so that nothing but salt and nonce can differ.
  for (let i = 0; i < 2; i++) {
    const change = { kind: 'change-password', ...who, newPassword: 'sesame', secrets } as const
    secrets = run('change-password', change).secrets!
  }
  // Two made, two added, each of those wrapped by the client first, and four wrapped again twice.
  noneRepeats(t, 2 + 2 * 2 + 2 * 4)
})

t.test('the client: one key wrapped again and again under one password', async (t) => {
  const { key } = fixture(2048)
  const wrapped = { salt: new Uint8Array(16), cost: { logN: 4, r: 8, p: 1 }, keys: [] }
  for (let i = 0; i < 500; i++) wrapKey('alice', 'sesame', wrapped, key)
  noneRepeats(t, 500)
})

t.test('the key file: written again and again, and for other passwords', async (t) => {
  const file = await KeyFile.make('troca-test', 'alice', 'sesame')
  const pkcs8 = encodePkcs8(fixture(2048).key)
  file.pairs = [{ sealing: pkcs8, signing: pkcs8 }]
  for (let i = 0; i < 500; i++) String(file)
  await file.slotsFor(['sesame', 'sesame'])
  noneRepeats(t, 1 + 500 + 2)
})
