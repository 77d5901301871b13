// Deleting messages: a DROP entry. Execution does not know the contents of mailboxes; the
// persistence tier, which does, decides which messages the indices name (entries/drop.ts).

import { encodeDrop } from '../../entries/drop.js'
import { KIND } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import { list } from '../../schema/schema.js'
import { MAX_DROP, index } from '../../schema/shared.js'
import { noop, plainDraft } from '../decision.js'
import { defineCommand } from './define.js'
import { user } from './shapes.js'

export const deleteMessages = defineCommand({
  fields: {
    user,
    indices: list(index, MAX_DROP, 1).means('Log indices of the messages to delete.'),
  },
  weigh: ({ indices }) => 17 * indices.length,
  decide(ledger, { user: by, indices }) {
    if (!ledger.account(by)) return noop(ERRORS.NO_SUCH_USER.code)
    return plainDraft(KIND.drop, by, encodeDrop(indices))
  },
})
