// decide(state, command) -> one entry. The order's time and seeds are its only clock and chance, so
// every replica gets the same bytes. One command yields exactly one entry: a message, an account, a
// stream, a refusal that consumes its seq, or a no-op that says why nothing was done.

import { EnvelopeError } from '../envelope/envelope-error.js'
import { readSignedHeader } from '../envelope/signed.js'
import { ERRORS } from '../errors.js'
import { encodeDrop } from '../entries/drop.js'
import { KIND } from '../entries/entry.js'
import { sameBytes, sha256 } from '../bytes.js'
import type { Account } from '../entries/bodies.js'
import {
  decideBlock,
  decideChange,
  decideClosing,
  decideInvitation,
  decideRegister,
  isClientHeld,
} from './decide-accounts.js'
import {
  NONE,
  decision,
  noop,
  type Command,
  type Context,
  type Decision,
  type KeyNames,
} from './decision.js'
import { KEPT_ANSWERS, streamKey, type Ledger } from './ledger.js'

type Send = Extract<Command, { kind: 'send' | 'send-sealed' }>

/** SHA-256 of what the client asked for: the same request has the same digest for ever. */
function digestOf(command: Send): Uint8Array {
  const { user, to } = command
  if (command.kind === 'send') return sha256(Buffer.from(`${user}\n${to}\n${command.text}`, 'utf8'))
  // No UTF-8 has a byte 0xff: never the digest of a text.
  return sha256(Buffer.from(`${user}\n${to}\n`, 'utf8'), Uint8Array.of(0xff), command.sealed)
}

export function decide(
  ledger: Ledger,
  command: Command,
  place: number,
  context: Context,
): Decision {
  switch (command.kind) {
    case 'register':
      return decideRegister(ledger, command, context)
    case 'open-stream':
      return decideStream(ledger, command, context)
    case 'send':
    case 'send-sealed':
      return decideSend(ledger, command, place, context)
    case 'change-account':
      return decideChange(ledger, command, context)
    case 'delete':
      return decideDelete(ledger, command, context)
    case 'invite':
      return decideInvitation(ledger, command, context)
    case 'block':
      return decideBlock(ledger, command, context)
    case 'delete-account':
      return decideClosing(ledger, command, context)
  }
}

function decideStream(
  ledger: Ledger,
  command: Extract<Command, { kind: 'open-stream' }>,
  context: Context,
): Decision {
  const { user, stream } = command
  if (context.diverged) return noop(ERRORS.DIVERGED.code)
  const existing = ledger.stream(streamKey(stream))
  if (existing) return noop(existing.owner === user ? 0 : ERRORS.CONFLICT.code, existing.next)
  return decision({ kind: KIND.stream, answer: 0, mailbox: user, stream, seq: 0, digest: NONE })
}

/** What is in which mailbox is not known here: what the indices name is decided where it is. */
function decideDelete(
  ledger: Ledger,
  { user, indices }: Extract<Command, { kind: 'delete' }>,
  context: Context,
): Decision {
  if (context.diverged) return noop(ERRORS.DIVERGED.code)
  if (!ledger.account(user)) return noop(ERRORS.NO_SUCH_USER.code)
  const meta = { kind: KIND.drop, answer: 0, mailbox: user, stream: NONE, seq: 0, digest: NONE }
  return decision(meta, encodeDrop(indices))
}

function decideSend(ledger: Ledger, command: Send, place: number, context: Context): Decision {
  const { user, stream, seq, to } = command
  const id = streamKey(stream)
  const state = ledger.stream(id)
  const sender = ledger.account(user)
  if (!state || state.owner !== user || !sender) return noop(ERRORS.NO_SUCH_STREAM.code)
  const digest = digestOf(command)
  if (seq > state.next) return noop(ERRORS.OUT_OF_ORDER.code, state.next)
  if (seq < state.next) {
    // By the seq, not by what is still in memory: that differs with how far the feed has come (C2).
    const known = seq >= state.next - KEPT_ANSWERS ? ledger.known(id, seq) : undefined
    if (!known) return noop(ERRORS.OLD_DUPLICATE.code, seq)
    return sameBytes(known.digest, digest) ? noop(0, seq) : noop(ERRORS.CONFLICT.code, seq)
  }
  const refused = whyRefused(ledger, command, sender, context)
  if (refused !== null) {
    const meta = { kind: KIND.refusal, answer: refused, mailbox: to, stream, seq, digest }
    return decision(meta)
  }
  const body = bodyOf(command, ledger.account(to)!, place, context)
  return decision({ kind: KIND.message, answer: 0, mailbox: to, stream, seq, digest }, body)
}

function whyRefused(
  ledger: Ledger,
  command: Send,
  sender: Account,
  context: Context,
): number | null {
  if (context.diverged) return ERRORS.DIVERGED.code
  const recipient = ledger.account(command.to)
  if (!recipient) return ERRORS.NO_SUCH_USER.code
  if (ledger.blocked(command.to).has(command.user)) return ERRORS.BLOCKED.code
  const forClient = isClientHeld(recipient.secrets)
  if (command.kind === 'send') return forClient ? ERRORS.CLIENT_HELD.code : null
  if (!forClient || !isClientHeld(sender.secrets)) return ERRORS.NOT_CLIENT_HELD.code
  const fits = isForItsPlace(command, context.namesOf(sender), context.namesOf(recipient))
  return fits ? null : ERRORS.BAD_ENVELOPE.code
}

/** By its header, which is all that can be read here. Older keys count: a rotation is no fault. */
function isForItsPlace(
  { user, to, stream, seq, sealed }: Extract<Command, { kind: 'send-sealed' }>,
  sender: KeyNames,
  recipient: KeyNames,
): boolean {
  try {
    const header = readSignedHeader(sealed)
    const place = header.sender === user && header.recipient === to && header.seq === seq
    const keys = recipient.sealing.has(header.kid) && sender.signing.has(header.signer)
    return place && keys && sameBytes(header.stream, stream)
  } catch (error) {
    if (error instanceof EnvelopeError) return false
    throw error
  }
}

/** A sealed one is kept as it came. */
function bodyOf(command: Send, recipient: Account, place: number, context: Context): Uint8Array {
  if (command.kind === 'send-sealed') return command.sealed
  const { user: sender, to, stream, seq, text } = command
  const { term, k, time, keySeed } = context
  return context.seal({
    recipientKey: context.keyOf(recipient),
    ...{ term, k, time, keySeed, command: place, sender, recipient: to, stream, seq, text },
  })
}
