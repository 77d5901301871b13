// Opening (RFC 7516 section 5.2). Whatever is wrong with an envelope, the work is the same and the
// error is one: when the content key does not decrypt, a random one goes on in its place (section
// 11.5), and the tag refuses.

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
  /** Authenticated; compare it with the place where the envelope was found. */
  readonly header: EnvelopeHeader
  readonly text: string
}

/** A private key as openings use it: its name, and the content key in an encrypted key. */
export interface Opener {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** As unwrapContentKey; may remember. */
  readonly unwrap: (encryptedKey: Uint8Array) => Uint8Array
  /** What RSA alone encrypted, or undefined. */
  readonly decrypt: (ciphertext: Uint8Array, label: Uint8Array) => Uint8Array | undefined
}

const CONTENT_KEY_LENGTH = 32
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The message in a stored body. EnvelopeError when it does not open, or belongs elsewhere than
 * `expected`. RsaError `fault` when this machine computed wrongly.
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

/** openEnvelope with a given way to the content key. */
export function openWith(
  opener: Opener,
  body: Uint8Array,
  expected?: MessagePlace,
): OpenedEnvelope {
  const parts = splitParts(body)
  const plaintext = contentOf(parts, opener)
  const header = parseHeader(parts.header)
  const here = header.kid === opener.kid && (!expected || samePlace(header, expected))
  const asSaid = (header.suite === 'rsa') === isRsaAlone(parts)
  if (!plaintext || !here || !asSaid) throw new EnvelopeError()
  return { header, text: decodeText(plaintext) }
}

/** The 32 bytes of a content key, or as many random ones when `encryptedKey` does not decrypt. */
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

/** The plaintext, or undefined where it does not open. */
export function contentOf(parts: EnvelopeParts, opener: Opener): Uint8Array | undefined {
  return isRsaAlone(parts)
    ? opener.decrypt(parts.encryptedKey, labelOf(parts.header))
    : decrypt(parts, opener.unwrap(parts.encryptedKey))
}

/** Of the suite rsa: as a JWE binds its header, RFC 7516 section 5.1. */
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
