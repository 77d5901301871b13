// RSAES-OAEP (RFC 8017 section 7.1). Encryption is a function of its seed, so that replicas agree.
// Invariant: decryption has one failure. The first byte, the label's hash, the padding and the
// separator are evaluated together, because an attacker who can distinguish them can decrypt
// (Manger 2001).

import type { Entropy } from '../entropy.js'
import { digest, hashLength, mgf1, type HashName } from './hashes.js'
import { demandUse, oaepDefaults, type KeyUse } from './key-limits.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { concat, toInteger, toOctets, xorInto } from './octets.js'
import { privateOperation, publicOperation } from './primitives.js'
import { RsaError } from './rsa-error.js'

/** The parameters of OAEP; both sides need the same. */
export interface OaepOptions {
  /** That of the key's limits by default, else SHA-256. */
  readonly hash?: HashName
  /** As `hash` by default. */
  readonly mgf1Hash?: HashName
  /** Empty by default. */
  readonly label?: Uint8Array
}

const emptyLabel = new Uint8Array(0)

/**
 * Length of the longest message that a key encrypts: k - 2 hLen - 2.
 *
 * @param key - The key.
 * @param hash - The hash function of OAEP.
 * @returns Bytes; below 0 if the key is too short for the hash.
 */
export function oaepCapacity(key: RsaPublicKey, hash: HashName = oaepDefaults(key).hash): number {
  return key.bytes - 2 * hashLength(hash) - 2
}

/**
 * Encrypts by RSAES-OAEP (RFC 8017 section 7.1.1). The same seed gives the same ciphertext.
 *
 * @param key - The key of the recipient.
 * @param message - At most {@link oaepCapacity} bytes.
 * @param seed - hLen bytes, fresh and secret for each message.
 * @param options - Hashes and label.
 * @returns The ciphertext, k bytes.
 * @throws RsaError `range` if the message is too long or the seed has another length; `key` if the
 * key's limits exclude this.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { generateKey, oaepEncrypt, publicKeyOf } from 'troca/rsa'
 *
 * const recipient = publicKeyOf(generateKey(2048, randomBytes))
 * const ciphertext = oaepEncrypt(recipient, Buffer.from('olá'), randomBytes(32))
 * console.log(ciphertext.length) // 256
 * ```
 */
export function oaepEncrypt(
  key: RsaPublicKey,
  message: Uint8Array,
  seed: Uint8Array,
  options: OaepOptions = {},
): Uint8Array {
  const { hash, mgf1Hash, label } = parametersOf(key, 'encrypt', options)
  const capacity = oaepCapacity(key, hash)
  if (message.length > capacity) {
    throw new RsaError('range', `message of ${message.length} bytes; at most ${capacity} fit`)
  }
  if (seed.length !== hashLength(hash)) {
    throw new RsaError('range', `seed of ${seed.length} bytes; ${hashLength(hash)} are needed`)
  }
  const padding = new Uint8Array(capacity - message.length)
  const block = concat(digest(hash, label), padding, Uint8Array.of(1), message)
  const maskedSeed = Uint8Array.from(seed)
  xorInto(block, mgf1(mgf1Hash, seed, block.length))
  xorInto(maskedSeed, mgf1(mgf1Hash, block, maskedSeed.length))
  const encoded = toInteger(concat(maskedSeed, block))
  return toOctets(publicOperation(key, encoded), key.bytes)
}

/**
 * Decrypts by RSAES-OAEP (RFC 8017 section 7.1.2).
 *
 * @param key - The private key.
 * @param ciphertext - As {@link oaepEncrypt}, or any other program, made it.
 * @param entropy - For the blinding of the private operation.
 * @param options - Hashes and label.
 * @returns The message.
 * @throws RsaError `decryption` for every invalid ciphertext, without a reason; `key` if the key's
 * limits exclude this; `fault` if the result contradicts the public key.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { generateKey, oaepDecrypt, oaepEncrypt } from 'troca/rsa'
 *
 * const key = generateKey(2048, randomBytes)
 * const ciphertext = oaepEncrypt(key, Buffer.from('olá'), randomBytes(32))
 * console.log(Buffer.from(oaepDecrypt(key, ciphertext, randomBytes)).toString()) // olá
 * ```
 */
export function oaepDecrypt(
  key: RsaPrivateKey,
  ciphertext: Uint8Array,
  entropy: Entropy,
  options: OaepOptions = {},
): Uint8Array {
  const { hash, mgf1Hash, label } = parametersOf(key, 'decrypt', options)
  const x = toInteger(ciphertext)
  if (ciphertext.length !== key.bytes || x >= key.n) throw decryptionError()
  const encoded = toOctets(privateOperation(key, x, entropy), key.bytes)
  const seed = encoded.slice(1, 1 + hashLength(hash))
  const block = encoded.slice(1 + hashLength(hash))
  xorInto(seed, mgf1(mgf1Hash, block, seed.length))
  xorInto(block, mgf1(mgf1Hash, seed, block.length))
  const start = messageStart(encoded[0] ?? 1, block, digest(hash, label))
  if (start === 0) throw decryptionError()
  return block.slice(start)
}

/** The parameters as given, or the key's own; its limits must allow them. */
function parametersOf(key: RsaPublicKey, use: KeyUse, options: OaepOptions): Required<OaepOptions> {
  const own = oaepDefaults(key)
  const { hash = own.hash, label = emptyLabel } = options
  const { mgf1Hash = hash === own.hash ? (own.mgf1Hash ?? hash) : hash } = options
  demandUse(key, use, { hash, mgf1Hash })
  return { hash, mgf1Hash, label }
}

/** Start of M in DB = lHash ‖ 0 ... 0 ‖ 1 ‖ M, or 0 if DB is invalid. Every byte is visited. */
function messageStart(first: number, block: Uint8Array, labelHash: Uint8Array): number {
  let wrong = first
  for (let i = 0; i < labelHash.length; i++) wrong |= (block[i] ?? 0) ^ (labelHash[i] ?? 0)
  let searching = 1
  let start = 0
  for (let i = labelHash.length; i < block.length; i++) {
    const byte = block[i] ?? 0
    const isZero = (byte - 1) >>> 31
    const isOne = ((byte ^ 1) - 1) >>> 31
    wrong |= searching & ~(isZero | isOne)
    start |= -(searching & isOne) & (i + 1)
    searching &= ~isOne
  }
  wrong |= searching
  const right = (wrong - 1) >>> 31
  return -right & start
}

function decryptionError(): RsaError {
  return new RsaError('decryption', 'decryption error')
}
