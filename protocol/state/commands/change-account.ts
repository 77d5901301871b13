// Another password, or another key. Compare-and-set: of two changes made from the same version, the
// first one counts.

import { sameBytes } from '../../bytes.js'
import { ERRORS } from '../../errors.js'
import { bytes, uint } from '../../schema/schema.js'
import { userName } from '../../schema/shared.js'
import { isClientHeld, secretsOf } from '../account.js'
import { decideAccount, weighKeys } from './account-entry.js'
import { noop } from '../decision.js'
import { defineCommand } from './define.js'
import { account } from './shapes.js'

export const changeAccount = defineCommand({
  fields: {
    user: userName,
    /** Of the account that the change was made from. */
    version: uint(),
    token: bytes(16),
    ...account,
  },
  weigh: weighKeys,
  decide(ledger, command, context) {
    const { user, version, token: changeToken } = command
    const existing = ledger.account(user)
    if (!existing) return noop(ERRORS.NO_SUCH_USER.code)
    if (sameBytes(existing.changeToken, changeToken)) return noop(0)
    if (existing.version !== version) return noop(ERRORS.ACCOUNT_CHANGED.code)
    if (isClientHeld(existing.secrets) !== isClientHeld(command)) return noop(ERRORS.BAD_KEYS.code)
    if (!context.readable(command)) return noop(ERRORS.BAD_KEYS.code)
    const { token } = existing
    const secrets = secretsOf(command)
    return decideAccount(user, {
      ...{ token, version: version + 1, changeToken, secrets, invitation: null },
    })
  },
})
