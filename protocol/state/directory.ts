// Who has an account, who had one, who takes no messages from whom, and which invitations are open:
// in the committed log, and ahead of it. An expired invitation is one that is not there: only by
// that rule may it be forgotten (C2).

import { idOf } from '../bytes.js'
import { KIND, type Draft, type Entry, type Meta } from '../entries/entry.js'
import { Ahead } from './overlay-map.js'
import {
  decodeAccount,
  decodeBlock,
  decodeClosing,
  decodeInvitation,
  type Account,
  type Block,
  type Invitation,
} from '../entries/bodies.js'

export interface Invited extends Invitation {
  readonly by: string
  readonly used: boolean
}

/** Accounts and what belongs to them, as execution reads them. */
export interface PeopleLedger {
  /** undefined: there is none of this name, or none any more. */
  account(name: string): Account | undefined
  /** There is, or was, an account of this name. */
  isTaken(name: string): boolean
  /** Nobody has ever registered. */
  readonly isEmpty: boolean
  /** Token of the request that ended the account of this name. */
  closing(name: string): Uint8Array | undefined
  /** From whom this user takes no messages. */
  blocked(user: string): ReadonlySet<string>
  /** By its id; of nobody who has left. */
  invitation(id: string): Invited | undefined
  invitationsOf(user: string): readonly Invited[]
}

const NOBODY: ReadonlySet<string> = new Set()

/** It can be used, or has been, and nobody need know any more that it ever was, ms since 1970. */
export function isOpen({ expires }: Invitation, time: number): boolean {
  return expires > time
}

function changed(list: ReadonlySet<string>, { name, blocked }: Block): ReadonlySet<string> {
  const next = new Set(list)
  if (blocked) next.add(name)
  else next.delete(name)
  return next
}

export class People implements PeopleLedger {
  readonly accounts = new Map<string, Account>()
  readonly #closed = new Map<string, Uint8Array>()
  readonly #blocked = new Map<string, ReadonlySet<string>>()
  readonly #invitations = new Map<string, Invited>()
  /** Ids, by who invited. */
  readonly #invitedBy = new Map<string, Set<string>>()

  account(name: string): Account | undefined {
    return this.accounts.get(name)
  }

  isTaken(name: string): boolean {
    return this.accounts.has(name) || this.#closed.has(name)
  }

  get isEmpty(): boolean {
    return this.accounts.size === 0 && this.#closed.size === 0
  }

  closing(name: string): Uint8Array | undefined {
    return this.#closed.get(name)
  }

  blocked(user: string): ReadonlySet<string> {
    return this.#blocked.get(user) ?? NOBODY
  }

  invitation(id: string): Invited | undefined {
    return this.#invitations.get(id)
  }

  invitationsOf(user: string): readonly Invited[] {
    const ids = this.#invitedBy.get(user) ?? NOBODY
    return [...ids].map((id) => this.#invitations.get(id)!)
  }

  protected applyToPeople({ body, time }: Entry, { kind, mailbox }: Meta): void {
    if (kind === KIND.account) this.#join(decodeAccount(mailbox, body))
    if (kind === KIND.closed) this.#leave(mailbox, decodeClosing(body))
    if (kind === KIND.block) {
      this.#blocked.set(mailbox, changed(this.blocked(mailbox), decodeBlock(body)))
    }
    if (kind === KIND.invitation) this.#invite(mailbox, decodeInvitation(body), time)
  }

  #join(account: Account): void {
    this.accounts.set(account.name, account)
    if (!account.invitation) return
    const id = idOf(account.invitation)
    const invited = this.#invitations.get(id)
    if (invited) this.#invitations.set(id, { ...invited, used: true })
  }

  #leave(name: string, token: Uint8Array): void {
    this.accounts.delete(name)
    this.#closed.set(name, token)
    this.#blocked.delete(name)
    for (const id of this.#invitedBy.get(name) ?? NOBODY) this.#invitations.delete(id)
    this.#invitedBy.delete(name)
  }

  /** Those of the same user that have expired meanwhile are forgotten. */
  #invite(by: string, invitation: Invitation, time: number): void {
    const id = idOf(invitation.invitation)
    this.#invitedBy.get(this.#invitations.get(id)?.by ?? '')?.delete(id)
    const ids = this.#invitedBy.get(by) ?? new Set()
    for (const old of ids) {
      if (isOpen(this.#invitations.get(old)!, time)) continue
      ids.delete(old)
      this.#invitations.delete(old)
    }
    this.#invitedBy.set(by, ids.add(id))
    this.#invitations.set(id, { ...invitation, by, used: false })
  }
}

/** What orders of one term have written that the committed log does not hold yet. */
export class PeopleAhead implements PeopleLedger {
  readonly #people: People
  readonly #accounts = new Ahead<Account>()
  readonly #closed = new Ahead<Uint8Array>()
  readonly #blocked = new Ahead<ReadonlySet<string>>()
  readonly #invitations = new Ahead<Invited>()

  constructor(people: People) {
    this.#people = people
  }

  account(name: string): Account | undefined {
    if (this.#closed.get(name)) return undefined
    return this.#accounts.get(name) ?? this.#people.account(name)
  }

  isTaken(name: string): boolean {
    return this.#accounts.get(name) !== undefined || this.#people.isTaken(name)
  }

  get isEmpty(): boolean {
    return this.#people.isEmpty && this.#accounts.values().length === 0
  }

  closing(name: string): Uint8Array | undefined {
    return this.#closed.get(name) ?? this.#people.closing(name)
  }

  blocked(user: string): ReadonlySet<string> {
    return this.#blocked.get(user) ?? this.#people.blocked(user)
  }

  invitation(id: string): Invited | undefined {
    const known = this.#invitations.get(id) ?? this.#people.invitation(id)
    return known && this.account(known.by) ? known : undefined
  }

  invitationsOf(user: string): readonly Invited[] {
    const ahead = this.#invitations.values()
    const committed = this.#people.invitationsOf(user).filter(({ invitation }) => {
      return this.#invitations.get(idOf(invitation)) === undefined
    })
    return [...committed, ...ahead.filter(({ by }) => by === user)]
  }

  protected applyToPeople({ body }: Draft, { kind, mailbox }: Meta, k: number): void {
    if (kind === KIND.account) {
      const account = decodeAccount(mailbox, body)
      this.#accounts.set(mailbox, account, k)
      const id = account.invitation && idOf(account.invitation)
      const invited = id && this.invitation(id)
      if (id && invited) this.#invitations.set(id, { ...invited, used: true }, k)
    }
    if (kind === KIND.closed) this.#closed.set(mailbox, decodeClosing(body), k)
    if (kind === KIND.block) {
      this.#blocked.set(mailbox, changed(this.blocked(mailbox), decodeBlock(body)), k)
    }
    if (kind === KIND.invitation) {
      const invitation = decodeInvitation(body)
      const invited = { ...invitation, by: mailbox, used: false }
      this.#invitations.set(idOf(invitation.invitation), invited, k)
    }
  }

  /** All orders through k are in the committed log, whole. */
  settlePeople(k: number): void {
    for (const ahead of [this.#accounts, this.#closed, this.#blocked, this.#invitations]) {
      ahead.settle(k)
    }
  }
}
