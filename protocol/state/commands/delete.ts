// Deleting messages: a DROP entry. Execution does not know what is in which mailbox; the persistence
// tier decides what the indices name, where the messages are (entries/drop.ts).

import { encodeDrop } from '../../entries/drop.js'
import { KIND } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import { list } from '../../schema/schema.js'
import { MAX_DROP, index, userName } from '../../schema/shared.js'
import { noop, plainEntry } from '../decision.js'
import { defineCommand } from './define.js'

export const deleteMessages = defineCommand({
  fields: { user: userName, indices: list(index, MAX_DROP, 1) },
  weigh: ({ indices }) => 17 * indices.length,
  decide(ledger, { user, indices }) {
    if (!ledger.account(user)) return noop(ERRORS.NO_SUCH_USER.code)
    return plainEntry(KIND.drop, user, encodeDrop(indices))
  },
})
