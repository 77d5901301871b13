// RSAEP and RSADP (RFC 8017 section 5). The private operation uses the Chinese remainder theorem on
// a blinded base. Invariant: no result leaves before the public exponent has confirmed it, because
// a fault in one half would reveal a factor (Boneh, DeMillo, Lipton 1997).

import type { Entropy } from '../entropy.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { modPow, modPowPublic } from './modular.js'
import { randomBetween } from './octets.js'
import { RsaError } from './rsa-error.js'

/** x^e mod n (RSAEP, RSAVP1). RsaError `range` unless 0 <= x < n. */
export function publicOperation(key: RsaPublicKey, x: bigint): bigint {
  requireRepresentative(key, x)
  return modPowPublic(x, key.e, key.n)
}

/**
 * x^d mod n (RSADP, RSASP1). RsaError `range` unless 0 <= x < n; `fault` when the result does not
 * verify, as with a damaged key or a failing machine.
 *
 * Blinded by a fresh random r, and unblinded without an inverse: with b = x * r^e,
 * b^(d-1) * x * r^(e-1) = b^d / b * x * r^(e-1) = (x^d * r) / r = x^d.
 */
export function privateOperation(key: RsaPrivateKey, x: bigint, entropy: Entropy): bigint {
  requireRepresentative(key, x)
  const { n, e } = key
  // x + n has full length for every x; a product with a short x would take less time.
  const long = x + n
  const r = randomBetween(2n, n, entropy)
  const unmask = modPowPublic(r, e - 1n, n)
  const mask = (unmask * r) % n
  const power = powerOfPrivateLessOne(key, (long * mask) % n)
  const result = (((power * long) % n) * unmask) % n
  if (modPowPublic(result, e, n) !== x) {
    throw new RsaError('fault', 'the private operation failed its check; the result was withheld')
  }
  return result
}

/** x^(d-1) mod n, by its remainders modulo p and q (RFC 8017 section 5.1.2, step 2b). */
function powerOfPrivateLessOne(key: RsaPrivateKey, x: bigint): bigint {
  const mP = modPow(x, key.dP - 1n, key.p)
  const mQ = modPow(x, key.dQ - 1n, key.q)
  const difference = (((mP - mQ) % key.p) + key.p) % key.p
  return mQ + ((difference * key.qInv) % key.p) * key.q
}

function requireRepresentative(key: RsaPublicKey, x: bigint): void {
  if (x < 0n || x >= key.n) throw new RsaError('range', 'representative out of range')
}
