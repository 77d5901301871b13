/**
 * The public interface of RSA. Functions take and return bytes; the caller injects randomness, such
 * as `randomBytes` of `node:crypto`. docs/RSA.md has the shapes, units and errors.
 *
 * @module troca/rsa
 */

export type { Entropy } from '../entropy.js'

export {
  decodePkcs1Private,
  decodePkcs1Public,
  decodePkcs8,
  decodeSpki,
  encodePkcs1Private,
  encodePkcs1Public,
  encodePkcs8,
  encodeSpki,
} from './formats.js'

export { HASH_NAMES, PSS_HASH_NAMES, hashLength } from './hashes.js'

export type { HashName, PssHashName } from './hashes.js'

export {
  privateKeyFromJwk,
  privateKeyToJwk,
  publicKeyFromJwk,
  publicKeyToJwk,
  thumbprint,
} from './jwk.js'

export type { JwkLimits } from './jwk-limits.js'

export type { RsaPrivateJwk, RsaPublicJwk } from './jwk.js'

export { checkPrivateKey, checkPublicKey } from './key-checks.js'

export type { KeyPolicy, PrivateParts } from './key-checks.js'

export type { KeyLimits, KeyUse, OaepLimits, PssLimits } from './key-limits.js'

export { pemFromFile } from './key-text.js'

export { MAX_BITS, MIN_BITS, generateKey, publicKeyOf } from './keys.js'

export type { KeyProgress, RsaPrivateKey, RsaPublicKey } from './keys.js'

export { oaepCapacity, oaepDecrypt, oaepEncrypt } from './oaep.js'

export type { OaepOptions } from './oaep.js'

export { decodeEncryptedPkcs8, encodeEncryptedPkcs8 } from './pbes2.js'

export {
  isEncryptedPem,
  pemBlocks,
  privateKeyFromEncryptedPem,
  privateKeyFromPem,
  privateKeyToEncryptedPem,
  privateKeyToPem,
  publicKeyFromPem,
  publicKeyToPem,
} from './pem.js'

export { pssMaxSaltLength, pssSign, pssVerify } from './pss.js'

export type { PssOptions } from './pss.js'

export { RsaError } from './rsa-error.js'

export type { RsaErrorCode } from './rsa-error.js'
