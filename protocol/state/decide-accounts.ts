// Deciding what concerns accounts: who may join, changes, the end of an account, invitations and
// block lists. As everywhere, the order's time is the only clock.

import { ERRORS } from '../errors.js'
import { KIND, type Kind } from '../entries/entry.js'
import { sameBytes, idOf } from '../bytes.js'
import { MAX_BLOCKED } from '../schema/shared.js'
import type { AccountSecrets } from '../envelope/secrets.js'
import {
  encodeAccount,
  encodeBlock,
  encodeClosing,
  encodeInvitation,
  type Account,
} from '../entries/bodies.js'
import { NONE, decision, noop, type Command, type Context, type Decision } from './decision.js'
import { isOpen, type PeopleLedger } from './directory.js'

type The<K extends Command['kind']> = Extract<Command, { kind: K }>

export function decideRegister(
  ledger: PeopleLedger,
  command: The<'register'>,
  context: Context,
): Decision {
  const { name, token } = command
  if (context.diverged) return noop(ERRORS.DIVERGED.code)
  const existing = ledger.account(name)
  if (existing && sameBytes(existing.token, token)) return noop(0)
  if (ledger.isTaken(name)) return noop(ERRORS.NAME_TAKEN.code)
  const refused = whyNotLetIn(ledger, command, context)
  if (refused !== null) return noop(refused)
  if (!context.readable(command)) return noop(ERRORS.BAD_KEYS.code)
  const { invitation } = command
  const secrets = secretsOf(command)
  return accountEntry(name, { token, version: 1, changeToken: NONE, secrets, invitation })
}

/** One that is given must be open, even where none is needed. */
function whyNotLetIn(
  ledger: PeopleLedger,
  { invitation, byInvitation }: The<'register'>,
  { time }: Context,
): number | null {
  if (!invitation) {
    return byInvitation && !ledger.isEmpty ? ERRORS.INVITATION_NEEDED.code : null
  }
  const known = ledger.invitation(idOf(invitation))
  return known && !known.used && isOpen(known, time) ? null : ERRORS.BAD_INVITATION.code
}

/** Compare-and-set: of two changes made from the same version, the first one counts. */
export function decideChange(
  ledger: PeopleLedger,
  command: The<'change-account'>,
  context: Context,
): Decision {
  const { user, version, token: changeToken } = command
  if (context.diverged) return noop(ERRORS.DIVERGED.code)
  const existing = ledger.account(user)
  if (!existing) return noop(ERRORS.NO_SUCH_USER.code)
  if (sameBytes(existing.changeToken, changeToken)) return noop(0)
  if (existing.version !== version) return noop(ERRORS.ACCOUNT_CHANGED.code)
  if (isClientHeld(existing.secrets) !== isClientHeld(command)) return noop(ERRORS.BAD_KEYS.code)
  if (!context.readable(command)) return noop(ERRORS.BAD_KEYS.code)
  const { token } = existing
  const secrets = secretsOf(command)
  return accountEntry(user, {
    ...{ token, version: version + 1, changeToken, secrets, invitation: null },
  })
}

function secretsOf(command: AccountSecrets): AccountSecrets {
  const { salt, cost, verifierHash, publicKey, wrappedKey, signing, older } = command
  return { salt, cost, verifierHash, publicKey, wrappedKey, signing, older }
}

/** Once and for all: who has sent to an account must not find one day that others can read it. */
export function isClientHeld({ signing }: AccountSecrets): boolean {
  return signing !== null
}

function accountEntry(name: string, account: Omit<Account, 'name'>): Decision {
  return entryOf(KIND.account, name, encodeAccount(account))
}

function entryOf(kind: Kind, mailbox: string, body: Uint8Array): Decision {
  return decision({ kind, answer: 0, mailbox, stream: NONE, seq: 0, digest: NONE }, body)
}

/** The name stays taken for ever: nobody can come after and be taken for who it was. */
export function decideClosing(
  ledger: PeopleLedger,
  { user, version, token }: The<'delete-account'>,
  context: Context,
): Decision {
  if (context.diverged) return noop(ERRORS.DIVERGED.code)
  const closing = ledger.closing(user)
  if (closing && sameBytes(closing, token)) return noop(0)
  const existing = ledger.account(user)
  if (!existing) return noop(ERRORS.NO_SUCH_USER.code)
  if (existing.version !== version) return noop(ERRORS.ACCOUNT_CHANGED.code)
  return entryOf(KIND.closed, user, encodeClosing(token))
}

/** A code is opened once, and known until it expires: a request that comes late opens none again. */
export function decideInvitation(
  ledger: PeopleLedger,
  { user, invitation, lasts, most }: The<'invite'>,
  { time, diverged }: Context,
): Decision {
  if (diverged) return noop(ERRORS.DIVERGED.code)
  if (!ledger.account(user)) return noop(ERRORS.NO_SUCH_USER.code)
  const known = ledger.invitation(idOf(invitation))
  if (known && isOpen(known, time)) return noop(0, known.expires)
  const own = ledger.invitationsOf(user)
  if (own.filter((one) => !one.used && isOpen(one, time)).length >= most) {
    return noop(ERRORS.TOO_MANY_INVITATIONS.code)
  }
  return entryOf(KIND.invitation, user, encodeInvitation({ invitation, expires: time + lasts }))
}

export function decideBlock(
  ledger: PeopleLedger,
  { user, name, blocked }: The<'block'>,
  context: Context,
): Decision {
  if (context.diverged) return noop(ERRORS.DIVERGED.code)
  if (!ledger.account(user)) return noop(ERRORS.NO_SUCH_USER.code)
  const list = ledger.blocked(user)
  if (list.has(name) === blocked) return noop(0)
  if (blocked && !ledger.account(name)) return noop(ERRORS.NO_SUCH_USER.code)
  if (blocked && list.size >= MAX_BLOCKED) return noop(ERRORS.TOO_MANY_BLOCKED.code)
  return entryOf(KIND.block, user, encodeBlock({ name, blocked }))
}
