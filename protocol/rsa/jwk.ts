// Keys as JSON Web Keys (RFC 7517, RFC 7518 section 6.3), and a key's SHA-256 thumbprint (RFC
// 7638), which is the `kid` in envelopes.

import type { Entropy } from '../entropy.js'
import { digest } from './hashes.js'
import { checkPrivateKey, checkPublicKey, type KeyPolicy } from './key-checks.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { bitLength, toInteger, toOctets } from './octets.js'
import { RsaError } from './rsa-error.js'

/** The members are base64url of big-endian integers without leading zeros. */
export interface RsaPublicJwk {
  readonly kty: 'RSA'
  readonly n: string
  readonly e: string
}

export interface RsaPrivateJwk extends RsaPublicJwk {
  readonly d: string
  readonly p: string
  readonly q: string
  readonly dp: string
  readonly dq: string
  readonly qi: string
}

export function publicKeyToJwk({ n, e }: RsaPublicKey): RsaPublicJwk {
  return { kty: 'RSA', n: toBase64url(n), e: toBase64url(e) }
}

export function privateKeyToJwk(key: RsaPrivateKey): RsaPrivateJwk {
  return {
    ...publicKeyToJwk(key),
    d: toBase64url(key.d),
    p: toBase64url(key.p),
    q: toBase64url(key.q),
    dp: toBase64url(key.dP),
    dq: toBase64url(key.dQ),
    qi: toBase64url(key.qInv),
  }
}

/** A checked key from parsed JSON; unknown members are ignored. RsaError `encoding` or `key`. */
export function publicKeyFromJwk(jwk: unknown, policy?: KeyPolicy): RsaPublicKey {
  const member = memberOf(jwk)
  return checkPublicKey(member('n'), member('e'), policy)
}

/** A checked key from parsed JSON, which needs all members of two primes. RsaError likewise. */
export function privateKeyFromJwk(
  jwk: unknown,
  entropy: Entropy,
  policy?: KeyPolicy,
): RsaPrivateKey {
  const member = memberOf(jwk)
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
  return checkPrivateKey(parts, entropy, policy)
}

/** RFC 7638: base64url of SHA-256 over the required members, sorted, without white space. */
export function thumbprint(key: Pick<RsaPublicKey, 'n' | 'e'>): string {
  const members = `{"e":"${toBase64url(key.e)}","kty":"RSA","n":"${toBase64url(key.n)}"}`
  return Buffer.from(digest('sha256', Buffer.from(members))).toString('base64url')
}

function toBase64url(x: bigint): string {
  return Buffer.from(toOctets(x, Math.ceil(bitLength(x) / 8))).toString('base64url')
}

/** A function that reads a member's integer by name. */
function memberOf(jwk: unknown): (name: string) => bigint {
  if (typeof jwk !== 'object' || jwk === null) throw jwkError('not an object')
  const members = jwk as Readonly<Record<string, unknown>>
  if (members['kty'] !== 'RSA') throw jwkError('"kty" is not "RSA"')
  if (members['oth'] !== undefined) throw jwkError('only keys of two primes are known')
  return (name) => {
    const text = members[name]
    if (typeof text !== 'string') throw jwkError(`"${name}" is missing`)
    const octets = Buffer.from(text, 'base64url')
    if (octets.toString('base64url') !== text || octets.length === 0 || octets[0] === 0) {
      throw jwkError(`"${name}" is not base64url of an integer without leading zeros`)
    }
    return toInteger(octets)
  }
}

function jwkError(reason: string): RsaError {
  return new RsaError('encoding', `not a JWK of an RSA key: ${reason}`)
}
