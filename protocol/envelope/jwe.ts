// Compact JWEs of whatever JOSE library (RFC 7516): `alg` RSA-OAEP-256 and `enc` A256GCM, any other
// header members but `zip` and `crit`. The service's own envelopes are such, and open here too, those
// of its suite rsa as well; that one is where it belongs is checked by open.ts alone.

import type { Entropy } from '../entropy.js'
import { thumbprint } from '../rsa/jwk.js'
import type { RsaPrivateKey } from '../rsa/keys.js'
import { EnvelopeError } from './envelope-error.js'
import { parseJson } from './header.js'
import { contentOf, openerOf } from './open.js'
import { fromCompact, isRsaAlone, splitParts } from './parts.js'

/** What {@link openJwe} gives. */
export interface OpenedJwe {
  /** Authenticated. */
  readonly header: Readonly<Record<string, unknown>>
  /** The decrypted content. */
  readonly plaintext: Uint8Array
}

/**
 * The content of a compact JWE, by the key that its `kid` names (RFC 7638 thumbprint), or by any of
 * `keys` where it names none of them. EnvelopeError, and only that, when it does not open.
 */
export function openJwe(
  compact: string,
  keys: readonly RsaPrivateKey[],
  entropy: Entropy,
): OpenedJwe {
  const parts = splitParts(fromCompact(compact))
  const header = membersOf(parts.header)
  const named = keys.filter((key) => thumbprint(key) === header['kid'])
  // What the header asks for is looked at last: every envelope costs the same work.
  const plaintexts = (named.length > 0 ? named : keys).map((key) =>
    contentOf(parts, openerOf(key, entropy)),
  )
  const plaintext = plaintexts.find((one) => one !== undefined)
  const known = isRsaAlone(parts) ? isSuiteRsa(header) : isSuiteJwe(header)
  if (!plaintext || !known) throw new EnvelopeError()
  return { header, plaintext: new Uint8Array(plaintext) }
}

/** None where it is no JSON object. */
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
