// Invitations, block lists, ends of accounts and quotas: what the committed log may hold of them,
// and what clients may be told. An invitation lets one user in, once, before it expires. No message
// is stored for a recipient who has blocked its sender. The name of an ended account belongs to
// nobody.

import { errorName } from '../../../protocol/errors.js'
import { KIND } from '../../../protocol/entries/entry.js'
import { sameBytes, sha256 } from '../../../protocol/bytes.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { decodeAccount } from '../../../protocol/state/account.js'
import { decodeBlock } from '../../../protocol/state/commands/block.js'
import { decodeInvitation } from '../../../protocol/state/invitation.js'
import type { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import type { Command, Commands } from './commands.js'
import { hex, type ClientLedger } from './ledger.js'
import type { Requests } from './requests.js'

interface Invited {
  readonly by: string
  readonly expires: number
  /** Earlier expiry times of the same code, which may be given out again once it has expired. */
  readonly before: readonly number[]
  used: boolean
}

interface BlockList {
  /** Index of the entry that made the list so. */
  readonly index: number
  readonly names: ReadonlySet<string>
}

const EMPTY: BlockList = { index: 0, names: new Set() }

export class DirectoryCheck implements Check {
  readonly #ledger: ClientLedger
  readonly #requests: Requests
  readonly #commands: Commands
  readonly #invitations = new Map<string, Invited>()
  readonly #lists = new Map<string, BlockList[]>()
  #accounts = 0
  /** The latest time of a committed order, ms since 1970. */
  #time = 0

  constructor(history: History, ledger: ClientLedger, requests: Requests, commands: Commands) {
    this.#ledger = ledger
    this.#requests = requests
    this.#commands = commands
    history.onCommit((node) => this.#committed(node))
  }

  #listsOf(user: string): readonly BlockList[] {
    return [EMPTY, ...(this.#lists.get(user) ?? [])]
  }

  #blockedAt(user: string, index: number): ReadonlySet<string> {
    return this.#listsOf(user).findLast((list) => list.index <= index)!.names
  }

  // ---- the log --------------------------------------------------------------------------------

  #committed({ index, entry, meta }: Node): void {
    const { kind, mailbox, stream } = meta!
    const { body, time, term } = entry!
    if (term > 0) this.#time = Math.max(this.#time, time)
    if (kind === KIND.account) {
      this.#joined(index, decodeAccount(mailbox, body), time, this.#commands.of(entry!))
    } else if (kind === KIND.invitation) {
      const { invitation, expires } = decodeInvitation(body)
      const known = this.#invitations.get(hex(invitation))
      expect(!known || known.expires <= time || this.#isGone(known.by), 'invitation', () => {
        return `the invitation at ${index} was open already`
      })
      const before = known ? [...known.before, known.expires] : []
      this.#invitations.set(hex(invitation), { by: mailbox, expires, before, used: false })
    } else if (kind === KIND.block) {
      const { name, blocked } = decodeBlock(body)
      const names = new Set(this.#blockedAt(mailbox, index))
      if (blocked) names.add(name)
      else names.delete(name)
      this.#lists.set(mailbox, [...this.#listsOf(mailbox).slice(1), { index, names }])
    } else if (kind === KIND.message) {
      const sender = this.#ledger.streams.get(hex(stream))!.owner
      expect(!this.#blockedAt(mailbox, index).has(sender), 'block', () => {
        return `entry ${index} is from ${sender}, whom ${mailbox} has blocked`
      })
      expect(!this.#isGone(sender), 'closed', () => `entry ${index} is from ${sender}, who is gone`)
    }
  }

  #isGone(name: string): boolean {
    return this.#ledger.closed.has(name)
  }

  #joined(
    index: number,
    account: ReturnType<typeof decodeAccount>,
    time: number,
    command: Command | undefined,
  ): void {
    const { name, version, invitation } = account
    if (version !== 1) return
    const isFirst = ++this.#accounts === 1
    if (!invitation) {
      const needed = command?.kind === 'register' && command.byInvitation && !isFirst
      return expect(!needed, 'invitation', () => `${name} is let in at ${index} without any`)
    }
    const known = this.#invitations.get(hex(invitation))
    const open = known && !known.used && known.expires > time && !this.#isGone(known.by)
    expect(open === true, 'invitation', () => {
      return `${name} is let in at ${index}, at ${time}, by what is ${JSON.stringify(known)}`
    })
    known!.used = true
  }

  // ---- answers to clients ---------------------------------------------------------------------

  sent(from: Host, to: Host, message: Message): void {
    if (to.role !== 'client') return
    switch (message.type) {
      case 'INVITED':
        return this.#invited(to, message)
      case 'BLOCKED_ARE':
        return this.#blocked(from, to, message)
      case 'ACCOUNT_DELETED':
        return this.#deleted(to, message)
      case 'PAGE':
      case 'PUSH':
        return this.#shown(from, to, this.#requests.userAt(from, to))
      case 'ERROR':
        if (message.request > 0) this.#refused(from, to, message)
    }
  }

  #invited(to: Host, { request, expires }: The<'INVITED'>): void {
    const { asked } = this.#requests.of(to, request, 'INVITE')
    const known = this.#invitations.get(hex(sha256(asked.code)))
    // An answer may be sent after its code has been given out again.
    const until = known ? [...known.before, known.expires] : []
    expect(until.includes(expires), 'C4', () => {
      return `${to.name} is told of an invitation until ${expires}; it is ${until.join()}`
    })
  }

  #blocked(from: Host, to: Host, { request, names }: The<'BLOCKED_ARE'>): void {
    const { asked, user, end } = this.#requests.any(to, request)
    if (asked.type === 'BLOCKED') this.#shown(from, to, user)
    const lists = this.#listsOf(user).filter((_, i, all) => (all[i + 1]?.index ?? Infinity) > end)
    const right = lists.some((list) => [...list.names].sort().join() === names.join())
    expect(right, 'block', () => `${to.name} is told that it blocks [${names.join()}]`)
    if (asked.type !== 'BLOCK' && asked.type !== 'UNBLOCK') return
    expect(names.includes(asked.name) === (asked.type === 'BLOCK'), 'block', () => {
      return `${to.name} asks to ${asked.type} ${asked.name} and is told [${names.join()}]`
    })
  }

  #deleted(to: Host, { request }: The<'ACCOUNT_DELETED'>): void {
    const { asked } = this.#requests.of(to, request, 'DELETE_ACCOUNT')
    const closing = this.#ledger.closed.get(asked.name)
    expect(closing !== undefined && sameBytes(closing.token, asked.token), 'C8', () => {
      return `${to.name} is told that ${asked.name} is deleted, which is not committed`
    })
  }

  #shown(from: Host, to: Host, user: string): void {
    const closing = this.#ledger.closed.get(user)?.index ?? Infinity
    const { appliedIndex } = from.machine as ProcessingReplica
    expect(closing > appliedIndex, 'closed', () => {
      return `${from.name} shows ${to.name} data of ${user}, whose account it knows to be closed`
    })
  }

  #refused(from: Host, to: Host, message: The<'ERROR'>): void {
    const { asked, user, end } = this.#requests.any(to, message.request)
    const name = errorName(message.code)!
    if (asked.type === 'SEND') this.#sendRefused(from, user, asked, message)
    if (asked.type === 'REGISTER' && name === 'BAD_INVITATION') {
      const known = asked.invitation && this.#invitations.get(hex(sha256(asked.invitation)))
      const open = known && !known.used && known.expires > this.#time && !this.#isGone(known.by)
      const since = known && this.#openedAfter(asked.invitation!, end)
      expect(!open || since === true, 'invitation', () => {
        return `${to.name} is told BAD_INVITATION; it is open`
      })
    }
    if (asked.type === 'REGISTER' && name === 'INVITATION_NEEDED') {
      expect(this.#accounts > 0, 'invitation', () => `${to.name} is the first, and not let in`)
    }
    if (asked.type === 'DELETE_ACCOUNT' && name === 'NOT_LOGGED_IN') {
      const closing = this.#ledger.closed.get(asked.name)
      const done = closing && closing.index <= end && sameBytes(closing.token, asked.token)
      expect(done !== true, 'C5', () => `${to.name} is not told that ${asked.name} is deleted`)
    }
  }

  /** Whether the invitation was opened after index `end`. */
  #openedAfter(code: Uint8Array, end: number): boolean {
    const id = hex(sha256(code))
    for (let index = end + 1; index <= this.#ledger.end; index++) {
      const { entry, meta } = this.#ledger.at(index)!
      if (meta!.kind !== KIND.invitation) continue
      if (hex(decodeInvitation(entry!.body).invitation) === id) return true
    }
    return false
  }

  #sendRefused(from: Host, user: string, asked: The<'SEND'>, { code, text }: The<'ERROR'>): void {
    const name = errorName(code)!
    const index = this.#ledger.place(asked.stream, asked.seq)?.index ?? 0
    if (name === 'BLOCKED') {
      expect(this.#blockedAt(asked.to, index).has(user), 'block', () => {
        return `${user} is told that ${asked.to} blocks it`
      })
    }
    if (name === 'NO_SUCH_USER') {
      expect(!this.#ledger.isThere(asked.to, index), 'closed', () => {
        return `${user} is told at ${index} that there is no ${asked.to}`
      })
    }
    if (name === 'MAILBOX_FULL') this.#full(from, asked.to, text)
  }

  /** Messages erased ahead of a deletion may already not count; deleted messages must not count. */
  #full(from: Host, mailbox: string, text: string): void {
    const held = Number(/may hold (\d+) bytes/.exec(text)?.[1] ?? Infinity)
    const { appliedIndex } = from.machine as ProcessingReplica
    const { most } = this.#ledger.bytesAt(mailbox, appliedIndex)
    expect(held <= most, 'quota', () => {
      return `${from.name} says that ${mailbox} has reached ${held} bytes; it holds ${most}`
    })
  }
}
