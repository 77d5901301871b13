// Keys as JSON Web Keys (RFC 7517, RFC 7518 section 6.3), and a key's SHA-256 thumbprint (RFC
// 7638), which is the `kid` in envelopes.

import type { Entropy } from '../entropy.js'
import { severalPrimes } from './formats.js'
import { digest } from './hashes.js'
import { jwkLimitsOf, readJwkLimits, type JwkLimits } from './jwk-limits.js'
import { checkPrivateKey, checkPublicKey, type KeyPolicy } from './key-checks.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { bitLength, toInteger, toOctets } from './octets.js'
import { RsaError } from './rsa-error.js'

/**
 * A public key as a JSON Web Key. Its integers are base64url of big-endian bytes without leading
 * zeros. `key_ops` and `alg` are there if the key has limits.
 */
export interface RsaPublicJwk extends JwkLimits {
  /** Key type. */
  readonly kty: 'RSA'
  /** Modulus. */
  readonly n: string
  /** Public exponent. */
  readonly e: string
}

/** A private key of two primes as a JSON Web Key. */
export interface RsaPrivateJwk extends RsaPublicJwk {
  /** Private exponent. */
  readonly d: string
  /** First prime. */
  readonly p: string
  /** Second prime. */
  readonly q: string
  /** d mod (p - 1). */
  readonly dp: string
  /** d mod (q - 1). */
  readonly dq: string
  /** q^-1 mod p. */
  readonly qi: string
}

/**
 * Writes a public key as a JWK (RFC 7518 section 6.3.1).
 *
 * @param key - The key.
 * @returns Its JWK.
 */
export function publicKeyToJwk({ n, e, limits }: RsaPublicKey): RsaPublicJwk {
  return { kty: 'RSA', n: toBase64url(n), e: toBase64url(e), ...jwkLimitsOf(limits, false) }
}

/**
 * Writes a private key as a JWK (RFC 7518 section 6.3.2).
 *
 * @param key - The key.
 * @returns Its JWK.
 */
export function privateKeyToJwk(key: RsaPrivateKey): RsaPrivateJwk {
  return {
    ...publicKeyToJwk(key),
    ...jwkLimitsOf(key.limits, true),
    d: toBase64url(key.d),
    p: toBase64url(key.p),
    q: toBase64url(key.q),
    dp: toBase64url(key.dP),
    dq: toBase64url(key.dQ),
    qi: toBase64url(key.qInv),
  }
}

/**
 * Reads a public key from parsed JSON. `use`, `key_ops` and `alg` limit what the key may be used
 * for; unknown members are ignored.
 *
 * @param jwk - Result of `JSON.parse`.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 * @example
 * ```ts
 * import { publicKeyFromJwk } from 'troca/rsa'
 *
 * export async function keyAt(url: string) {
 *   return publicKeyFromJwk(await (await fetch(url)).json())
 * }
 * ```
 */
export function publicKeyFromJwk(jwk: unknown, policy?: KeyPolicy): RsaPublicKey {
  const members = membersOf(jwk)
  const member = (name: string): bigint => integerOf(members, name)
  const limits = readJwkLimits(members, false)
  const key = checkPublicKey(member('n'), member('e'), policy)
  return { ...key, ...(limits && { limits }) }
}

/**
 * Reads a private key from parsed JSON. All members of two primes must be present; `use`, `key_ops`
 * and `alg` limit what the key may be used for.
 *
 * @param jwk - Result of `JSON.parse`.
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function privateKeyFromJwk(
  jwk: unknown,
  entropy: Entropy,
  policy?: KeyPolicy,
): RsaPrivateKey {
  const members = membersOf(jwk)
  const member = (name: string): bigint => integerOf(members, name)
  const limits = readJwkLimits(members, true)
  const parts = {
    n: member('n'),
    e: member('e'),
    d: member('d'),
    p: member('p'),
    q: member('q'),
    dP: member('dp'),
    dQ: member('dq'),
    qInv: member('qi'),
  }
  return { ...checkPrivateKey(parts, entropy, policy), ...(limits && { limits }) }
}

/**
 * Computes the thumbprint of a key (RFC 7638), which names it: SHA-256 over the required members of
 * its JWK, sorted, without white space.
 *
 * @param key - The key.
 * @returns The thumbprint, base64url.
 */
export function thumbprint(key: Pick<RsaPublicKey, 'n' | 'e'>): string {
  const members = `{"e":"${toBase64url(key.e)}","kty":"RSA","n":"${toBase64url(key.n)}"}`
  return Buffer.from(digest('sha256', Buffer.from(members))).toString('base64url')
}

function toBase64url(x: bigint): string {
  return Buffer.from(toOctets(x, Math.ceil(bitLength(x) / 8))).toString('base64url')
}

function membersOf(jwk: unknown): Readonly<Record<string, unknown>> {
  if (typeof jwk !== 'object' || jwk === null) throw jwkError('not an object')
  const members = jwk as Readonly<Record<string, unknown>>
  if (members['kty'] !== 'RSA') throw jwkError('"kty" is not "RSA"')
  const { oth } = members
  if (oth !== undefined)
    throw jwkError(severalPrimes(Array.isArray(oth) ? `${oth.length + 2}` : 'more'))
  return members
}

function integerOf(members: Readonly<Record<string, unknown>>, name: string): bigint {
  const text = members[name]
  if (typeof text !== 'string') throw jwkError(`"${name}" is missing`)
  const octets = Buffer.from(text, 'base64url')
  if (octets.toString('base64url') !== text || octets.length === 0 || octets[0] === 0) {
    throw jwkError(`"${name}" is not base64url of an integer without leading zeros`)
  }
  return toInteger(octets)
}

function jwkError(reason: string): RsaError {
  return new RsaError('encoding', `not a JWK of an RSA key: ${reason}`)
}
