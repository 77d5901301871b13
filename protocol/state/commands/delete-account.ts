// The end of an account. Its name stays taken for ever: no later user can be mistaken for the
// person who had it.

import { sameBytes } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { fromBase64url, readJson, toBase64url, writeJson } from '../../entries/json-body.js'
import { ERRORS } from '../../errors.js'
import { noop, plainDraft } from '../decision.js'
import { defineCommand, defineEntry } from './define.js'
import { token, user, version } from './shapes.js'

/** `token` of the request that ended the account. */
export function encodeClosing(token: Uint8Array): Uint8Array {
  return writeJson([toBase64url(token)])
}

/** Throws if the bytes are no token. */
export function decodeClosing(body: Uint8Array): Uint8Array {
  const closing = readJson(body)
  if (!Array.isArray(closing) || typeof closing[0] !== 'string') {
    throw new RangeError('closing body: token expected')
  }
  return fromBase64url(closing[0])
}

export const deleteAccount = defineCommand({
  fields: { user, version, token },
  decide(ledger, { user: name, version: from, token: request }) {
    const closing = ledger.closing(name)
    if (closing && sameBytes(closing, request)) return noop(0)
    const existing = ledger.account(name)
    if (!existing) return noop(ERRORS.NO_SUCH_USER.code)
    if (existing.version !== from) return noop(ERRORS.ACCOUNT_CHANGED.code)
    return plainDraft(KIND.closed, name, encodeClosing(request))
  },
})

export const CLOSED_ENTRY = defineEntry({
  kind: KIND.closed,
  check: (_meta, body) => void decodeClosing(body),
  apply: (ledger, { mailbox }, { body }) => ledger.endAccount(mailbox, decodeClosing(body)),
})
