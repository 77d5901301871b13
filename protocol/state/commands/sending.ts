// Common to both kinds of send: a place in a stream, an answer for each seq, and the MESSAGE or
// REFUSAL entry. A refusal by execution consumes the seq; OUT_OF_ORDER and CONFLICT do not.

import { idOf, sameBytes } from '../../bytes.js'
import { KIND, type Draft } from '../../entries/entry.js'
import { ERRORS } from '../../errors.js'
import type { Sealed } from '../../envelope/seal.js'
import type { Account } from '../account.js'
import { KEPT_ANSWERS } from '../answer-ring.js'
import { defineEntry } from './define.js'
import { NONE, noop, sealedDraft, type ExecutionContext } from '../decision.js'
import type { LedgerView } from '../ledger-view.js'
import { ownStream } from './streams.js'

export interface SendCommand {
  readonly user: string
  readonly stream: Uint8Array
  readonly seq: number
  readonly to: string
}

export interface SendParts {
  /** SHA-256 of the client's request: the same request has the same digest for ever. */
  digest(): Uint8Array
  /** Code of the refusal; null: none. */
  whyRefused(sender: Account, recipient: Account): number | null
  sealed(recipient: Account): Sealed
}

export function decideSend(
  ledger: LedgerView,
  command: SendCommand,
  context: ExecutionContext,
  place: number,
  parts: SendParts,
): Draft {
  const { user, stream, seq, to } = command
  const id = idOf(stream)
  const found = ownStream(ledger, user, stream, context, place)
  if (!found.stream) return noop(found.code, found.next)
  const state = found.stream
  // Streams end with their account.
  const sender = ledger.account(user)!
  const digest = parts.digest()
  if (seq > state.next) return noop(ERRORS.OUT_OF_ORDER.code, state.next)
  if (seq < state.next) {
    // The seq decides, not what is still in memory: that depends on how far the feed has come (C2).
    const known = seq >= state.next - KEPT_ANSWERS ? ledger.answered(id, seq) : undefined
    if (!known) return noop(ERRORS.OLD_DUPLICATE.code, seq)
    return sameBytes(known.digest, digest) ? noop(0, seq) : noop(ERRORS.CONFLICT.code, seq)
  }
  const recipient = ledger.account(to)
  const refused = whyRefused(ledger, command, context, () => parts.whyRefused(sender, recipient!))
  if (refused !== null) {
    const meta = { kind: KIND.refusal, answer: refused, mailbox: to, stream, seq, digest }
    return { meta, body: NONE }
  }
  const meta = { kind: KIND.message, answer: 0, mailbox: to, stream, seq, digest }
  return sealedDraft(meta, parts.sealed(recipient!))
}

function whyRefused(
  ledger: LedgerView,
  { user, to }: SendCommand,
  { diverged }: ExecutionContext,
  byKind: () => number | null,
): number | null {
  if (diverged) return ERRORS.DIVERGED.code
  if (!ledger.account(to)) return ERRORS.NO_SUCH_USER.code
  return ledger.blocked(to).has(user) ? ERRORS.BLOCKED.code : byKind()
}

const answersSend = (kind: typeof KIND.message | typeof KIND.refusal) =>
  defineEntry({
    kind,
    apply(ledger, { stream, seq, answer: code, digest, mailbox }, { index, time }) {
      ledger.putAnswer(stream, seq, { digest, code, index, time }, mailbox)
    },
  })

export const MESSAGE_ENTRY = answersSend(KIND.message)
export const REFUSAL_ENTRY = answersSend(KIND.refusal)
