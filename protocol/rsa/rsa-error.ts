// Everything in protocol/rsa that refuses does so with one RsaError and a code to switch on.

/**
 * - `key`: a key that must not be used; the message says why.
 * - `encoding`: DER, PEM or JWK that is not exactly what its standard says.
 * - `range`: an argument outside its range (message too long, wrong seed length, integer >= n).
 * - `decryption`: the ciphertext does not open. Never says why (RFC 8017 section 7.1.2).
 * - `fault`: the computation contradicted itself; its result was withheld.
 * - `entropy`: the random source cannot be what it must be.
 */
export type RsaErrorCode = 'key' | 'encoding' | 'range' | 'decryption' | 'fault' | 'entropy'

/**
 * The one error of `troca/rsa`.
 *
 * @example
 * ```ts
 * import { RsaError, publicKeyFromPem } from 'troca/rsa'
 *
 * try {
 *   publicKeyFromPem('no PEM')
 * } catch (error) {
 *   if (error instanceof RsaError) console.log(error.code, error.message)
 * }
 * ```
 */
export class RsaError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'RsaError'
  /** What to switch on. */
  readonly code: RsaErrorCode

  /** @internal */
  constructor(code: RsaErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
