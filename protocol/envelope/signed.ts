// A message between client-held accounts: a JWE made by the sender, and the sender's RSASSA-PSS
// signature over its five parts. The signed header names the recipient, so a message cannot be
// forwarded as if it had been written to another person (Davis 2001, "Defective Sign & Encrypt").
// The header names the place too, so the message is valid at no other place.

import type { Entropy } from '../entropy.js'
import { thumbprint } from '../rsa/jwk.js'
import type { RsaPrivateKey, RsaPublicKey } from '../rsa/keys.js'
import { oaepEncrypt } from '../rsa/oaep.js'
import { concat } from '../rsa/octets.js'
import { pssSign, pssVerify } from '../rsa/pss.js'
import { encryptText } from './encrypt.js'
import { EnvelopeError } from './envelope-error.js'
import {
  finishHeader,
  headerStart,
  parseHeader,
  type EnvelopeHeader,
  type MessagePlace,
} from './header.js'
import { openWith, type Opener } from './open.js'
import { NONCE_LENGTH, field, joinParts, splitParts, toBase64url, toCompact } from './parts.js'

/** Domain separation: no other statement that a signing key signs begins with these words. */
const DOMAIN = 'troca message 1'
const KEY_LENGTH = 32
const PREFIX = 4

export interface SignedLetter extends MessagePlace {
  readonly recipientKey: RsaPublicKey
  readonly signingKey: RsaPrivateKey
  /** Well-formed Unicode. */
  readonly text: string
}

/** Makes the stored body: the five parts of the JWE, then the signature, each after its length. */
export function sealSigned(letter: SignedLetter, entropy: Entropy): Uint8Array {
  const { recipientKey, signingKey, sender, recipient, stream, seq, time, text } = letter
  const [kid, signer] = [recipientKey, signingKey].map(thumbprint) as [string, string]
  const start = headerStart(kid, sender, recipient, 'jwe', signer)
  const header = Buffer.from(finishHeader(start, stream, seq, time))
  const [contentKey, nonce] = [entropy(KEY_LENGTH), entropy(NONCE_LENGTH)]
  const encryptedKey = oaepEncrypt(recipientKey, contentKey, entropy(KEY_LENGTH))
  const envelope = joinParts({
    ...{ header, encryptedKey, nonce },
    ...encryptText(contentKey, toBase64url(header), nonce, text),
  })
  return concat(envelope, field(pssSign(signingKey, signedOctets(envelope), entropy)))
}

/**
 * Splits a stored body into the JWE and its signature. EnvelopeError unless it is exactly these.
 */
export function splitSigned(body: Uint8Array): { envelope: Uint8Array; signature: Uint8Array } {
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  let at = 0
  for (let part = 0; part < 5; part++) {
    if (body.length - at < PREFIX) throw new EnvelopeError()
    at += PREFIX + view.getUint32(at)
  }
  if (body.length - at <= PREFIX || view.getUint32(at) !== body.length - at - PREFIX) {
    throw new EnvelopeError()
  }
  return { envelope: body.subarray(0, at), signature: body.subarray(at + PREFIX) }
}

/** The header of a stored body, unauthenticated. EnvelopeError unless it names a signer. */
export function readSignedHeader(body: Uint8Array): EnvelopeHeader & { readonly signer: string } {
  const header = parseHeader(splitParts(splitSigned(body).envelope).header)
  const { signer, suite } = header
  if (signer === null || suite !== 'jwe') throw new EnvelopeError()
  return { ...header, signer }
}

export interface OpenedMessage {
  readonly text: string
  /** Time of writing, as the sender claims it: milliseconds since 1970, UTC. */
  readonly time: number
}

/** The place where a signed message was found. */
export type FoundPlace = Omit<MessagePlace, 'time'>

/**
 * The message in a stored body that was found at `place`. EnvelopeError, always the same, unless
 * one of `signers` signed it for this very place and one of `openers` opens it.
 */
export function openSigned(
  body: Uint8Array,
  place: FoundPlace,
  openers: readonly Opener[],
  signers: readonly RsaPublicKey[],
): OpenedMessage {
  const { envelope, signature } = splitSigned(body)
  const header = readSignedHeader(body)
  const opener = openers.find(({ kid }) => kid === header.kid)
  const { signer, time } = header
  if (!opener || !isSignedBy(signer, signers, envelope, signature)) throw new EnvelopeError()
  return { text: openWith(opener, envelope, { ...place, time }, signer).text, time }
}

/** Whether the key with thumbprint `signer`, one of `signers`, made the signature of `envelope`. */
export function isSignedBy(
  signer: unknown,
  signers: readonly RsaPublicKey[],
  envelope: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = signers.find((one) => thumbprint(one) === signer)
  return key !== undefined && pssVerify(key, signedOctets(envelope), signature)
}

/**
 * The compact form of a stored body: the JWE's five parts and, as a sixth, the signature. A JOSE
 * library refuses it, because a JWE has five parts; openJwe opens it with the signer's key.
 */
export function signedToCompact(body: Uint8Array): string {
  const { envelope, signature } = splitSigned(body)
  return `${toCompact(envelope)}.${toBase64url(signature)}`
}

function signedOctets(envelope: Uint8Array): Uint8Array {
  return concat(field(DOMAIN), envelope)
}
