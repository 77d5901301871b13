// The protected header: the key that opens the envelope, and the place it belongs to. Invariant: a
// header has one encoding. Reading writes the header again and compares, so that unknown, doubled
// or reordered members, other algorithms, `zip` and `crit` are refused. Members beyond RFC 7516:
//   iss, aud   sender and recipient (registered for headers by RFC 7519 section 5.3)
//   stream     16 bytes, base64url     seq   position in it     time   ms since 1970, UTC
//   skid       the sender's signing key, where the sender signed

import { EnvelopeError } from './envelope-error.js'
import { firstPart, fromBase64url, splitParts, toBase64url } from './parts.js'

/** The place of a message; an envelope does not open at any other place. */
export interface MessagePlace {
  readonly sender: string
  readonly recipient: string
  /** 16 bytes. */
  readonly stream: Uint8Array
  readonly seq: number
  /** Milliseconds since 1970, UTC. */
  readonly time: number
}

/**
 * - `jwe`: a JWE, its content key under RSA-OAEP-256 and the text under A256GCM.
 * - `rsa`: the text itself under RSA-OAEP-256, the header as label: no JWE, and `crit` says so.
 */
export type Suite = 'jwe' | 'rsa'

export interface EnvelopeHeader extends MessagePlace {
  readonly suite: Suite
  /** RFC 7638 thumbprint of the recipient's key. */
  readonly kid: string
  /** RFC 7638 thumbprint of the key that the sender signed with; null: the service sealed it. */
  readonly signer: string | null
}

/**
 * `crit`, RFC 7515 section 4.1.11: a library that does not know `suite` must refuse the envelope.
 */
const ALGORITHMS: Readonly<Record<Suite, string>> = {
  jwe: '"alg":"RSA-OAEP-256","enc":"A256GCM"',
  rsa: '"alg":"RSA-OAEP-256","crit":["suite"],"suite":"rsa"',
}

/** The start that the headers of one (kid, sender, recipient) share. */
export function headerStart(
  kid: string,
  sender: string,
  recipient: string,
  suite: Suite = 'jwe',
  signer: string | null = null,
): string {
  const [k, s, r] = [kid, sender, recipient].map((text) => JSON.stringify(text))
  const skid = signer === null ? '' : `"skid":${JSON.stringify(signer)},`
  return `{${ALGORITHMS[suite]},"kid":${k},${skid}"iss":${s},"aud":${r},"stream":"`
}

/** Completes a header that begins with `start` of headerStart. */
export function finishHeader(start: string, stream: Uint8Array, seq: number, time: number): string {
  return `${start}${toBase64url(stream)}","seq":${seq},"time":${time}}`
}

/** The header of a stored body, unauthenticated. EnvelopeError unless it has our encoding. */
export function readHeader(body: Uint8Array): EnvelopeHeader {
  return parseHeader(splitParts(body).header)
}

/**
 * The sender that the header of a stored body names, signed or not; empty: it has no header of ours.
 * Unauthenticated.
 */
export function senderOf(body: Uint8Array): string {
  try {
    return parseHeader(firstPart(body)).sender
  } catch (error) {
    if (error instanceof EnvelopeError) return ''
    throw error
  }
}

export function parseHeader(octets: Uint8Array): EnvelopeHeader {
  const header = toHeader(parseJson(Buffer.from(octets).toString('utf8')))
  const { suite, kid, signer, sender, recipient, stream, seq, time } = header
  const start = headerStart(kid, sender, recipient, suite, signer)
  const ours = finishHeader(start, stream, seq, time)
  if (Buffer.compare(Buffer.from(ours), octets) !== 0) throw new EnvelopeError()
  return header
}

export function samePlace(a: MessagePlace, b: MessagePlace): boolean {
  return (
    a.sender === b.sender &&
    a.recipient === b.recipient &&
    Buffer.compare(a.stream, b.stream) === 0 &&
    a.seq === b.seq &&
    a.time === b.time
  )
}

/** The members of a JSON object, or EnvelopeError. */
export function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Invalid JSON gets the same error as a value of another type.
  }
  throw new EnvelopeError()
}

function toHeader(members: Readonly<Record<string, unknown>>): EnvelopeHeader {
  const { kid, skid = null, iss, aud, stream, seq, time } = members
  const suite = members['suite'] === undefined ? 'jwe' : 'rsa'
  if (typeof kid !== 'string' || typeof iss !== 'string' || typeof aud !== 'string') {
    throw new EnvelopeError()
  }
  if (skid !== null && typeof skid !== 'string') throw new EnvelopeError()
  if (typeof stream !== 'string' || !isCount(seq) || !isCount(time)) throw new EnvelopeError()
  const octets = fromBase64url(stream)
  if (octets.length !== 16) throw new EnvelopeError()
  return { suite, kid, signer: skid, sender: iss, recipient: aud, stream: octets, seq, time }
}

/** A non-negative integer that a double holds exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
