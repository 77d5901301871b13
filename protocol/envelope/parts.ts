// The five parts of a JWE (RFC 7516 section 3) as a message's stored body: each part follows its
// length as uint32, big-endian, in the order of the compact serialization. A body of the suite rsa
// has the same five parts, the last three empty.

import { concat } from '../rsa/octets.js'
import { EnvelopeError } from './envelope-error.js'

export interface EnvelopeParts {
  /** The protected header, UTF-8 JSON. */
  readonly header: Uint8Array
  /** The content key under RSA-OAEP, k bytes; in the suite rsa, the text itself. */
  readonly encryptedKey: Uint8Array
  /** 12 bytes. In the suite rsa, nonce, ciphertext and tag are empty. */
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
  /** 16 bytes. */
  readonly tag: Uint8Array
}

const PREFIX = 4
export const NONCE_LENGTH = 12
export const TAG_LENGTH = 16

export function joinParts(parts: EnvelopeParts): Uint8Array {
  const list = [parts.header, parts.encryptedKey, parts.nonce, parts.ciphertext, parts.tag]
  const length = list.reduce((sum, part) => sum + PREFIX + part.length, 0)
  const body = new Uint8Array(length)
  let at = 0
  for (const part of list) {
    body[at] = part.length >>> 24
    body[at + 1] = part.length >>> 16
    body[at + 2] = part.length >>> 8
    body[at + 3] = part.length
    body.set(part, at + PREFIX)
    at += PREFIX + part.length
  }
  return body
}

/** Whether the parts have the form of the suite rsa: only the RSA ciphertext is there. */
export function isRsaAlone({ encryptedKey, nonce, ciphertext, tag }: EnvelopeParts): boolean {
  return encryptedKey.length > 0 && nonce.length + ciphertext.length + tag.length === 0
}

/** A view on the first part of a body, whatever follows. EnvelopeError if there is none. */
export function firstPart(body: Uint8Array): Uint8Array {
  if (body.length < PREFIX) throw new EnvelopeError()
  const length = new DataView(body.buffer, body.byteOffset, body.length).getUint32(0)
  if (length > body.length - PREFIX) throw new EnvelopeError()
  return body.subarray(PREFIX, PREFIX + length)
}

/** Views into `body`. EnvelopeError unless it is exactly five parts of either suite. */
export function splitParts(body: Uint8Array): EnvelopeParts {
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  let at = 0
  const next = (): Uint8Array => {
    if (body.length - at < PREFIX) throw new EnvelopeError()
    const start = at + PREFIX
    const length = view.getUint32(at)
    if (length > body.length - start) throw new EnvelopeError()
    at = start + length
    return body.subarray(start, at)
  }
  const parts = {
    header: next(),
    encryptedKey: next(),
    nonce: next(),
    ciphertext: next(),
    tag: next(),
  }
  const isGcm = parts.nonce.length === NONCE_LENGTH && parts.tag.length === TAG_LENGTH
  if (at !== body.length || !(isGcm || isRsaAlone(parts))) throw new EnvelopeError()
  return parts
}

/**
 * Octets, or a text's UTF-8, after their length as uint32, so that lists of fields are unambiguous.
 */
export function field(content: Uint8Array | string): Uint8Array {
  const octets = typeof content === 'string' ? Buffer.from(content) : content
  const length = new Uint8Array(PREFIX)
  new DataView(length.buffer).setUint32(0, octets.length)
  return concat(length, octets)
}

/** JWE compact serialization (RFC 7516 section 7.1). JOSE libraries refuse the suite rsa. */
export function toCompact(body: Uint8Array): string {
  const { header, encryptedKey, nonce, ciphertext, tag } = splitParts(body)
  return [header, encryptedKey, nonce, ciphertext, tag].map(toBase64url).join('.')
}

/** The stored body of a compact serialization; EnvelopeError unless it is canonical base64url. */
export function fromCompact(text: string): Uint8Array {
  const [header, encryptedKey, nonce, ciphertext, tag, ...more] = text.split('.').map(fromBase64url)
  if (!header || !encryptedKey || !nonce || !ciphertext || !tag || more.length > 0) {
    throw new EnvelopeError()
  }
  const body = joinParts({ header, encryptedKey, nonce, ciphertext, tag })
  splitParts(body)
  return body
}

export function toBase64url(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64url')
}

/** EnvelopeError unless `text` is the one encoding of its octets. */
export function fromBase64url(text: string): Uint8Array {
  const octets = Buffer.from(text, 'base64url')
  if (octets.toString('base64url') !== text) throw new EnvelopeError()
  return octets
}
