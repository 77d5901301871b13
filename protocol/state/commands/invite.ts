// Invitations. A code is opened once, and known until it expires: a request that comes late opens no
// second one.

import { idOf } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import { uint } from '../../schema/schema.js'
import { hash, millis, userName } from '../../schema/shared.js'
import { noop, plainEntry } from '../decision.js'
import { decodeInvitation, encodeInvitation, isOpen } from '../invitation.js'
import { defineCommand, defineEntry } from './define.js'

export const invite = defineCommand({
  fields: {
    user: userName,
    /** SHA-256 of its code. */
    invitation: hash,
    /** The invitation is open for so long after the order. */
    lasts: millis,
    /** As many as one account may have open. */
    most: uint(),
  },
  decide(ledger, { user, invitation, lasts, most }, { time }) {
    if (!ledger.account(user)) return noop(ERRORS.NO_SUCH_USER.code)
    const known = ledger.invitation(idOf(invitation))
    if (known && isOpen(known, time)) return noop(0, known.expires)
    const own = ledger.invitationsOf(user)
    if (own.filter((one) => !one.used && isOpen(one, time)).length >= most) {
      return noop(ERRORS.TOO_MANY_INVITATIONS.code)
    }
    const body = encodeInvitation({ invitation, expires: time + lasts })
    return plainEntry(KIND.invitation, user, body)
  },
})

export const INVITATION_ENTRY = defineEntry({
  kind: KIND.invitation,
  check: (_meta, body) => void decodeInvitation(body),
  apply: (ledger, { mailbox: by }, { body, time }) =>
    ledger.putInvitation({ ...decodeInvitation(body), by, used: false }, time),
})
