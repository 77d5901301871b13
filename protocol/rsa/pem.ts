// Keys as PEM text (RFC 7468): one block, whose label decides the structure within. A file may hold
// several blocks; `pemBlocks` splits them.

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

const LINE = 64
const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'

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
 * @param pem - One block, with nothing but white space around it.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure, `key` for a key that must not be used.
 */
export function publicKeyFromPem(pem: string, policy?: KeyPolicy): RsaPublicKey {
  const { label, der } = fromPem(pem)
  if (label === 'PUBLIC KEY') return decodeSpki(der, policy)
  if (label === 'RSA PUBLIC KEY') return decodePkcs1Public(der, policy)
  throw pemError(`"${label}" is not a public RSA key`)
}

/**
 * Reads a private key from PEM: PKCS#8 or PKCS#1, not encrypted.
 *
 * @param pem - One block, with nothing but white space around it.
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
  const { label, der } = fromPem(pem)
  if (label === 'PRIVATE KEY') return decodePkcs8(der, entropy, policy)
  if (label === 'RSA PRIVATE KEY') return decodePkcs1Private(der, entropy, policy)
  if (label === ENCRYPTED) throw pemError('it is under a passphrase, and none was given')
  throw pemError(`"${label}" is not a private RSA key`)
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
 * @param pem - One block, with nothing but white space around it.
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
  const { label, der } = fromPem(pem)
  if (label === ENCRYPTED) return decodeEncryptedPkcs8(der, passphrase, entropy, policy)
  throw pemError(`"${label}" is not a private key under a passphrase`)
}

/**
 * Splits a file into its blocks. Only blank lines may stand between them.
 *
 * @param text - The file.
 * @returns The blocks, each in the form that the other functions take.
 */
export function pemBlocks(text: string): readonly string[] {
  return text.split(/(?<=^-----END [A-Z0-9 ]+-----$)\s*(?=-----BEGIN )/m)
}

function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64')
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function fromPem(pem: string): { label: string; der: Uint8Array } {
  // RFC 1421's form, older than PKCS#8, derives its key by one MD5 of the passphrase.
  if (/^Proc-Type: *4,ENCRYPTED/m.test(pem)) {
    throw pemError(
      'its encryption is of an old form; openssl pkey -in KEY -aes256 -out NEW converts it',
    )
  }
  const block = /^\s*-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----\s*$/.exec(pem)
  if (!block) throw pemError('expected one block, base64, from BEGIN to END')
  const [, label = '', text = ''] = block
  const base64 = text.replace(/\s/g, '')
  const der = Buffer.from(base64, 'base64')
  if (der.toString('base64') !== base64) throw pemError('the base64 is not canonical')
  return { label, der: new Uint8Array(der) }
}

function pemError(reason: string): RsaError {
  return new RsaError('encoding', `not PEM of an RSA key: ${reason}`)
}
