// A new password or key. Compare-and-set: if two changes are made from the same version, the first
// one in the log wins.

import { sameBytes } from '../../bytes.js'
import { ERRORS } from '../../errors.js'
import { isClientHeld, secretsOf } from '../account.js'
import { decideAccount, weighKeys } from './account-entry.js'
import { noop } from '../decision.js'
import { defineCommand } from './define.js'
import { account, token, user, version } from './shapes.js'

export const changeAccount = defineCommand({
  fields: {
    user,
    version,
    token,
    ...account,
  },
  weigh: weighKeys,
  decide(ledger, command, context) {
    const existing = ledger.account(command.user)
    if (!existing) return noop(ERRORS.NO_SUCH_USER.code)
    if (sameBytes(existing.changeToken, command.token)) return noop(0)
    if (existing.version !== command.version) return noop(ERRORS.ACCOUNT_CHANGED.code)
    if (isClientHeld(existing.secrets) !== isClientHeld(command)) return noop(ERRORS.BAD_KEYS.code)
    if (!context.readable(command)) return noop(ERRORS.BAD_KEYS.code)
    return decideAccount(command.user, {
      token: existing.token,
      version: existing.version + 1,
      changeToken: command.token,
      secrets: secretsOf(command),
      invitation: null,
    })
  },
})
