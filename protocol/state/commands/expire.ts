// The oldest messages of a mailbox have outlasted its retention: an EXPIRED entry. The coordinator
// decides which; execution checks that what it decided by still holds. A message that is beyond the
// rule stays beyond it, as long as the rule stays.

import { KIND } from '../../entries/entry.js'
import { decodeExpiry, encodeExpiry } from '../../entries/expiry.js'
import { sameRule } from '../../entries/retention.js'
import { ERRORS } from '../../errors.js'
import { index, rule, wallTime } from '../../schema/shared.js'
import { noop, plainDraft } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'
import { user } from './shapes.js'

export const expire = defineCommand({
  fields: {
    user: user.means('Name of the user whose messages have expired.'),
    through: index.means('Log index of the last message that has expired.'),
    read: index.means('Mark of the user: messages above it expire unread.'),
    at: wallTime.means('Time at which they have expired: an earlier order refuses the command.'),
    ...rule,
  },
  decide(ledger, { user: by, through, read, at, age, count, bytes }, { time }) {
    if (!ledger.account(by)) return noop(ERRORS.NO_SUCH_USER.code)
    if (time < at || !sameRule(ledger.retention(by), { age, count, bytes })) return noop(0)
    return plainDraft(KIND.expired, by, encodeExpiry({ through, read }))
  },
})

/** It changes no state that execution reads. */
export const EXPIRED_ENTRY = defineEntry({
  kind: KIND.expired,
  check: (_meta, body) => void decodeExpiry(body),
  apply: () => {},
})
