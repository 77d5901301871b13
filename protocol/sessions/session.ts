// One client connection: who is logged in on it, and what it is owed.

import type { LinkId } from '../machine/machine.js'
import { ERRORS, type ErrorName } from '../errors.js'
import type { The } from '../messages/catalogue.js'

export interface Session {
  readonly link: LinkId
  /** Where it comes from, as far as it is held to account for that. */
  readonly origin: string
  user: string | null
  /** PKCS#8 DER, newest first, unwrapped for as long as this connection lasts; wiped at its end. */
  privateKeys: readonly Uint8Array[]
  /** It opens its messages itself, and `privateKeys` is empty. */
  clientHeld: boolean
  /** Of the account that they are from. */
  version: number
  /** Requests not yet answered. */
  unanswered: number
  /** So many that no more are read. */
  held: boolean
}

/** The ERROR frame for one of the catalogue's errors. */
export function refusal(
  request: number,
  name: ErrorName,
  detail = '',
  extra: { retryAfter?: number | null; expected?: number; definite?: boolean } = {},
): The<'ERROR'> {
  const { code, text, hint, definite, retriable } = ERRORS[name]
  return {
    type: 'ERROR',
    request,
    code,
    text: `${text}${detail && ` (${detail})`}: ${hint}`,
    definite: extra.definite ?? definite,
    retryAfter: extra.retryAfter === undefined && retriable ? 100 : (extra.retryAfter ?? null),
    expected: extra.expected ?? null,
  }
}

/** 1 to 32 of a-z 0-9 . _ - opening with a letter. */
export function isUserName(name: string): boolean {
  return /^[a-z][a-z0-9._-]{0,31}$/.test(name)
}
