// The jobs as a replica asks for them, run by real worker threads.

import t from 'tap'
import { WorkerPool } from '../../../daemons/workers/pool.js'
import { ContentKeys, recipientKeyOf } from '../../../protocol/envelope/content-keys.js'
import type { AccountSecrets, Job, JobResult } from '../../../protocol/replicas/compute.js'
import { encodePkcs8, encodeSpki } from '../../../protocol/rsa/formats.js'
import { entropy, fixture, flipped } from '../../protocol/rsa/fixtures.js'

const pool = new WorkerPool({ size: 2 })
t.teardown(() => pool.close())

async function run<K extends JobResult['kind']>(
  kind: K,
  job: Job,
  onProgress?: (text: string) => void,
): Promise<Extract<JobResult, { kind: K }>> {
  const result = await pool.run(job, onProgress)
  if (result.kind !== kind) throw new Error(`not ${kind} but ${result.kind}`)
  return result as Extract<JobResult, { kind: K }>
}

t.test('an account is created, unlocked and read', async (t) => {
  const told: string[] = []
  const job = { kind: 'create-account', user: 'bob', password: 'sesame', bits: 2048 } as const
  const { secrets, privateKey } = await run('create-account', job, (text) => told.push(text))
  t.match(told[0], /^searching primes/)
  t.match(secrets, { cost: { logN: 15, r: 8, p: 1 } })
  t.equal(secrets.salt.length, 16)

  const unlock = (change: Partial<Extract<Job, { kind: 'unlock' }>>): Promise<JobResult> =>
    pool.run({ kind: 'unlock', user: 'bob', password: 'sesame', secrets, ...change })
  t.same(await unlock({}), { kind: 'unlock', privateKey })
  const refused = { kind: 'unlock', privateKey: null }
  t.same(await unlock({ password: 'Sesame' }), refused)
  t.same(await unlock({ secrets: null }), refused, 'who does not exist is answered the same')
  t.same(await unlock({ user: 'eve' }), refused, 'the wrapping is bound to the user')
  const rewrapped = { ...secrets, wrappedKey: flipped(secrets.wrappedKey, 200) }
  t.same(await unlock({ secrets: rewrapped }), refused)

  const body = sealed(recipientKeyOf(secrets.publicKey), 1)
  const { texts } = await run('open', { kind: 'open', privateKey, envelopes: [body] })
  t.same(texts, ['message 1'])
})

t.test('a page opens in the order asked; what does not open is null', async (t) => {
  const { key } = fixture(2048)
  const recipientKey = recipientKeyOf(encodeSpki(key))
  const stranger = recipientKeyOf(encodeSpki(fixture(3072).key))
  const envelopes = [...Array(200).keys()].map((seq) => sealed(recipientKey, seq))
  envelopes[3] = flipped(envelopes[3] ?? new Uint8Array(1), 3000)
  envelopes[5] = sealed(stranger, 5)
  envelopes[7] = new Uint8Array(0)
  const privateKey = encodePkcs8(key)
  for (const time of ['first', 'second']) {
    const { texts } = await run('open', { kind: 'open', privateKey, envelopes })
    const expected = envelopes.map((_, seq) => ([3, 5, 7].includes(seq) ? null : `message ${seq}`))
    t.same(texts, expected, time)
  }
})

t.test('passwords are the same however they were typed', async (t) => {
  const job = { kind: 'create-account', user: 'zoe', password: 'Zo\u00eb', bits: 2048 } as const
  const { secrets, privateKey } = await run('create-account', job)
  const typed = { kind: 'unlock', user: 'zoe', password: 'Zoe\u0308', secrets } as const
  t.same(await pool.run(typed), { kind: 'unlock', privateKey })
})

t.test('what cannot be computed fails with its reason', async (t) => {
  const small = { kind: 'create-account', user: 'a', password: '', bits: 512 } as const
  t.match(await pool.run(small), { kind: 'failed', reason: /512 bits asked; 2048 to 8192/ })
  const damaged = { kind: 'open', privateKey: entropy(100), envelopes: [] } as const
  t.match(await pool.run(damaged), { kind: 'failed', reason: /not DER of an RSA key/ })
  for (const cost of [
    { logN: 40, r: 8, p: 1 },
    { logN: 15, r: 1e6, p: 1 },
    { logN: 15, r: 8, p: 0 },
  ]) {
    const secrets: AccountSecrets = {
      salt: entropy(16),
      cost,
      verifierHash: entropy(32),
      publicKey: entropy(1),
      wrappedKey: entropy(50),
    }
    const job = { kind: 'unlock', user: 'a', password: '', secrets } as const
    t.match(await pool.run(job), { kind: 'failed', reason: /scrypt cost out of bounds/ })
  }
})

function sealed(recipientKey: ReturnType<typeof recipientKeyOf>, seq: number): Uint8Array {
  return new ContentKeys().seal({
    recipientKey,
    term: 1,
    keySeed: new Uint8Array(32),
    k: seq,
    command: 0,
    sender: 'alice',
    recipient: 'bob',
    stream: new Uint8Array(16),
    seq,
    time: 1,
    text: `message ${seq}`,
  })
}
