// RSAEP and RSADP (RFC 8017 section 5). The private operation uses the Chinese remainder theorem
// on a blinded base, and no result leaves before the public exponent has confirmed it: a fault in
// one half would give away a factor (Boneh, DeMillo, Lipton 1997).

import { modInv } from 'bigint-crypto-utils'
import type { Entropy } from '../machine.js'
import type { RsaPrivateKey, RsaPublicKey } from './keys.js'
import { modPow, modPowPublic } from './modular.js'
import { randomBetween } from './octets.js'
import { RsaError } from './rsa-error.js'

/** x^e mod n. RsaError `range` unless 0 <= x < n. */
export function publicOperation(key: RsaPublicKey, x: bigint): bigint {
  requireRepresentative(key, x)
  return modPowPublic(x, key.e, key.n)
}

/**
 * x^d mod n. RsaError `range` unless 0 <= x < n; `fault` when the result does not verify, as with
 * a damaged key or a failing machine.
 */
export function privateOperation(key: RsaPrivateKey, x: bigint, entropy: Entropy): bigint {
  requireRepresentative(key, x)
  const { mask, unmask } = blinding(key, entropy)
  const blinded = remainderTheorem(key, (x * mask) % key.n)
  const result = (blinded * unmask) % key.n
  if (modPowPublic(result, key.e, key.n) !== x) {
    throw new RsaError('fault', 'the private operation failed its check; the result was withheld')
  }
  return result
}

/** r^e and r^-1 mod n for a fresh random r. */
function blinding(key: RsaPublicKey, entropy: Entropy): { mask: bigint; unmask: bigint } {
  const r = randomBetween(2n, key.n, entropy)
  return { mask: modPowPublic(r, key.e, key.n), unmask: inverse(r, key.n) }
}

function inverse(r: bigint, n: bigint): bigint {
  try {
    return modInv(r, n)
  } catch {
    // The library's error prints r, which here shares a factor with n.
    throw new RsaError('fault', 'no inverse modulo n; the modulus is not what it must be')
  }
}

function remainderTheorem(key: RsaPrivateKey, x: bigint): bigint {
  const mP = modPow(x % key.p, key.dP, key.p)
  const mQ = modPow(x % key.q, key.dQ, key.q)
  const difference = (((mP - mQ) % key.p) + key.p) % key.p
  return mQ + ((difference * key.qInv) % key.p) * key.q
}

function requireRepresentative(key: RsaPublicKey, x: bigint): void {
  if (x < 0n || x >= key.n) throw new RsaError('range', 'representative out of range')
}
