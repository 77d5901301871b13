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

/** PEM of SubjectPublicKeyInfo, or of PKCS#1. */
export function publicKeyToPem(key: RsaPublicKey, format: 'spki' | 'pkcs1' = 'spki'): string {
  return format === 'spki'
    ? toPem('PUBLIC KEY', encodeSpki(key))
    : toPem('RSA PUBLIC KEY', encodePkcs1Public(key))
}

/** PEM of PKCS#8, or of PKCS#1; not encrypted. */
export function privateKeyToPem(key: RsaPrivateKey, format: 'pkcs8' | 'pkcs1' = 'pkcs8'): string {
  return format === 'pkcs8'
    ? toPem('PRIVATE KEY', encodePkcs8(key))
    : toPem('RSA PRIVATE KEY', encodePkcs1Private(key))
}

/** A checked key. RsaError `encoding` or `key`, with the reason. */
export function publicKeyFromPem(pem: string, policy?: KeyPolicy): RsaPublicKey {
  const { label, der } = fromPem(pem)
  if (label === 'PUBLIC KEY') return decodeSpki(der, policy)
  if (label === 'RSA PUBLIC KEY') return decodePkcs1Public(der, policy)
  throw pemError(`"${label}" is not a public RSA key`)
}

/** A checked key. RsaError `encoding` or `key`, with the reason. */
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

/** PEM of PKCS#8 under a passphrase (PBES2), as encodeEncryptedPkcs8. */
export function privateKeyToEncryptedPem(
  key: RsaPrivateKey,
  passphrase: string,
  entropy: Entropy,
  iterations?: number,
): string {
  return toPem(ENCRYPTED, encodeEncryptedPkcs8(key, passphrase, entropy, iterations))
}

/** Whether reading this PEM needs a passphrase. */
export function isEncryptedPem(pem: string): boolean {
  return pem.includes(`-----BEGIN ${ENCRYPTED}-----`)
}

/** A checked key. RsaError as decodeEncryptedPkcs8. */
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

/** Splits a file into its blocks, for the other functions. Only blank lines may stand between. */
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
