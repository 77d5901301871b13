// Private keys under a passphrase: PKCS#8 EncryptedPrivateKeyInfo (RFC 5958 section 3) by PBES2
// (RFC 8018 section 6.2), as `openssl pkey -aes256` and `openssl pkcs8 -topk8 -scrypt` write it.
// The encoder uses PBKDF2 with HMAC-SHA-256 and AES-256-CBC. The decoder also reads other SHA-1/2
// hashes, scrypt (RFC 7914 section 7.1) and AES with shorter keys, but not PBES1, DES and RC2.

import { createCipheriv, createDecipheriv, pbkdf2Sync, scryptSync } from 'node:crypto'
import type { Entropy } from '../entropy.js'
import { arcsOf } from './algorithms.js'
import {
  DerReader,
  derInteger,
  derNull,
  derObjectIdentifier,
  derOctetString,
  derSequence,
} from './der.js'
import { decodePkcs8, encodePkcs8 } from './formats.js'
import type { HashName } from './hashes.js'
import type { KeyPolicy } from './key-checks.js'
import type { RsaPrivateKey } from './keys.js'
import { concat, draw } from './octets.js'
import { RsaError } from './rsa-error.js'

/** OWASP's count for PBKDF2-HMAC-SHA-256; about a quarter of a second. */
const PASSPHRASE_ITERATIONS = 600_000

// Costs of a file are accepted up to some seconds and 256 MiB, so that a hostile file cannot block.
const MAX_ITERATIONS = 10_000_000
const MAX_SCRYPT_BLOCKS = 2 ** 21
const MAX_SCRYPT_WORK = 2 ** 23
const MAX_SALT = 1024

const BLOCK = 16
const CONVERTS = 'openssl pkey -in KEY -aes256 -out NEW converts it'

// Encoded arcs in hexadecimal.
const PBES2 = '2a864886f70d01050d'
const PBKDF2 = '2a864886f70d01050c'
const SCRYPT = '2b06010401da47040b'
const HMAC_SHA256 = '2a864886f70d0209'
const AES_256_CBC = '60864801650304012a'

const PRFS: ReadonlyMap<string, HashName> = new Map([
  ['2a864886f70d0207', 'sha1'],
  ['2a864886f70d0208', 'sha224'],
  [HMAC_SHA256, 'sha256'],
  ['2a864886f70d020a', 'sha384'],
  ['2a864886f70d020b', 'sha512'],
  ['2a864886f70d020c', 'sha512-224'],
  ['2a864886f70d020d', 'sha512-256'],
])

/** Cipher name and key length in bytes, by encoded arcs. */
const CIPHERS: ReadonlyMap<string, readonly [string, number]> = new Map([
  ['608648016503040102', ['aes-128-cbc', 16]],
  ['608648016503040116', ['aes-192-cbc', 24]],
  [AES_256_CBC, ['aes-256-cbc', 32]],
])

/** Derives `length` bytes from a passphrase. */
type Derive = (passphrase: Uint8Array, length: number) => Uint8Array

/**
 * Writes a private key under a passphrase as EncryptedPrivateKeyInfo: PBES2 with
 * PBKDF2-HMAC-SHA-256 and AES-256-CBC.
 *
 * @param key - The key.
 * @param passphrase - Encoded as UTF-8, without normalization.
 * @param entropy - For salt and initialization vector.
 * @param iterations - Of PBKDF2; 600,000 by default.
 * @returns DER.
 */
export function encodeEncryptedPkcs8(
  key: RsaPrivateKey,
  passphrase: string,
  entropy: Entropy,
  iterations: number = PASSPHRASE_ITERATIONS,
): Uint8Array {
  const [salt, iv] = [draw(entropy, 16), draw(entropy, BLOCK)]
  const secret = pbkdf2Sync(Buffer.from(passphrase), salt, iterations, 32, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', secret, iv)
  const ciphertext = concat(cipher.update(encodePkcs8(key)), cipher.final())
  const prf = identifier(HMAC_SHA256, derNull())
  const costs = derSequence(derOctetString(salt), derInteger(BigInt(iterations)), prf)
  const scheme = derSequence(identifier(PBKDF2, costs), identifier(AES_256_CBC, derOctetString(iv)))
  return derSequence(identifier(PBES2, scheme), derOctetString(ciphertext))
}

/**
 * Reads a private key under a passphrase: PBES2 with PBKDF2 or scrypt, and AES-CBC.
 *
 * @param der - DER, and nothing after it.
 * @param passphrase - Encoded as UTF-8, without normalization.
 * @param entropy - For the bases of the primality tests.
 * @param policy - Requirements on a key from outside.
 * @returns The checked key.
 * @throws RsaError `encoding` for an invalid structure or costs out of bounds, `decryption` if it
 * does not open with this passphrase, `key` for a key that must not be used.
 */
export function decodeEncryptedPkcs8(
  der: Uint8Array,
  passphrase: string,
  entropy: Entropy,
  policy?: KeyPolicy,
): RsaPrivateKey {
  const { derive, cipher, keyLength, iv, ciphertext } = read(der)
  const secret = derive(Buffer.from(passphrase), keyLength)
  try {
    const decipher = createDecipheriv(cipher, secret, iv)
    const pkcs8 = concat(decipher.update(ciphertext), decipher.final())
    return decodePkcs8(pkcs8, entropy, policy)
  } catch (error) {
    // A wrong passphrase yields valid padding once in 256; the invalid key is then the same failure.
    if (error instanceof RsaError && error.code !== 'encoding') throw error
    throw new RsaError(
      'decryption',
      'it does not open: the passphrase is wrong, or the content is no RSA key',
    )
  }
}

interface Encrypted {
  readonly derive: Derive
  readonly cipher: string
  /** Bytes. */
  readonly keyLength: number
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}

function read(der: Uint8Array): Encrypted {
  const outer = new DerReader(der)
  const info = outer.sequence()
  outer.end()
  const algorithm = info.sequence()
  const ciphertext = info.octetString()
  info.end()
  if (arcsOf(algorithm) !== PBES2) throw unknown(`the encryption is not PBES2; ${CONVERTS}`)
  const scheme = algorithm.sequence()
  algorithm.end()
  const derivation = scheme.sequence()
  const encryption = scheme.sequence()
  scheme.end()

  const [cipher, keyLength] = CIPHERS.get(arcsOf(encryption)) ?? []
  if (!cipher || !keyLength) throw unknown(`the cipher is not AES-CBC; ${CONVERTS}`)
  const iv = encryption.octetString()
  encryption.end()
  const whole = ciphertext.length > 0 && ciphertext.length % BLOCK === 0
  if (iv.length !== BLOCK || !whole) throw unknown('the ciphertext is not of AES-CBC')

  const arcs = arcsOf(derivation)
  if (arcs !== PBKDF2 && arcs !== SCRYPT)
    throw unknown(`the key is not of PBKDF2 or scrypt; ${CONVERTS}`)
  const costs = derivation.sequence()
  derivation.end()
  const derive = arcs === PBKDF2 ? readPbkdf2(costs, keyLength) : readScrypt(costs, keyLength)
  return { derive, cipher, keyLength, iv, ciphertext }
}

function readPbkdf2(costs: DerReader, keyLength: number): Derive {
  const salt = readSalt(costs)
  const iterations = bounded(costs.integer(), MAX_ITERATIONS, 'iterations')
  readKeyLength(costs, keyLength)
  let hash: HashName | undefined = 'sha1'
  if (costs.nextIs('sequence')) {
    const prf = costs.sequence()
    hash = PRFS.get(arcsOf(prf))
    // RFC 8018 B.1.2 asks for a null, and GnuTLS writes none.
    prf.nullOrNothing()
  }
  costs.end()
  if (!hash) throw unknown('the hash of PBKDF2 is unknown')
  return (passphrase, length) => pbkdf2Sync(passphrase, salt, iterations, length, hash)
}

function readScrypt(costs: DerReader, keyLength: number): Derive {
  const salt = readSalt(costs)
  const N = bounded(costs.integer(), MAX_SCRYPT_BLOCKS, 'N of scrypt')
  const r = bounded(costs.integer(), MAX_SCRYPT_BLOCKS, 'r of scrypt')
  const p = bounded(costs.integer(), MAX_SCRYPT_WORK, 'p of scrypt')
  readKeyLength(costs, keyLength)
  costs.end()
  bounded(BigInt(N * r), MAX_SCRYPT_BLOCKS, 'memory of scrypt')
  bounded(BigInt(N * r) * BigInt(p), MAX_SCRYPT_WORK, 'work of scrypt')
  if (N < 2 || (N & (N - 1)) !== 0) throw unknown('N of scrypt is not a power of two')
  // scrypt needs 128 r (N + p) bytes and a little (RFC 7914 section 6); Node's default is 32 MiB.
  const maxmem = 128 * r * (N + p + 2)
  return (passphrase, length) => scryptSync(passphrase, salt, length, { N, r, p, maxmem })
}

function readSalt(costs: DerReader): Uint8Array {
  const salt = costs.octetString()
  if (salt.length > MAX_SALT) throw unknown(`the salt has ${salt.length} bytes`)
  return salt
}

function readKeyLength(costs: DerReader, expected: number): void {
  if (costs.nextIs('integer') && costs.integer() !== BigInt(expected)) {
    throw unknown('the key length is not that of the cipher')
  }
}

function bounded(value: bigint, max: number, what: string): number {
  if (value >= 1n && value <= BigInt(max)) return Number(value)
  throw unknown(`the ${what} is out of bounds: 1 to ${max}`)
}

function identifier(arcs: string, parameters: Uint8Array): Uint8Array {
  return derSequence(derObjectIdentifier(Buffer.from(arcs, 'hex')), parameters)
}

function unknown(reason: string): RsaError {
  return new RsaError('encoding', `not an encrypted key that can be read: ${reason}`)
}
