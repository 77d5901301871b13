// A user's own retention. It is the user's wish: the cluster's retention holds beside it, and the
// stricter bound counts. The configuration is no part of the decision, since replicas may differ in
// it, and their votes must not.

import { KIND } from '../../entries/entry.js'
import { decodeRetention, encodeRetention, sameRule } from '../../entries/retention.js'
import { ERRORS } from '../../errors.js'
import { rule } from '../../schema/shared.js'
import { noop, plainDraft } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'
import { user } from './shapes.js'

export const retain = defineCommand({
  fields: { user, ...rule },
  decide(ledger, { user: by, age, count, bytes }) {
    if (!ledger.account(by)) return noop(ERRORS.NO_SUCH_USER.code)
    const wish = { age, count, bytes }
    if (sameRule(ledger.retention(by), wish)) return noop(0)
    return plainDraft(KIND.retention, by, encodeRetention(wish))
  },
})

export const RETENTION_ENTRY = defineEntry({
  kind: KIND.retention,
  check: (_meta, body) => void decodeRetention(body),
  apply: (ledger, { mailbox }, { body }) => ledger.putRetention(mailbox, decodeRetention(body)),
})
