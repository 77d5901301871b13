// Private keys of an account, out and in. The service hands out and takes wrapped keys only: scrypt of
// the password is run here, and no private key is on the wire.

import { randomBytes } from 'node:crypto'
import {
  derivePasswordKeys,
  unwrapPrivateKey,
  wrapPrivateKey,
} from '../protocol/envelope/accounts.js'
import type { The } from '../protocol/messages/catalogue.js'
import { decodePkcs8, encodePkcs8, encodeSpki } from '../protocol/rsa/formats.js'
import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import { clientError } from './errors.js'

type WrappedKeys = Pick<The<'WRAPPED_KEYS'>, 'salt' | 'cost' | 'keys'>

const NONCE_BYTES = 12

const entropy = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

/** The keys of an account, the newest first. TrocaError when they are not what they should be. */
export function unwrapKeys(
  user: string,
  password: string,
  { salt, cost, keys }: WrappedKeys,
): RsaPrivateKey[] {
  const wrappingKey = wrappingKeyOf(password, salt, cost)
  return keys.map(({ publicKey, wrappedKey }) => {
    const pkcs8 = unwrapPrivateKey(wrappingKey, user, wrappedKey)
    // Authenticated encryption has kept it as it was when it was checked.
    const key = pkcs8 && decodePkcs8(pkcs8, entropy, { rounds: 0 })
    if (!key || Buffer.compare(encodeSpki(key), publicKey) !== 0) {
      throw broken('a key of the account is not the one that it should be')
    }
    return key
  })
}

/** As the service takes it up. */
export function wrapKey(
  user: string,
  password: string,
  { salt, cost }: WrappedKeys,
  key: RsaPrivateKey,
): Uint8Array {
  const wrappingKey = wrappingKeyOf(password, salt, cost)
  return wrapPrivateKey(wrappingKey, user, entropy(NONCE_BYTES), encodePkcs8(key))
}

function wrappingKeyOf(password: string, salt: Uint8Array, cost: WrappedKeys['cost']): Uint8Array {
  try {
    return derivePasswordKeys(password, salt, cost).wrappingKey
  } catch (error) {
    throw broken('the costs of the password are out of bounds', error)
  }
}

function broken(text: string, cause?: unknown): Error {
  return clientError('BROKEN_PEER', text, true, cause)
}
