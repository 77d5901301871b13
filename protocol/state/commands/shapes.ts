// Fields that several commands share.

import { record } from '../../schema/record.js'
import { bytes, list, optional, uint } from '../../schema/schema.js'
import {
  MAX_KEYS,
  passwordCost,
  passwordSalt,
  publicKey,
  signingKey,
  userName,
} from '../../schema/shared.js'

export const user = userName.means('Name of the user that asked.')
export const token = bytes(16).means('Token of the request: a repeated one is known by it.')
export const version = uint().means(
  'Version of the account that the change was made from; else refused.',
)

const accountKey = {
  publicKey: publicKey.means('Key that messages are sealed for: SubjectPublicKeyInfo, DER.'),
  wrappedKey: bytes(0, 8192).means(
    'The private key, wrapped under the password; empty where the client alone holds it.',
  ),
  signing: optional(signingKey).means(
    'Key by which the client signs; nil: the service holds the private key.',
  ),
}

const olderKey = record({
  name: 'older key',
  meaning: 'An earlier key of an account, which only decrypts.',
  fields: accountKey,
})

/** The secrets of an account: envelope/secrets.ts. */
export const account = {
  salt: passwordSalt,
  cost: passwordCost,
  verifierHash: bytes(32).means('SHA-256 of the half of scrypt that checks the password.'),
  ...accountKey,
  older: list(olderKey, MAX_KEYS - 1).means('The earlier keys, newest first.'),
}
