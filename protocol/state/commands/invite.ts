// Invitations. A code opens one invitation, and stays known until it expires: a late copy of the
// request opens no second one.

import { idOf } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import { uint } from '../../schema/schema.js'
import { hash, millis } from '../../schema/shared.js'
import { noop, plainDraft } from '../decision.js'
import { decodeInvitation, encodeInvitation, isOpen } from '../invitation.js'
import { defineCommand, defineEntry } from './define.js'
import { user } from './shapes.js'

export const invite = defineCommand({
  fields: {
    user,
    invitation: hash.means("SHA-256 of the invitation's code."),
    lasts: millis.means('Time after that of the order at which the invitation expires.'),
    most: uint().means('Invitations that one account may have open.'),
  },
  decide(ledger, { user: by, invitation, lasts, most }, { time }) {
    if (!ledger.account(by)) return noop(ERRORS.NO_SUCH_USER.code)
    const known = ledger.invitation(idOf(invitation))
    if (known && isOpen(known, time)) return noop(0, known.expires)
    const own = ledger.invitationsOf(by)
    if (own.filter((one) => !one.used && isOpen(one, time)).length >= most) {
      return noop(ERRORS.TOO_MANY_INVITATIONS.code)
    }
    const body = encodeInvitation({ invitation, expires: time + lasts })
    return plainDraft(KIND.invitation, by, body)
  },
})

export const INVITATION_ENTRY = defineEntry({
  kind: KIND.invitation,
  check: (_meta, body) => void decodeInvitation(body),
  apply: (ledger, { mailbox: by }, { body, time }) =>
    ledger.putInvitation({ ...decodeInvitation(body), by, used: false }, time),
})
