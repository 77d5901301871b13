// Shapes that several commands share.

import { bytes, list, optional, record } from '../../schema/schema.js'
import { MAX_KEYS, passwordCost, passwordSalt, signingKey } from '../../schema/shared.js'

const accountKey = {
  publicKey: bytes(1, 2048),
  /** Empty where its owner's client alone holds it; then there is a signing key. */
  wrappedKey: bytes(0, 8192),
  signing: optional(signingKey),
}

/** The secrets of an account: envelope/secrets.ts. */
export const account = {
  salt: passwordSalt,
  cost: passwordCost,
  verifierHash: bytes(32),
  ...accountKey,
  older: list(record(accountKey), MAX_KEYS - 1),
}
