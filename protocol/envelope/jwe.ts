// Opens compact JWEs of any JOSE library (RFC 7516): `alg` RSA-OAEP-256 and `enc` A256GCM, with any
// other header members but `zip` and `crit`. The service's own envelopes open here too, also those
// of its suite rsa, and signed messages, whose compact form has the signature as a sixth part. The
// place of an envelope is not checked here; open.ts does that.

import type { Entropy } from '../entropy.js'
import { thumbprint } from '../rsa/jwk.js'
import type { RsaPrivateKey, RsaPublicKey } from '../rsa/keys.js'
import { EnvelopeError } from './envelope-error.js'
import { parseJson } from './header.js'
import { contentOf, openerOf } from './open.js'
import { fromBase64url, fromCompact, isRsaAlone, splitParts } from './parts.js'
import { isSignedBy } from './signed.js'

/** Result of {@link openJwe}. */
export interface OpenedJwe {
  /** Authenticated. */
  readonly header: Readonly<Record<string, unknown>>
  /** The decrypted content. */
  readonly plaintext: Uint8Array
}

/** Parts of a JWE; a sixth is the signature of a message between client-held accounts. */
const JWE_PARTS = 5

/**
 * The content of a compact JWE, opened with the key that its `kid` names (RFC 7638 thumbprint), or
 * with any of `keys` if it names none of them. A JWE whose header names a signer (`skid`) opens
 * only with its signature as the sixth part, by that one of `signers`. EnvelopeError, and only
 * that, if no key opens it, or if the signature is missing or not the signer's. RsaError `key` if
 * the limits of a key exclude this use.
 */
export function openJwe(
  compact: string,
  keys: readonly RsaPrivateKey[],
  entropy: Entropy,
  signers: readonly RsaPublicKey[] = [],
): OpenedJwe {
  const texts = compact.split('.')
  const envelope = fromCompact(texts.slice(0, JWE_PARTS).join('.'))
  const signatures = texts.slice(JWE_PARTS).map(fromBase64url)
  const parts = splitParts(envelope)
  const header = membersOf(parts.header)
  const named = keys.filter((key) => thumbprint(key) === header['kid'])
  // The algorithms are checked last, so that every envelope costs the same work.
  const plaintexts = (named.length > 0 ? named : keys).map((key) =>
    contentOf(parts, openerOf(key, entropy)),
  )
  const plaintext = plaintexts.find((one) => one !== undefined)
  const known = isRsaAlone(parts) ? isSuiteRsa(header) : isSuiteJwe(header)
  const proven =
    header['skid'] === undefined
      ? signatures.length === 0
      : signatures.length === 1 && isSignedBy(header['skid'], signers, envelope, signatures[0]!)
  if (!plaintext || !known || !proven) throw new EnvelopeError()
  return { header, plaintext: new Uint8Array(plaintext) }
}

/** The members of the header; none if it is not a JSON object. */
function membersOf(header: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return parseJson(Buffer.from(header).toString('utf8'))
  } catch {
    return {}
  }
}

function isSuiteJwe({ alg, enc, zip, crit }: Readonly<Record<string, unknown>>): boolean {
  const plain = zip === undefined && crit === undefined
  return alg === 'RSA-OAEP-256' && enc === 'A256GCM' && plain
}

function isSuiteRsa({ alg, crit, suite }: Readonly<Record<string, unknown>>): boolean {
  return alg === 'RSA-OAEP-256' && suite === 'rsa' && JSON.stringify(crit) === '["suite"]'
}
