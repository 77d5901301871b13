// REGISTER: a new account.

import { idOf, sameBytes } from '../../bytes.js'
import { ERRORS } from '../../errors.js'
import { bool, optional } from '../../schema/schema.js'
import { hash, userName } from '../../schema/shared.js'
import { secretsOf } from '../account.js'
import { decideAccount, weighKeys } from './account-entry.js'
import { NONE, noop } from '../decision.js'
import type { LedgerView } from '../ledger-view.js'
import { defineCommand } from './define.js'
import { isOpen } from '../invitation.js'
import { account, token } from './shapes.js'

export const register = defineCommand({
  fields: {
    name: userName.means('Name of the new account.'),
    token,
    invitation: optional(hash).means("SHA-256 of the invitation's code; nil: there was none."),
    byInvitation: bool.means('True: without an invitation only the very first account is made.'),
    ...account,
  },
  weigh: weighKeys,
  decide(ledger, command, context) {
    const { name, invitation } = command
    const existing = ledger.account(name)
    if (existing && sameBytes(existing.token, command.token)) return noop(0)
    const refused = whyNotLetIn(ledger, command, context.time)
    if (refused !== null) return noop(refused)
    // After the invitation: without an open one, no answer tells whether the name is taken.
    if (ledger.isTaken(name)) return noop(ERRORS.NAME_TAKEN.code)
    if (!context.readable(command)) return noop(ERRORS.BAD_KEYS.code)
    const secrets = secretsOf(command)
    return decideAccount(name, {
      token: command.token,
      version: 1,
      changeToken: NONE,
      secrets,
      invitation,
    })
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
