// Export and import of an account's private keys. Invariant: no private key is on the wire. The
// service sends and accepts only wrapped keys, and scrypt of the password runs here.

import { randomBytes } from 'node:crypto'
import {
  derivePasswordKeys,
  unwrapPrivateKey,
  wrapPrivateKey,
} from '../protocol/envelope/accounts.js'
import type { The } from '../protocol/messages/catalogue.js'
import { decodePkcs8, encodePkcs8, encodeSpki } from '../protocol/rsa/formats.js'
import { demandUse } from '../protocol/rsa/key-limits.js'
import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import { RsaError } from '../protocol/rsa/rsa-error.js'
import { clientError, refusedHere } from './errors.js'

type WrappedKeys = Pick<The<'WRAPPED_KEYS'>, 'salt' | 'cost' | 'keys'>

const entropy = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

/** The account's private keys, the newest first. BROKEN_PEER unless each fits its public key. */
export function unwrapKeys(
  user: string,
  password: string,
  { salt, cost, keys }: WrappedKeys,
): RsaPrivateKey[] {
  const wrappingKey = wrappingKeyOf(password, salt, cost)
  return keys.map(({ publicKey, wrappedKey }) => {
    const pkcs8 = unwrapPrivateKey(wrappingKey, user, wrappedKey)
    // The primes were tested before the key was wrapped, and the wrapping is authenticated.
    const key = pkcs8 && decodePkcs8(pkcs8, entropy, { rounds: 0 })
    if (!key || Buffer.compare(encodeSpki(key), publicKey) !== 0) {
      throw broken('the service sent a private key that does not fit its public key')
    }
    return key
  })
}

/** Wraps a private key in the form that ADD_KEY carries. BAD_KEY if it must not open messages. */
export function wrapKey(
  user: string,
  password: string,
  { salt, cost }: WrappedKeys,
  key: RsaPrivateKey,
): Uint8Array {
  requireOpens(key)
  const wrappingKey = wrappingKeyOf(password, salt, cost)
  return wrapPrivateKey(wrappingKey, user, encodePkcs8(key), entropy)
}

/** The form on the wire has no limits of a JWK, so they are checked here. */
function requireOpens(key: RsaPrivateKey): void {
  try {
    demandUse(key, 'decrypt', { hash: 'sha256', mgf1Hash: 'sha256' })
  } catch (error) {
    throw error instanceof RsaError ? refusedHere('BAD_KEY', error.message) : error
  }
}

function wrappingKeyOf(password: string, salt: Uint8Array, cost: WrappedKeys['cost']): Uint8Array {
  try {
    return derivePasswordKeys(password, salt, cost).wrappingKey
  } catch (error) {
    throw broken('the service asks for scrypt costs out of bounds', error)
  }
}

function broken(text: string, cause?: unknown): Error {
  return clientError('BROKEN_PEER', text, true, cause)
}
