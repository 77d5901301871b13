// One client connection: who is logged in on it, and what it is owed.

import type { LinkId } from '../machine/machine.js'

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
