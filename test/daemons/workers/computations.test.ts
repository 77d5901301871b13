// The jobs as a replica requests them, without a thread around them.

import t from 'tap'
import { readHeader } from '../../../protocol/envelope/header.js'
import { Computations } from '../../../daemons/workers/computations.js'
import { derivePasswordKeys, wrapPrivateKey } from '../../../protocol/envelope/accounts.js'
import { ContentKeys, recipientKeyOf } from '../../../protocol/envelope/content-keys.js'
import { wholeEnvelope } from '../../../protocol/envelope/stored.js'
import type { Job, JobResult } from '../../../protocol/machine/compute.js'
import type { AccountSecrets } from '../../../protocol/envelope/secrets.js'
import { derInteger, derOctetString, derSequence } from '../../../protocol/rsa/der.js'
import { encodePkcs1Private, encodePkcs8, encodeSpki } from '../../../protocol/rsa/formats.js'
import { Person } from '../../protocol/envelope/people.js'
import { RSASSA_PSS, rsaEncryption } from '../../protocol/rsa/elements.js'
import { entropy, fixture, flipped } from '../../protocol/rsa/fixtures.js'

const cost = { logN: 10, r: 8, p: 1 }
const computations = new Computations(cost)

function run<K extends JobResult['kind']>(
  kind: K,
  job: Job,
  onProgress: (text: string) => void = () => {},
): Extract<JobResult, { kind: K }> {
  const result = computations.run(job, onProgress)
  if (result.kind !== kind) throw new Error(`not ${kind} but ${result.kind}`)
  return result as Extract<JobResult, { kind: K }>
}

t.test('an account is created, unlocked and read', (t) => {
  const told: string[] = []
  const job = {
    kind: 'create-account',
    user: 'bob',
    password: 'sesame',
    bits: 2048,
    keys: null,
  } as const
  const {
    secrets,
    privateKeys: [privateKey],
  } = run('create-account', job, (text) => told.push(text))
  t.match(told[0], /^searching primes/)
  t.same(secrets.cost, cost)
  t.equal(secrets.salt.length, 16)

  const unlock = (change: Partial<Extract<Job, { kind: 'unlock' }>>): JobResult =>
    run('unlock', { kind: 'unlock', user: 'bob', password: 'sesame', secrets, ...change })
  t.same(unlock({}), { kind: 'unlock', privateKeys: [privateKey!] })
  const refused = { kind: 'unlock', privateKeys: null }
  t.same(unlock({ password: 'Sesame' }), refused)
  t.same(unlock({ secrets: null }), refused, 'an unknown user gets the same answer')
  t.same(unlock({ user: 'eve' }), refused, 'the wrapping is bound to the user')
  const rewrapped = { ...secrets, wrappedKey: flipped(secrets.wrappedKey, 200) }
  t.same(unlock({ secrets: rewrapped }), refused)

  const body = sealed(recipientKeyOf(secrets.publicKey), 1)
  const { texts } = run('open', {
    kind: 'open',
    privateKeys: [privateKey!],
    envelopes: [body],
    places: [readHeader(body)],
  })
  t.same(texts, ['message 1'])
  t.end()
})

t.test('a page opens in order; an envelope that does not open is null', (t) => {
  const { key } = fixture(2048)
  const recipientKey = recipientKeyOf(encodeSpki(key))
  const stranger = recipientKeyOf(encodeSpki(fixture(3072).key))
  const envelopes = [...Array(200).keys()].map((seq) => sealed(recipientKey, seq))
  envelopes[3] = flipped(envelopes[3] ?? new Uint8Array(1), 3000)
  envelopes[5] = sealed(stranger, 5)
  envelopes[7] = new Uint8Array(0)
  const places = envelopes.map((_, seq) => readHeader(sealed(recipientKey, seq)))
  places[9] = { ...places[9]!, sender: 'mallory' }
  const privateKeys = [encodePkcs8(key)]
  for (const time of ['first', 'second']) {
    const { texts } = run('open', { kind: 'open', privateKeys, envelopes, places })
    const expected = envelopes.map((_, seq) =>
      [3, 5, 7, 9].includes(seq) ? null : `message ${seq}`,
    )
    t.same(texts, expected, time)
  }
  t.end()
})

t.test('a changed password unlocks the same keys; the old one unlocks nothing', (t) => {
  const user = 'bob'
  const made = run('create-account', {
    kind: 'create-account',
    user,
    password: 'old',
    bits: 2048,
    keys: null,
  })
  const rotate = { kind: 'rotate-key', user, password: 'old', bits: 2048, keys: null } as const
  const { rotated } = run('rotate-key', { ...rotate, secrets: made.secrets })
  const change = { kind: 'change-password', user, newPassword: 'new' } as const
  const { secrets } = rotated!
  const refused = run('change-password', { ...change, password: 'new', secrets })
  t.equal(refused.secrets, null, 'the current password is required')
  const changed = run('change-password', { ...change, password: 'old', secrets }).secrets!
  t.notSame(changed.salt, secrets.salt)
  t.same(changed.publicKey, secrets.publicKey)

  const unlock = { kind: 'unlock', user, secrets: changed } as const
  t.same(run('unlock', { ...unlock, password: 'new' }), {
    kind: 'unlock',
    privateKeys: [...rotated!.privateKeys, ...made.privateKeys],
  })
  t.same(run('unlock', { ...unlock, password: 'old' }), { kind: 'unlock', privateKeys: null })
  t.end()
})

t.test('an unknown user gets the answer of a wrong password, for the same work', (t) => {
  const user = 'bob'
  const of = { user, password: 'right', bits: 2048, keys: null }
  const { secrets } = run('create-account', { kind: 'create-account', ...of })
  const fastest = { known: Infinity, unknown: Infinity }
  // The fastest of several, taken alternately, is little affected by other load.
  for (let i = 0; i < 9; i++) {
    for (const who of ['known', 'unknown'] as const) {
      const asked = { user, password: 'wrong', secrets: who === 'known' ? secrets : null }
      const begin = performance.now()
      t.same(run('unlock', { kind: 'unlock', ...asked }), { kind: 'unlock', privateKeys: null })
      fastest[who] = Math.min(fastest[who], performance.now() - begin)
    }
  }
  const ratio = fastest.unknown / fastest.known
  t.ok(ratio > 0.5 && ratio < 2, `one takes ${ratio.toFixed(2)} times as long as the other`)
  t.end()
})

t.test('a registration of a taken name costs the hashing of a log-in', (t) => {
  const fastest = { 'hash-password': Infinity, unlock: Infinity }
  for (let i = 0; i < 9; i++) {
    for (const kind of ['hash-password', 'unlock'] as const) {
      const begin = performance.now()
      run(kind, { kind, user: 'bob', password: 'sesame', secrets: null })
      fastest[kind] = Math.min(fastest[kind], performance.now() - begin)
    }
  }
  const ratio = fastest['hash-password'] / fastest.unlock
  t.ok(ratio > 0.5 && ratio < 2, `one takes ${ratio.toFixed(2)} times as long as the other`)
  t.end()
})

t.test('a rotated key opens new messages, and the old key still opens old ones', (t) => {
  const user = 'bob'
  const made = run('create-account', {
    kind: 'create-account',
    user,
    password: 'old',
    bits: 2048,
    keys: null,
  })
  const rotate = {
    kind: 'rotate-key',
    user,
    bits: 2048,
    keys: null,
    secrets: made.secrets,
  } as const
  t.equal(run('rotate-key', { ...rotate, password: 'wrong' }).rotated, null)
  const told: string[] = []
  const job = { ...rotate, password: 'old' }
  const {
    secrets,
    privateKeys: [privateKey],
  } = run('rotate-key', job, (text) => told.push(text)).rotated!
  t.match(told[0], /^searching primes/)
  t.same(secrets.older, [
    {
      publicKey: made.secrets.publicKey,
      wrappedKey: made.secrets.wrappedKey,
      signing: null,
    },
  ])
  const envelopes = [
    sealed(recipientKeyOf(made.secrets.publicKey), 1),
    sealed(recipientKeyOf(secrets.publicKey), 2),
  ]
  const places = envelopes.map((body) => readHeader(body))
  const open = { kind: 'open', envelopes, places } as const
  const { privateKeys } = run('unlock', { kind: 'unlock', user, password: 'old', secrets })
  t.same(privateKeys, [privateKey, ...made.privateKeys])
  t.same(run('open', { ...open, privateKeys: privateKeys! }).texts, ['message 1', 'message 2'])
  t.same(run('open', { ...open, privateKeys: [privateKey!] }).texts, [null, 'message 2'])
  t.same(run('open', { ...open, privateKeys: [] }).texts, [null, null])
  t.end()
})

t.test('an imported key is fully checked, and wrapped again', (t) => {
  const user = 'bob'
  const made = run('create-account', {
    kind: 'create-account',
    user,
    password: 'old',
    bits: 2048,
    keys: null,
  })
  const { secrets } = made
  const { wrappingKey } = derivePasswordKeys('old', secrets.salt, cost)
  const add = (pkcs8: Uint8Array, change: Partial<Extract<Job, { kind: 'add-key' }>> = {}) => {
    const wrappedKey = wrapPrivateKey(wrappingKey, user, pkcs8, entropy)
    const job = { kind: 'add-key', user, password: 'old', wrappedKey, secrets } as const
    return { wrappedKey, ...run('add-key', { ...job, ...change }) }
  }
  const { key } = fixture(3072)
  const { rotated, wrappedKey } = add(encodePkcs8(key))
  t.same(rotated!.privateKeys, [encodePkcs8(key)])
  t.same(rotated!.secrets.publicKey, encodeSpki(key))
  t.notSame(rotated!.secrets.wrappedKey, wrappedKey, 'under a nonce of its own')
  const { publicKey, wrappedKey: before, signing } = secrets
  t.same(rotated!.secrets.older, [{ publicKey, wrappedKey: before, signing }])
  const unlock = { kind: 'unlock', user, password: 'old', secrets: rotated!.secrets } as const
  t.same(run('unlock', unlock).privateKeys, [encodePkcs8(key), made.privateKeys[0]!])

  // A key that comes with attributes is wrapped as it is written here, without them.
  const [zero, octets] = [derInteger(0n), derOctetString(encodePkcs1Private(key))]
  const adorned = derSequence(zero, rsaEncryption, octets, Uint8Array.of(0xa0, 0))
  t.same(add(adorned).rotated!.privateKeys, [encodePkcs8(key)])

  // encodePkcs8 writes the algorithm that the key came with.
  const algorithm = derSequence(RSASSA_PSS)
  const limited = { ...key, limits: { uses: [], source: '', algorithm } }
  const refusals: readonly [ReturnType<typeof add>, RegExp | null][] = [
    [add(encodePkcs8(key), { password: 'wrong' }), null],
    [
      add(encodePkcs8(key), { wrappedKey: flipped(wrappedKey, 300) }),
      /not wrapped under the current pass/,
    ],
    [add(encodePkcs8(key), { user: 'eve' }), /not wrapped under the current password/],
    [add(made.privateKeys[0]!), /the account has this key already/],
    [add(encodePkcs8(key), { secrets: rotated!.secrets }), /the account has this key already/],
    [add(made.privateKeys[0]!, { secrets: rotated!.secrets }), /the account has this key already/],
    [add(encodePkcs8({ ...key, qInv: key.qInv + 1n })), /qInv is not the inverse/],
    [add(entropy(1000)), /not DER of an RSA key/],
    [add(new Uint8Array(0)), /not DER of an RSA key/],
    [add(encodePkcs8(limited)), /not to decrypt, but to sign and verify/],
  ]
  for (const [{ rotated, badKey }, reason] of refusals) {
    t.equal(rotated, null)
    if (reason) t.match(badKey, reason)
    else t.equal(badKey, null)
  }
  t.end()
})

t.test('composed and decomposed characters make the same password', (t) => {
  const job = {
    kind: 'create-account',
    user: 'zoe',
    password: 'Zo\u00eb',
    bits: 2048,
    keys: null,
  } as const
  const {
    secrets,
    privateKeys: [privateKey],
  } = run('create-account', job)
  const typed = { kind: 'unlock', user: 'zoe', password: 'Zoe\u0308', secrets } as const
  t.same(run('unlock', typed), { kind: 'unlock', privateKeys: [privateKey!] })
  t.end()
})

t.test('a job that cannot be computed throws its reason', (t) => {
  const small = { kind: 'create-account', user: 'a', password: '', bits: 512, keys: null } as const
  t.throws(() => run('failed', small), { message: /512 bits asked; 2048 to 8192/ })
  const privateKeys = [entropy(100)]
  const damaged = { kind: 'open', privateKeys, envelopes: [], places: [] } as const
  t.throws(() => run('open', damaged), { message: /not DER of an RSA key/ })
  const costs = [
    { logN: 40, r: 8, p: 1 },
    { logN: 15, r: 1e6, p: 1 },
    { logN: 15, r: 8, p: 0 },
  ]
  for (const wrong of costs) {
    const secrets: AccountSecrets = {
      salt: entropy(16),
      cost: wrong,
      verifierHash: entropy(32),
      publicKey: entropy(1),
      wrappedKey: entropy(50),
      signing: null,
      older: [],
    }
    const job = { kind: 'unlock', user: 'a', password: '', secrets } as const
    t.throws(() => run('unlock', job), { message: /scrypt cost out of bounds/ })
  }
  t.end()
})

function sealed(recipientKey: ReturnType<typeof recipientKeyOf>, seq: number): Uint8Array {
  const letter = {
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
  }
  return wholeEnvelope(new ContentKeys().seal(letter), letter)
}

t.test("a client's own keys are published unchanged if they vouch for each other", (t) => {
  const alice = new Person('alice')
  const create = { kind: 'create-account', user: 'alice', password: 'old', bits: 2048 } as const
  const first = alice.published[0]!
  const made = run('create-account', { ...create, keys: first })
  t.match(made.secrets, { publicKey: first.publicKey, wrappedKey: { length: 0 }, older: [] })
  t.same(made.secrets.signing, first.signing)
  t.same(made.privateKeys, [])
  const others = { ...create, user: 'mallory', keys: first }
  t.same(run('bad-keys', others), { kind: 'bad-keys' }, "another user's")

  const unlock = { kind: 'unlock', user: 'alice', secrets: made.secrets } as const
  t.same(run('unlock', { ...unlock, password: 'old' }).privateKeys, [])
  t.equal(run('unlock', { ...unlock, password: 'new' }).privateKeys, null)

  alice.rotate()
  const keys = alice.published[0]!
  const rotate = { ...unlock, kind: 'rotate-key', bits: 2048, keys } as const
  t.equal(run('rotate-key', { ...rotate, password: 'new' }).rotated, null)
  const { secrets } = run('rotate-key', { ...rotate, password: 'old' }).rotated!
  t.same(secrets.publicKey, keys.publicKey)
  t.same(secrets.older, [{ ...first, wrappedKey: new Uint8Array(0) }])
  const thief = { ...rotate, password: 'old', keys: new Person('alice').published[0]! }
  t.same(run('bad-keys', thief), { kind: 'bad-keys' }, 'the password alone is not enough')

  const change = { ...unlock, kind: 'change-password', secrets, newPassword: 'new' } as const
  const changed = run('change-password', { ...change, password: 'old' }).secrets!
  t.notSame(changed.verifierHash, secrets.verifierHash)
  t.notSame(changed.salt, secrets.salt)
  t.same([changed.signing, changed.older], [secrets.signing, secrets.older])
  t.end()
})
