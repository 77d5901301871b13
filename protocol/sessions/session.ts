// A client's connection: its user, and the requests that it has unanswered.

import type { LinkId } from '../machine/machine.js'

export interface Session {
  readonly link: LinkId
  /** The address that is accountable for the client's load (address.ts). */
  readonly origin: string
  user: string | null
  /** PKCS#8 DER, newest first, unwrapped for as long as this connection lasts; wiped at its end. */
  privateKeys: readonly Uint8Array[]
  /** The client opens its messages itself, and `privateKeys` is empty. */
  clientHeld: boolean
  /** Version of the account that `privateKeys` are from. */
  version: number
  /** Requests not yet answered. */
  unanswered: number
  /** The client's unanswered requests have reached the credit, so no more are read. */
  held: boolean
}
