// The public keys of a client-held account: one to encrypt to and one to verify with, never the
// same key. The signing key vouches for both, by a signature over the statement "this is pair
// number n of this user"; the previous signing key vouches for them too. Invariant: a client that
// knows one signing key of an account can follow the signatures to the newest, and only the
// account's owner can add one.

import type { Entropy } from '../entropy.js'
import { encodeSpki, decodeSpki } from '../rsa/formats.js'
import { thumbprint } from '../rsa/jwk.js'
import type { KeyPolicy } from '../rsa/key-checks.js'
import type { RsaPrivateKey, RsaPublicKey } from '../rsa/keys.js'
import { concat } from '../rsa/octets.js'
import { pssSign, pssVerify } from '../rsa/pss.js'
import { RsaError } from '../rsa/rsa-error.js'
import { field } from './parts.js'

/** Domain separation: no other statement that a signing key signs begins with these words. */
const DOMAIN = 'troca keys 1'
const NONE = new Uint8Array(0)

export interface SigningKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** Signature by this key over the statement. */
  readonly ownSignature: Uint8Array
  /** Signature by the previous signing key; empty for an account's first. */
  readonly previousSignature: Uint8Array
}

/** A pair of keys as published. */
export interface HeldKey {
  /** Key that messages are sealed for: SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly signing: SigningKey
}

/** A published pair of keys whose signatures were verified. */
export interface CheckedKey {
  /** Messages are sealed for this key. */
  readonly sealing: RsaPublicKey
  /** Verifies what the account signs. */
  readonly signing: RsaPublicKey
  /** RFC 7638 thumbprint of the sealing key. */
  readonly kid: string
  /** RFC 7638 thumbprint of the signing key, which vouches for both; people compare it. */
  readonly fingerprint: string
}

export interface KeyPair {
  readonly sealing: RsaPublicKey
  readonly signing: RsaPrivateKey
}

/**
 * Signs pair `number` of `user`; the first is 1. `previous` is the previous signing key, or null.
 */
export function publish(
  user: string,
  number: number,
  { sealing, signing }: KeyPair,
  previous: RsaPrivateKey | null,
  entropy: Entropy,
): HeldKey {
  const [publicKey, signingKey] = [encodeSpki(sealing), encodeSpki(signing)]
  const statement = statementOf(user, number, publicKey, signingKey)
  const ownSignature = pssSign(signing, statement, entropy)
  const previousSignature = previous ? pssSign(previous, statement, entropy) : NONE
  return { publicKey, signing: { publicKey: signingKey, ownSignature, previousSignature } }
}

/**
 * Checks a pair that is to be published, before the older keys of the account, as checkKeys, and
 * completely: neither modulus may be a prime or have a known weakness.
 */
export function checkNewKeys(user: string, pair: HeldKey, older: readonly HeldKey[]): boolean {
  return decodePair(pair, {}) !== null && checkKeys(user, [pair, ...older]) !== null
}

/**
 * Checks all keys of an account, given newest first, as published. Null unless each key is sound,
 * each signing key vouches for its pair, and the previous signing key vouches for it too. The costly
 * checks of each modulus are left out: a service that names a weak key could name any other.
 */
export function checkKeys(user: string, keys: readonly HeldKey[]): CheckedKey[] | null {
  const checked: CheckedKey[] = []
  let previous: RsaPublicKey | null = null
  for (const [i, key] of [...keys].reverse().entries()) {
    const sound = checkKey(user, i + 1, key, previous)
    if (!sound) return null
    checked.unshift(sound)
    previous = sound.signing
  }
  return checked
}

function checkKey(
  user: string,
  number: number,
  pair: HeldKey,
  previous: RsaPublicKey | null,
): CheckedKey | null {
  const { publicKey, signing } = pair
  const keys = decodePair(pair, { rounds: 0 })
  if (!keys || keys.kid === keys.fingerprint) return null
  const statement = statementOf(user, number, publicKey, signing.publicKey)
  const { ownSignature, previousSignature } = signing
  const follows = previous
    ? pssVerify(previous, statement, previousSignature)
    : previousSignature.length === 0
  return follows && pssVerify(keys.signing, statement, ownSignature) ? keys : null
}

function decodePair(pair: HeldKey, policy: KeyPolicy): CheckedKey | null {
  try {
    const sealing = decodeKey(pair.publicKey, policy)
    const signing = decodeKey(pair.signing.publicKey, policy)
    if (!sealing || !signing) return null
    return { sealing, signing, kid: thumbprint(sealing), fingerprint: thumbprint(signing) }
  } catch (error) {
    if (error instanceof RsaError) return null
    throw error
  }
}

/** A key as encodeSpki writes it; null for another encoding, and for a key with limits. */
function decodeKey(spki: Uint8Array, policy: KeyPolicy): RsaPublicKey | null {
  const key = decodeSpki(spki, policy)
  const isOurs = !key.limits && Buffer.compare(encodeSpki(key), spki) === 0
  return isOurs ? key : null
}

function statementOf(
  user: string,
  number: number,
  sealing: Uint8Array,
  signing: Uint8Array,
): Uint8Array {
  return concat(...[DOMAIN, user, String(number), sealing, signing].map(field))
}
