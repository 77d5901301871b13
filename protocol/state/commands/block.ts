// Block lists: senders whose messages a user refuses.

import { KIND } from '../../entries/entry.js'
import { readJson, writeJson } from '../../entries/json-body.js'
import { ERRORS } from '../../errors.js'
import { bool } from '../../schema/schema.js'
import { MAX_BLOCKED, userName } from '../../schema/shared.js'
import { noop, plainDraft } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'
import { user } from './shapes.js'

export interface Block {
  readonly name: string
  /** false: taken off the list. */
  readonly blocked: boolean
}

function encodeBlock({ name, blocked }: Block): Uint8Array {
  return writeJson([name, blocked])
}

/** Throws if the bytes are no entry of a block list. */
export function decodeBlock(body: Uint8Array): Block {
  const written = readJson(body)
  if (
    !Array.isArray(written) ||
    typeof written[0] !== 'string' ||
    typeof written[1] !== 'boolean'
  ) {
    throw new RangeError('block body: name and boolean expected')
  }
  const [name, blocked] = written as [string, boolean]
  return { name, blocked }
}

export const block = defineCommand({
  fields: {
    user,
    name: userName.means('Name of the user to block or unblock.'),
    blocked: bool.means('True: block; false: unblock.'),
  },
  decide(ledger, { user: by, name, blocked }) {
    if (!ledger.account(by)) return noop(ERRORS.NO_SUCH_USER.code)
    const list = ledger.blocked(by)
    if (list.has(name) === blocked) return noop(0)
    if (blocked && !ledger.account(name)) return noop(ERRORS.NO_SUCH_USER.code)
    if (blocked && list.size >= MAX_BLOCKED) return noop(ERRORS.TOO_MANY_BLOCKED.code)
    return plainDraft(KIND.block, by, encodeBlock({ name, blocked }))
  },
})

export const BLOCK_ENTRY = defineEntry({
  kind: KIND.block,
  check: (_meta, body) => void decodeBlock(body),
  apply(ledger, { mailbox }, { body }) {
    const { name, blocked } = decodeBlock(body)
    const next = new Set(ledger.blocked(mailbox))
    if (blocked) next.add(name)
    else next.delete(name)
    ledger.putBlocked(mailbox, next)
  },
})
