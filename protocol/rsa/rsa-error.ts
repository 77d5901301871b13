// The error of protocol/rsa: every refusal is an RsaError with a code to switch on.

/**
 * - `key`: a key that must not be used; the message says why.
 * - `encoding`: DER, PEM or JWK that violates its standard.
 * - `range`: an argument outside its range (message too long, wrong seed length, integer >= n).
 * - `decryption`: the ciphertext does not open; the reason is never given (RFC 8017 section 7.1.2).
 * - `fault`: a computation failed its own check; its result was withheld.
 * - `entropy`: the random source is broken: wrong lengths, or no usable values.
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
  /** Distinguishes an RsaError from other errors. */
  override readonly name = 'RsaError'
  /** Code to switch on. */
  readonly code: RsaErrorCode

  /** @internal */
  constructor(code: RsaErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
