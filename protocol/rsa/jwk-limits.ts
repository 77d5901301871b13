// The members "use", "key_ops" and "alg" of a JWK (RFC 7517 sections 4.2 to 4.4), which say what a
// key is for. A key stays readable whatever they say; demandUse refuses what they exclude.

import type { KeyLimits, KeyUse, OaepLimits, PssLimits } from './key-limits.js'
import { hashLength, type HashName } from './hashes.js'
import { RsaError } from './rsa-error.js'

type Members = Readonly<Record<string, unknown>>

/** The members of a JWK that say what its key is for. */
export interface JwkLimits {
  /** Operations (RFC 7517 section 4.3). */
  readonly key_ops?: string[]
  /** Algorithm (RFC 7518 section 3.1, section 4.1). */
  readonly alg?: string
}

const SIGNING: readonly KeyUse[] = ['sign', 'verify']
const ENCRYPTION: readonly KeyUse[] = ['encrypt', 'decrypt']
const ALL: readonly KeyUse[] = [...ENCRYPTION, ...SIGNING]

const USES: ReadonlyMap<unknown, readonly KeyUse[]> = new Map([
  ['sig', SIGNING],
  ['enc', ENCRYPTION],
])

/** Here OAEP encrypts keys and other content alike. */
const OPERATIONS: ReadonlyMap<string, KeyUse> = new Map([
  ['sign', 'sign'],
  ['verify', 'verify'],
  ['encrypt', 'encrypt'],
  ['wrapKey', 'encrypt'],
  ['decrypt', 'decrypt'],
  ['unwrapKey', 'decrypt'],
])

/** What the public half of a key does for a private operation. */
const COUNTERPARTS: ReadonlyMap<KeyUse, KeyUse> = new Map([
  ['sign', 'verify'],
  ['decrypt', 'encrypt'],
])

/** RFC 7518 section 3.5: the salt is as long as the hash. */
function pssOf(hash: HashName): PssLimits {
  const saltLength = hashLength(hash)
  return { hash, mgf1Hash: hash, minSaltLength: saltLength, maxSaltLength: saltLength }
}

function oaepOf(hash: HashName): OaepLimits {
  return { hash, mgf1Hash: hash }
}

/** RFC 7518 sections 3.1 and 4.1; Web Cryptography registered the last two. */
const ALGORITHMS: ReadonlyMap<string, Pick<KeyLimits, 'uses' | 'pss' | 'oaep'>> = new Map([
  ['PS256', { uses: SIGNING, pss: pssOf('sha256') }],
  ['PS384', { uses: SIGNING, pss: pssOf('sha384') }],
  ['PS512', { uses: SIGNING, pss: pssOf('sha512') }],
  ['RSA-OAEP', { uses: ENCRYPTION, oaep: oaepOf('sha1') }],
  ['RSA-OAEP-256', { uses: ENCRYPTION, oaep: oaepOf('sha256') }],
  ['RSA-OAEP-384', { uses: ENCRYPTION, oaep: oaepOf('sha384') }],
  ['RSA-OAEP-512', { uses: ENCRYPTION, oaep: oaepOf('sha512') }],
])

/**
 * The limits in the members of a JWK; null: none. RsaError `encoding` if a member has another type,
 * if an operation is named twice, or if "use" and "key_ops" contradict each other.
 */
export function readJwkLimits(members: Members, isPrivate: boolean): KeyLimits | null {
  const { use, key_ops: operations, alg } = members
  if (use === undefined && operations === undefined && alg === undefined) return null
  const byUse = use === undefined ? ALL : usesOfUse(use)
  const byOperations = operations === undefined ? ALL : usesOfOperations(operations, isPrivate)
  if (operations !== undefined && byOperations.some((one) => !byUse.includes(one))) {
    throw new RsaError('encoding', 'not a JWK of an RSA key: "use" and "key_ops" contradict')
  }
  const algorithm = alg === undefined ? { uses: ALL } : algorithmOf(alg)
  const uses = ALL.filter((one) =>
    [byUse, byOperations, algorithm.uses].every((allowed) => allowed.includes(one)),
  )
  const said = Object.entries({ use, key_ops: operations, alg }).flatMap(([name, value]) => {
    return value === undefined ? [] : [`"${name}": ${JSON.stringify(value)}`]
  })
  const source = `its JWK says ${said.join(', ')}`
  return { ...algorithm, uses, source, ...(typeof alg === 'string' && { alg }) }
}

/** The members that say the limits of a key again. */
export function jwkLimitsOf(limits: KeyLimits | undefined, isPrivate: boolean): JwkLimits {
  if (!limits) return {}
  const operations = limits.uses.filter((use) => isPrivate || use === 'encrypt' || use === 'verify')
  return { key_ops: operations, ...(limits.alg !== undefined && { alg: limits.alg }) }
}

function usesOfUse(use: unknown): readonly KeyUse[] {
  if (typeof use !== 'string') throw typeError('use', 'a string')
  return USES.get(use) ?? []
}

function usesOfOperations(operations: unknown, isPrivate: boolean): readonly KeyUse[] {
  const texts = Array.isArray(operations) ? (operations as unknown[]) : [null]
  if (!texts.every((one) => typeof one === 'string'))
    throw typeError('key_ops', 'a list of strings')
  if (new Set(texts).size < texts.length) throw typeError('key_ops', 'a list without repetitions')
  const uses = texts.flatMap((text) => OPERATIONS.get(text) ?? [])
  // A private key is accepted wherever a public one is, so its public half is implied.
  return isPrivate ? [...uses, ...uses.flatMap((use) => COUNTERPARTS.get(use) ?? [])] : uses
}

function algorithmOf(alg: unknown): Pick<KeyLimits, 'uses' | 'pss' | 'oaep'> {
  if (typeof alg !== 'string') throw typeError('alg', 'a string')
  return ALGORITHMS.get(alg) ?? { uses: [] }
}

function typeError(name: string, what: string): RsaError {
  return new RsaError('encoding', `not a JWK of an RSA key: "${name}" is not ${what}`)
}
