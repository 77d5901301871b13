// An invitation to register, and the body of the entry that stores it. An expired invitation counts
// as absent: by this rule it may be forgotten without a difference in any decision (C2).

import { fromBase64url, isCount, readJson, toBase64url, writeJson } from '../entries/json-body.js'

export interface Invitation {
  /** SHA-256 of the invitation's code. */
  readonly invitation: Uint8Array
  /** Compared with the time of orders, ms since 1970. */
  readonly expires: number
}

export interface Invited extends Invitation {
  readonly by: string
  readonly used: boolean
}

/** `time`: ms since 1970. A used invitation is open too: only its expiry lets it be forgotten. */
export function isOpen({ expires }: Invitation, time: number): boolean {
  return expires > time
}

export function encodeInvitation({ invitation, expires }: Invitation): Uint8Array {
  return writeJson([toBase64url(invitation), expires])
}

/** Throws if the bytes are no invitation. */
export function decodeInvitation(body: Uint8Array): Invitation {
  const written = readJson(body)
  if (!Array.isArray(written) || typeof written[0] !== 'string' || !isCount(written[1])) {
    throw new RangeError('invitation body: id and time expected')
  }
  const [invitation, expires] = written as [string, number]
  return { invitation: fromBase64url(invitation), expires }
}
