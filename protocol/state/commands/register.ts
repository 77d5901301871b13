// REGISTER: a new account.

import { idOf, sameBytes } from '../../bytes.js'
import { ERRORS } from '../../errors.js'
import { bool, bytes, optional } from '../../schema/schema.js'
import { hash, userName } from '../../schema/shared.js'
import { secretsOf } from '../account.js'
import { decideAccount, weighKeys } from './account-entry.js'
import { NONE, noop } from '../decision.js'
import type { LedgerView } from '../ledger-view.js'
import { defineCommand } from './define.js'
import { isOpen } from '../invitation.js'
import { account } from './shapes.js'

export const register = defineCommand({
  fields: {
    name: userName,
    token: bytes(16),
    /** SHA-256 of its code. */
    invitation: optional(hash),
    /** Without an invitation only the first account of all is made. */
    byInvitation: bool,
    ...account,
  },
  weigh: weighKeys,
  decide(ledger, command, context) {
    const { name, token, invitation } = command
    const existing = ledger.account(name)
    if (existing && sameBytes(existing.token, token)) return noop(0)
    if (ledger.isTaken(name)) return noop(ERRORS.NAME_TAKEN.code)
    const refused = whyNotLetIn(ledger, command, context.time)
    if (refused !== null) return noop(refused)
    if (!context.readable(command)) return noop(ERRORS.BAD_KEYS.code)
    const secrets = secretsOf(command)
    return decideAccount(name, { token, version: 1, changeToken: NONE, secrets, invitation })
  },
})

interface Gate {
  readonly invitation: Uint8Array | null
  readonly byInvitation: boolean
}

/** An invitation that is given must be open, even where none is needed. */
function whyNotLetIn(
  ledger: LedgerView,
  { invitation, byInvitation }: Gate,
  time: number,
): number | null {
  if (!invitation) {
    return byInvitation && !ledger.isEmpty ? ERRORS.INVITATION_NEEDED.code : null
  }
  const known = ledger.invitation(idOf(invitation))
  return known && !known.used && isOpen(known, time) ? null : ERRORS.BAD_INVITATION.code
}
