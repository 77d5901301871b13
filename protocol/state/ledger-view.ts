// The state as execution reads and writes it. The committed ledger and the overlay of orders
// executed ahead of it have the same interface, so both decide commands and apply entries in one
// way.

import type { RetentionRule } from '../entries/retention.js'
import type { Account } from './account.js'
import type { Ended } from './ended-streams.js'
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

/** An open stream. */
export interface StreamView {
  readonly owner: string
  /** Token of the request that opened it; empty: an older version opened it. */
  readonly token: Uint8Array
  /** The seq that is executed next. */
  readonly next: number
  /** Time of the order that opened the stream or executed its last send, ms since 1970. */
  readonly used: number
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

/** Streams by id, as idOf() makes it. */
export interface StreamsView {
  /** undefined: no open stream has this id. */
  stream(id: string): StreamView | undefined
  /** The open streams of a user. */
  streamsOf(user: string): readonly (readonly [id: string, stream: StreamView])[]
  answered(id: string, seq: number): Answered | undefined
  /** The end of a stream of this user; undefined: it is not remembered, or there was none. */
  endedStream(user: string, id: string): Ended | undefined
  /** Ends of this user's streams so far. */
  endsOf(user: string): number
}

export interface LedgerView extends DirectoryView, StreamsView {}

/** `time`: of the entry that is applied, ms since 1970. */
export interface LedgerWriter extends LedgerView {
  putAccount(account: Account): void
  /** Its streams end with it. `token`: of the request that ended the account. */
  endAccount(name: string, token: Uint8Array): void
  putBlocked(user: string, senders: ReadonlySet<string>): void
  putRetention(user: string, wish: RetentionRule): void
  putInvitation(invited: Invited, time: number): void
  openStream(id: string, stream: StreamView): void
  endStream(id: string): void
  /** The next seq of the stream has its answer. `to`: the recipient. */
  putAnswer(stream: Uint8Array, seq: number, answered: Answered, to: string): void
}
