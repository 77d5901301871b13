// Keys as PEM text (RFC 7468): a block, whose label decides the structure within, among other text.
// A file may hold several keys; `pemBlocks` splits them.

import type { Entropy } from '../entropy.js'
import {
  decodePkcs1Private,
  decodePkcs1Public,
  decodePkcs8,
  decodeSpki,
  encodePkcs1Private,
  encodePkcs1Public,
  encodePkcs8,
  encodeSpki,
} from './formats.js'
import type { KeyPolicy } from './key-checks.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { decodeEncryptedPkcs8, encodeEncryptedPkcs8 } from './pbes2.js'
import { RsaError } from './rsa-error.js'
import { derOf, foreignText, pemBlocksOf, pemError, toPem } from './key-text.js'

const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'
const PUBLIC_LABEL = /^(?:RSA )?PUBLIC KEY$/
const PRIVATE_LABEL = /^(?:RSA |ENCRYPTED )?PRIVATE KEY$/
const KEY_LABEL = /^(?:RSA )?PUBLIC KEY$|^(?:RSA |ENCRYPTED )?PRIVATE KEY$/

/**
 * Writes a public key as PEM.
 *
 * @param key - The key.
 * @param format - Structure within: SubjectPublicKeyInfo (default) or PKCS#1.
 * @returns The text of one block.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { generateKey, publicKeyToPem } from 'troca/rsa'
 *
 * console.log(publicKeyToPem(generateKey(3072, randomBytes)))
 * ```
 */
export function publicKeyToPem(key: RsaPublicKey, format: 'spki' | 'pkcs1' = 'spki'): string {
  return format === 'spki'
    ? toPem('PUBLIC KEY', encodeSpki(key))
    : toPem('RSA PUBLIC KEY', encodePkcs1Public(key))
}

/**
 * Writes a private key as PEM, not encrypted.
 *
 * @param key - The key.
 * @param format - Structure within: PKCS#8 (default) or PKCS#1.
 * @returns The text of one block.
 */
export function privateKeyToPem(key: RsaPrivateKey, format: 'pkcs8' | 'pkcs1' = 'pkcs8'): string {
  return format === 'pkcs8'
    ? toPem('PRIVATE KEY', encodePkcs8(key))
    : toPem('RSA PRIVATE KEY', encodePkcs1Private(key))
}

/**
 * Reads a public key from PEM: SubjectPublicKeyInfo or PKCS#1.
 *
 * @param pem - Text with one such key; other text and other blocks are left out (RFC 7468).
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function publicKeyFromPem(pem: string, policy?: KeyPolicy): RsaPublicKey {
  const { label, der } = keyIn(pem, PUBLIC_LABEL, 'public RSA key')
  return label === 'PUBLIC KEY' ? decodeSpki(der, policy) : decodePkcs1Public(der, policy)
}

/**
 * Reads a private key from PEM: PKCS#8 or PKCS#1, not encrypted.
 *
 * @param pem - Text with one such key; other text and other blocks are left out (RFC 7468).
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { readFileSync } from 'node:fs'
 * import { isEncryptedPem, privateKeyFromEncryptedPem, privateKeyFromPem } from 'troca/rsa'
 *
 * export function readKey(path: string, passphrase: string) {
 *   const pem = readFileSync(path, 'utf8')
 *   return isEncryptedPem(pem)
 *     ? privateKeyFromEncryptedPem(pem, passphrase, randomBytes)
 *     : privateKeyFromPem(pem, randomBytes)
 * }
 * ```
 */
export function privateKeyFromPem(
  pem: string,
  entropy: Entropy,
  policy?: KeyPolicy,
): RsaPrivateKey {
  const { label, der } = keyIn(pem, PRIVATE_LABEL, 'private RSA key')
  if (label === ENCRYPTED) throw pemError('it is under a passphrase, and none was given')
  const decode = label === 'PRIVATE KEY' ? decodePkcs8 : decodePkcs1Private
  return decode(der, entropy, policy)
}

/**
 * Writes a private key as PEM under a passphrase; see {@link encodeEncryptedPkcs8}.
 *
 * @param key - The key.
 * @param passphrase - Encoded as UTF-8, without normalization.
 * @param entropy - For salt and initialization vector.
 * @param iterations - Of PBKDF2; 600,000 by default.
 * @returns The text of one block.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { generateKey, privateKeyToEncryptedPem } from 'troca/rsa'
 *
 * const key = generateKey(3072, randomBytes)
 * console.log(privateKeyToEncryptedPem(key, 'correct horse', randomBytes))
 * ```
 */
export function privateKeyToEncryptedPem(
  key: RsaPrivateKey,
  passphrase: string,
  entropy: Entropy,
  iterations?: number,
): string {
  return toPem(ENCRYPTED, encodeEncryptedPkcs8(key, passphrase, entropy, iterations))
}

/**
 * Tells whether reading a PEM needs a passphrase.
 *
 * @param pem - The PEM text.
 * @returns Whether it holds an encrypted private key.
 */
export function isEncryptedPem(pem: string): boolean {
  return pem.includes(`-----BEGIN ${ENCRYPTED}-----`)
}

/**
 * Reads a private key from PEM under a passphrase; see {@link decodeEncryptedPkcs8}.
 *
 * @param pem - Text with one such key; other text and other blocks are left out (RFC 7468).
 * @param passphrase - Encoded as UTF-8, without normalization.
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError As {@link decodeEncryptedPkcs8}.
 */
export function privateKeyFromEncryptedPem(
  pem: string,
  passphrase: string,
  entropy: Entropy,
  policy?: KeyPolicy,
): RsaPrivateKey {
  const { label, der } = keyIn(pem, PRIVATE_LABEL, 'private RSA key')
  if (label === ENCRYPTED) return decodeEncryptedPkcs8(der, passphrase, entropy, policy)
  throw pemError(`"${label}" is not a private key under a passphrase`)
}

/**
 * Splits a file into the keys that it holds. Text around the blocks, and blocks of other things,
 * such as certificates, are left out.
 *
 * @param text - The file.
 * @returns The keys, each in the form that the other functions take. If the file holds none, it is
 * the only element, so that those functions say what it is.
 */
export function pemBlocks(text: string): readonly string[] {
  const keys = pemBlocksOf(text).filter(({ label }) => KEY_LABEL.test(label))
  return keys.length === 0 ? [text] : keys.map((block) => block.text)
}

/** The one key of the text that `labels` matches. */
function keyIn(text: string, labels: RegExp, kind: string): { label: string; der: Uint8Array } {
  const blocks = pemBlocksOf(text)
  const keys = blocks.filter(({ label }) => labels.test(label))
  const [key] = keys
  if (keys.length > 1) {
    throw pemError(`it holds ${keys.length} keys where one is expected; pemBlocks splits them`)
  }
  if (key) return { label: key.label, der: derOf(key) }
  const foreign = foreignText(text)
  if (foreign !== undefined) throw new RsaError('encoding', foreign)
  const [other] = blocks
  throw pemError(
    other ? `"${other.label}" is not a ${kind}` : 'there is no block, from BEGIN to END',
  )
}
