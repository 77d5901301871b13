// Opening envelopes (RFC 7516 section 5.2). Invariant: every failure costs the same work and gives
// the same error. If the content key does not decrypt, a random one takes its place (section 11.5),
// and the tag check fails.

import { createDecipheriv } from 'node:crypto'
import type { Entropy } from '../entropy.js'
import { thumbprint } from '../rsa/jwk.js'
import type { RsaPrivateKey } from '../rsa/keys.js'
import { oaepDecrypt } from '../rsa/oaep.js'
import { RsaError } from '../rsa/rsa-error.js'
import { EnvelopeError } from './envelope-error.js'
import { parseHeader, samePlace, type EnvelopeHeader, type MessagePlace } from './header.js'
import { TAG_LENGTH, isRsaAlone, splitParts, toBase64url, type EnvelopeParts } from './parts.js'

export interface OpenedEnvelope {
  /** Authenticated. The caller compares it with the place where the envelope was found. */
  readonly header: EnvelopeHeader
  readonly text: string
}

/** The operations of a private key that opening needs. */
export interface Opener {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** unwrapContentKey for this key; may cache. */
  readonly unwrap: (encryptedKey: Uint8Array) => Uint8Array
  /** Decrypts a text of the suite rsa; undefined if it does not open. */
  readonly decrypt: (ciphertext: Uint8Array, label: Uint8Array) => Uint8Array | undefined
}

const CONTENT_KEY_LENGTH = 32
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The message in a stored body. EnvelopeError if it does not open, or its place is not `expected`.
 * RsaError `fault` if this machine computed wrongly.
 */
export function openEnvelope(
  body: Uint8Array,
  privateKey: RsaPrivateKey,
  entropy: Entropy,
  expected?: MessagePlace,
): OpenedEnvelope {
  return openWith(openerOf(privateKey, entropy), body, expected)
}

export function openerOf(privateKey: RsaPrivateKey, entropy: Entropy): Opener {
  return {
    kid: thumbprint(privateKey),
    unwrap: (encryptedKey) => unwrapContentKey(encryptedKey, privateKey, entropy),
    decrypt: (ciphertext, label) => decryptText(ciphertext, label, privateKey, entropy),
  }
}

/**
 * openEnvelope with a given Opener. `verified` is the thumbprint of the key whose signature over
 * `body` the caller has verified; null: none. Invariant: an envelope whose header names a signer
 * opens only after that signer's signature was verified, so that nobody can take it away.
 */
export function openWith(
  opener: Opener,
  body: Uint8Array,
  expected?: MessagePlace,
  verified: string | null = null,
): OpenedEnvelope {
  const parts = splitParts(body)
  const plaintext = contentOf(parts, opener)
  const header = parseHeader(parts.header)
  const here = header.kid === opener.kid && (!expected || samePlace(header, expected))
  const asSaid = (header.suite === 'rsa') === isRsaAlone(parts)
  const proven = header.signer === verified
  if (!plaintext || !here || !asSaid || !proven) throw new EnvelopeError()
  return { header, text: decodeText(plaintext) }
}

/** The 32 bytes of a content key, or 32 random bytes if `encryptedKey` does not decrypt. */
export function unwrapContentKey(
  encryptedKey: Uint8Array,
  privateKey: RsaPrivateKey,
  entropy: Entropy,
): Uint8Array {
  const random = entropy(CONTENT_KEY_LENGTH)
  try {
    const contentKey = oaepDecrypt(privateKey, encryptedKey, entropy)
    return contentKey.length === CONTENT_KEY_LENGTH ? contentKey : random
  } catch (error) {
    if (error instanceof RsaError && error.code === 'decryption') return random
    throw error
  }
}

/** The plaintext, or undefined if the envelope does not open. */
export function contentOf(parts: EnvelopeParts, opener: Opener): Uint8Array | undefined {
  return isRsaAlone(parts)
    ? opener.decrypt(parts.encryptedKey, labelOf(parts.header))
    : decrypt(parts, opener.unwrap(parts.encryptedKey))
}

/**
 * OAEP label of the suite rsa: the header's base64url, as a JWE binds it (RFC 7516 section 5.1).
 */
export function labelOf(header: Uint8Array): Uint8Array {
  return Buffer.from(toBase64url(header), 'latin1')
}

function decryptText(
  ciphertext: Uint8Array,
  label: Uint8Array,
  privateKey: RsaPrivateKey,
  entropy: Entropy,
): Uint8Array | undefined {
  try {
    return oaepDecrypt(privateKey, ciphertext, entropy, { label })
  } catch (error) {
    if (error instanceof RsaError && error.code === 'decryption') return undefined
    throw error
  }
}

function decrypt(parts: EnvelopeParts, contentKey: Uint8Array): Buffer | undefined {
  const options = { authTagLength: TAG_LENGTH }
  const decipher = createDecipheriv('aes-256-gcm', contentKey, parts.nonce, options)
  decipher.setAAD(labelOf(parts.header))
  decipher.setAuthTag(parts.tag)
  const plaintext = decipher.update(parts.ciphertext)
  try {
    decipher.final()
    return plaintext
  } catch {
    return undefined
  }
}

function decodeText(plaintext: Uint8Array): string {
  try {
    return utf8.decode(plaintext)
  } catch {
    throw new EnvelopeError()
  }
}
