// The state as execution reads and writes it. The committed ledger and the overlay of orders
// executed ahead of it have the same interface, so both decide commands and apply entries in one
// way.

import type { RetentionRule } from '../entries/retention.js'
import type { Account } from './account.js'
import type { Invited } from './invitation.js'

/** Accounts, and the block lists and invitations that belong to them. */
export interface DirectoryView {
  /** undefined: no account has this name, or it has ended. */
  account(name: string): Account | undefined
  /** An account has, or had, this name. */
  isTaken(name: string): boolean
  /** No account has ever been registered. */
  readonly isEmpty: boolean
  /** Token of the request that ended the account of this name. */
  closing(name: string): Uint8Array | undefined
  /** Senders whose messages this user refuses. */
  blocked(user: string): ReadonlySet<string>
  /** The user's own wish. */
  retention(user: string): RetentionRule
  /** By id. It is undefined also if the account that invited has ended. */
  invitation(id: string): Invited | undefined
  invitationsOf(user: string): readonly Invited[]
}

export interface StreamView {
  readonly owner: string
  /** The seq that is executed next. */
  readonly next: number
  /** True: no further send of the stream is executed. */
  readonly closed: boolean
}

/** The answer to one seq of a stream. */
export interface Answered {
  /** SHA-256 of the request. */
  readonly digest: Uint8Array
  /** Code of the refusal; 0: stored. */
  readonly code: number
  /** Log index; 0 while the answer is only in the overlay. */
  readonly index: number
  readonly time: number
}

export interface LedgerView extends DirectoryView {
  stream(id: string): StreamView | undefined
  answered(id: string, seq: number): Answered | undefined
}

/** `time`: of the entry that is applied, ms since 1970. */
export interface LedgerWriter extends LedgerView {
  putAccount(account: Account): void
  /** `token`: of the request that ended the account. */
  endAccount(name: string, token: Uint8Array): void
  putBlocked(user: string, senders: ReadonlySet<string>): void
  putRetention(user: string, wish: RetentionRule): void
  putInvitation(invited: Invited, time: number): void
  openStream(id: string, owner: string): void
  closeStream(id: string): void
  /** The next seq of the stream has its answer. `to`: the recipient. */
  putAnswer(stream: Uint8Array, seq: number, answered: Answered, to: string): void
}
