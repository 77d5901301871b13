// The directory: accounts, names of ended accounts, block lists, retentions and invitations; in the committed
// log, and in an overlay ahead of it.

import { idOf } from '../bytes.js'
import { KEEP_ALL, keepsAll, type RetentionRule } from '../entries/retention.js'
import type { Account } from './account.js'
import { isOpen, type Invited } from './invitation.js'
import type { DirectoryView } from './ledger-view.js'
import { OverlayMap } from './overlay-map.js'
import { recordKey, type Touch } from './record-key.js'

const NOBODY: ReadonlySet<string> = new Set()

export class Directory implements DirectoryView {
  readonly accounts = new Map<string, Account>()
  readonly #closed = new Map<string, Uint8Array>()
  readonly #blocked = new Map<string, ReadonlySet<string>>()
  readonly #retentions = new Map<string, RetentionRule>()
  readonly #invitations = new Map<string, Invited>()
  /** Ids of invitations, by the user who invited. */
  readonly #invitedBy = new Map<string, Set<string>>()
  /** Snapshots are taken of what changes. */
  touch: Touch = () => {}

  /** Names that stay taken, and what else is kept, for gauges. */
  get endedNames(): number {
    return this.#closed.size
  }

  get invitations(): number {
    return this.#invitations.size
  }

  get retentions(): number {
    return this.#retentions.size
  }

  get blockLists(): number {
    return this.#blocked.size
  }

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

  retention(user: string): RetentionRule {
    return this.#retentions.get(user) ?? KEEP_ALL
  }

  invitation(id: string): Invited | undefined {
    return this.#invitations.get(id)
  }

  invitationsOf(user: string): readonly Invited[] {
    const ids = this.#invitedBy.get(user) ?? NOBODY
    return [...ids].map((id) => this.#invitations.get(id)!)
  }

  putAccount(account: Account): void {
    this.touch(recordKey.account(account.name))
    this.accounts.set(account.name, account)
  }

  endAccount(name: string, token: Uint8Array): void {
    for (const of of ['account', 'closed', 'blocked', 'retention'] as const)
      this.touch(recordKey[of](name))
    this.accounts.delete(name)
    this.#closed.set(name, token)
    this.#blocked.delete(name)
    this.#retentions.delete(name)
    for (const id of this.#invitedBy.get(name) ?? NOBODY) this.#forgetInvitation(id)
  }

  putBlocked(user: string, senders: ReadonlySet<string>): void {
    this.touch(recordKey.blocked(user))
    if (senders.size > 0) this.#blocked.set(user, senders)
    else this.#blocked.delete(user)
  }

  putRetention(user: string, wish: RetentionRule): void {
    this.touch(recordKey.retention(user))
    if (keepsAll(wish)) this.#retentions.delete(user)
    else this.#retentions.set(user, wish)
  }

  #forgetInvitation(id: string): void {
    this.touch(recordKey.invitation(id))
    const { by } = this.#invitations.get(id)!
    this.#invitations.delete(id)
    const ids = this.#invitedBy.get(by)!
    ids.delete(id)
    if (ids.size === 0) this.#invitedBy.delete(by)
  }

  /** Expired invitations, of all users, are forgotten. */
  putInvitation(invited: Invited, time: number): void {
    const { by, invitation } = invited
    const id = idOf(invitation)
    if (this.#invitations.has(id)) this.#forgetInvitation(id)
    for (const [old, known] of this.#invitations) {
      if (!isOpen(known, time)) this.#forgetInvitation(old)
    }
    this.touch(recordKey.invitation(id))
    const ids = this.#invitedBy.get(by)
    if (ids) ids.add(id)
    else this.#invitedBy.set(by, new Set([id]))
    this.#invitations.set(id, invited)
  }

  /** Keys of all records, in no particular order. */
  *directoryKeys(): Generator<string> {
    for (const name of this.accounts.keys()) yield recordKey.account(name)
    for (const name of this.#closed.keys()) yield recordKey.closed(name)
    for (const name of this.#blocked.keys()) yield recordKey.blocked(name)
    for (const name of this.#retentions.keys()) yield recordKey.retention(name)
    for (const id of this.#invitations.keys()) yield recordKey.invitation(id)
  }
}

/** Directory changes by orders of one term that the committed log does not hold yet. */
export class DirectoryOverlay implements DirectoryView {
  readonly #directory: Directory
  readonly #accounts = new OverlayMap<Account>()
  readonly #closed = new OverlayMap<Uint8Array>()
  readonly #blocked = new OverlayMap<ReadonlySet<string>>()
  readonly #retentions = new OverlayMap<RetentionRule>()
  readonly #invitations = new OverlayMap<Invited>()
  /** The order that is being applied. */
  protected k = 0

  constructor(directory: Directory) {
    this.#directory = directory
  }

  account(name: string): Account | undefined {
    if (this.#closed.get(name)) return undefined
    return this.#accounts.get(name) ?? this.#directory.account(name)
  }

  isTaken(name: string): boolean {
    return this.#accounts.get(name) !== undefined || this.#directory.isTaken(name)
  }

  get isEmpty(): boolean {
    return this.#directory.isEmpty && this.#accounts.values().length === 0
  }

  closing(name: string): Uint8Array | undefined {
    return this.#closed.get(name) ?? this.#directory.closing(name)
  }

  blocked(user: string): ReadonlySet<string> {
    return this.#blocked.get(user) ?? this.#directory.blocked(user)
  }

  retention(user: string): RetentionRule {
    return this.#retentions.get(user) ?? this.#directory.retention(user)
  }

  invitation(id: string): Invited | undefined {
    const known = this.#invitations.get(id) ?? this.#directory.invitation(id)
    return known && this.account(known.by) ? known : undefined
  }

  invitationsOf(user: string): readonly Invited[] {
    const ahead = this.#invitations.values()
    const committed = this.#directory.invitationsOf(user).filter(({ invitation }) => {
      return this.#invitations.get(idOf(invitation)) === undefined
    })
    return [...committed, ...ahead.filter(({ by }) => by === user)]
  }

  putAccount(account: Account): void {
    this.#accounts.set(account.name, account, this.k)
  }

  endAccount(name: string, token: Uint8Array): void {
    this.#closed.set(name, token, this.k)
  }

  putBlocked(user: string, senders: ReadonlySet<string>): void {
    this.#blocked.set(user, senders, this.k)
  }

  putRetention(user: string, wish: RetentionRule): void {
    this.#retentions.set(user, wish, this.k)
  }

  putInvitation(invited: Invited): void {
    this.#invitations.set(idOf(invited.invitation), invited, this.k)
  }

  protected get directorySize(): number {
    return this.#maps.reduce((sum, { size }) => sum + size, 0)
  }

  get #maps(): OverlayMap<unknown>[] {
    return [this.#accounts, this.#closed, this.#blocked, this.#retentions, this.#invitations]
  }

  /** All orders through k are in the committed log, whole. */
  protected settleDirectory(k: number): void {
    for (const map of this.#maps) map.settle(k)
  }
}
