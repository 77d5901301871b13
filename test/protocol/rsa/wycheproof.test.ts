// Published vectors: every file of Project Wycheproof's schemas for OAEP, PSS and primality that lies
// in test/vectors, or in the folder `shared/vectors` beside the project. A group that cannot run is
// counted with its reason, and only known reasons are accepted.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { HASH_NAMES, PSS_HASH_NAMES } from '../../../protocol/rsa/hashes.js'
import type { HashName, PssHashName } from '../../../protocol/rsa/hashes.js'
import { isProbablyPrime } from '../../../protocol/rsa/primes.js'
import { oaepDecrypt } from '../../../protocol/rsa/oaep.js'
import { privateKeyFromJwk, publicKeyFromJwk } from '../../../protocol/rsa/jwk.js'
import { decodePkcs8, decodeSpki } from '../../../protocol/rsa/formats.js'
import { pssVerify } from '../../../protocol/rsa/pss.js'
import { RsaError } from '../../../protocol/rsa/rsa-error.js'
import { entropy, fromHex } from './fixtures.js'

t.setTimeout(600_000)

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface Hashes {
  readonly sha: string
  readonly mgf: string
  readonly mgfSha: string
}
interface OaepGroup extends Hashes {
  readonly type: 'RsaesOaepDecrypt'
  readonly privateKeyPkcs8: string
  readonly privateKeyJwk?: object
  readonly tests: readonly (Vector & { msg: string; ct: string; label: string })[]
}
interface PssGroup extends Hashes {
  readonly type: 'RsassaPssVerify' | 'RsassaPssWithParametersVerify'
  readonly publicKeyDer: string
  readonly publicKeyJwk?: object
  readonly sLen: number
  readonly tests: readonly (Vector & { msg: string; sig: string })[]
}
interface PrimeGroup {
  readonly type: 'PrimalityTest'
  readonly tests: readonly (Vector & { value: string })[]
}
type Group = OaepGroup | PssGroup | PrimeGroup
interface File {
  readonly path: string
  readonly numberOfTests: number
  readonly testGroups: readonly Group[]
}

const OWN = join(process.cwd(), 'test/vectors')
const BESIDE = join(process.cwd(), '../shared/vectors')
const TYPES = new Set(['RsaesOaepDecrypt', 'RsassaPssVerify', 'RsassaPssWithParametersVerify'])
TYPES.add('PrimalityTest')

function filesIn(folder: string): File[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const path = join(folder, name)
      return { ...(JSON.parse(readFileSync(path, 'utf8')) as File), path }
    })
    .filter(({ testGroups }) => testGroups?.some(({ type }) => TYPES.has(type)))
}

/** The group cannot run: a hash or a key that is not known here. */
class CannotRun extends Error {}

/** SHA-512/256 is sha512-256 here. */
function hashOf<H extends PssHashName>(name: string, known: readonly H[]): H {
  const hash = name.toLowerCase().replace(/^sha-/, 'sha').replace('/', '-')
  const found = known.find((one) => one === hash)
  if (!found) throw new CannotRun(`the hash ${name} is not known`)
  return found
}

function maskOf({ mgf, mgfSha }: Hashes): PssHashName {
  return mgf === 'MGF1' ? hashOf(mgfSha, HASH_NAMES) : hashOf(mgf, PSS_HASH_NAMES)
}

/** Keys that are refused as documented; any other refusal fails. */
const REFUSED = /has \d primes|\d+ bits; at least|exponent is too small|parameters of id-RSASSA-PSS/

function keyOf<K>(read: () => K): K {
  try {
    return read()
  } catch (error) {
    if (error instanceof RsaError && REFUSED.test(error.message)) {
      throw new CannotRun(error.message)
    }
    throw error
  }
}

const policy = { rounds: 1, minPublicExponent: 3n }
const limitless = <K extends object>(key: K): K => ({ ...key, limits: undefined })

function runOaep(t: Test, group: OaepGroup): void {
  const hash: HashName = hashOf(group.sha, HASH_NAMES)
  const mgf1Hash: HashName = hashOf(group.mgfSha, HASH_NAMES)
  const key = keyOf(() => decodePkcs8(fromHex(group.privateKeyPkcs8), entropy, policy))
  if (group.privateKeyJwk) {
    const same = privateKeyFromJwk(group.privateKeyJwk, entropy, policy)
    t.same(limitless(same), limitless(key))
  }
  for (const { tcId, comment, result, msg, ct, label } of group.tests) {
    const options = { hash, mgf1Hash, label: fromHex(label) }
    const open = (): Uint8Array => oaepDecrypt(key, fromHex(ct), entropy, options)
    const what = `${tcId} ${comment} is ${result}`
    if (result === 'valid') t.same(Buffer.from(open()).toString('hex'), msg, what)
    else if (result === 'invalid')
      t.throws(open, new RsaError('decryption', 'decryption error'), what)
    else t.pass(`${what}: either will do`)
  }
}

function runPss(t: Test, group: PssGroup): void {
  const hash: PssHashName = hashOf(group.sha, PSS_HASH_NAMES)
  const options = { hash, mgf1Hash: maskOf(group), saltLength: group.sLen }
  const key = keyOf(() => decodeSpki(fromHex(group.publicKeyDer), policy))
  if (group.publicKeyJwk) {
    t.same(limitless(publicKeyFromJwk(group.publicKeyJwk, policy)), limitless(key))
  }
  for (const { tcId, comment, result, msg, sig } of group.tests) {
    const verified = pssVerify(key, fromHex(msg), fromHex(sig), options)
    const what = `${tcId} ${comment} is ${result}`
    if (result === 'acceptable') t.pass(`${what}: either will do`)
    else t.equal(verified, result === 'valid', what)
  }
}

function runPrimality(t: Test, { tests }: PrimeGroup): void {
  for (const { tcId, comment, result, value } of tests) {
    // The file has negative numbers in two's complement.
    const x = BigInt.asIntN(value.length * 4, BigInt(`0x${value}`))
    const prime = isProbablyPrime(x, 20, entropy)
    if (result === 'acceptable') t.pass(`${tcId} ${comment} may be either`)
    else t.equal(prime, result === 'valid', `${tcId} ${comment} is ${result}`)
  }
}

function run(t: Test, group: Group): void {
  if (group.type === 'RsaesOaepDecrypt') runOaep(t, group)
  else if (group.type === 'PrimalityTest') runPrimality(t, group)
  else runPss(t, group)
}

const reasons = new Map<string, number>()
const counted = { files: 0, all: 0, ran: 0 }

function runFile(t: Test, { testGroups, numberOfTests }: File): number {
  let [ran, left] = [0, 0]
  for (const group of testGroups) {
    const { length } = group.tests
    try {
      if (!TYPES.has(group.type)) throw new CannotRun(`groups of ${group.type} are not known`)
      run(t, group)
      ran += length
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error
      reasons.set(error.message, (reasons.get(error.message) ?? 0) + length)
      left += length
    }
  }
  t.equal(ran + left, numberOfTests, 'every vector ran, or has its reason')
  counted.files++
  counted.all += numberOfTests
  counted.ran += ran
  return ran
}

for (const file of filesIn(OWN)) {
  t.test(`own: ${basename(file.path)}`, async (t) => {
    t.equal(runFile(t, file), file.numberOfTests, 'all of the own vectors ran')
  })
}

const beside = filesIn(BESIDE)
const skip = beside.length > 0 ? false : 'the vectors are not beside the project'
t.test('files beside the project', { skip }, async (t) => {
  for (const file of beside) t.test(basename(file.path), async (t) => void runFile(t, file))
})

t.test('the numbers', async (t) => {
  const { files, all, ran } = counted
  t.ok(ran > 0)
  t.comment(`${ran} of ${all} vectors in ${files} files ran`)
  for (const [reason, count] of reasons) t.comment(`${count} cannot: ${reason}`)
})
