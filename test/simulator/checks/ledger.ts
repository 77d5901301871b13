// The committed log as clients see it: accounts, streams, places of messages, marks. The checks of
// answers compare answers with it.

import { sealedOfText } from '../held.js'
import { decodeDrop, isDrop, names, type Drop } from '../../../protocol/entries/drop.js'
import { decodeExpiry, type Expiry } from '../../../protocol/entries/expiry.js'
import { KIND, type Entry } from '../../../protocol/entries/entry.js'
import { sameBytes, sha256 } from '../../../protocol/bytes.js'
import type { The } from '../../../protocol/messages/catalogue.js'
import { decodeAccount, type Account } from '../../../protocol/state/account.js'
import { decodeEnds } from '../../../protocol/state/commands/end-idle-streams.js'
import { decodeOpening } from '../../../protocol/state/commands/open-stream.js'
import { decodeClosing } from '../../../protocol/state/commands/delete-account.js'
import { decodeMarks, type Mark } from '../../../protocol/entries/marks.js'
import type { History, Node } from '../history.js'
import { expect } from '../violation.js'

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Number of answers that a stream keeps for repeated requests. */
const KEPT_ANSWERS = 256

export interface StreamPlace {
  readonly owner: string
  /** Token of the request that opened it. */
  readonly token: Uint8Array
  /** Index of the entry that opened the stream. */
  readonly index: number
  /** The next seq of the stream. */
  next: number
  /** Time of the order that opened it or executed its last send, ms since 1970. */
  used: number
  /** Index of the entry that closed the stream; Infinity: it is open. */
  closedAt: number
  /** Number of its end among those of its owner, from 1; 0: it is open. */
  end: number
}

/** The digest that binds a place of a stream to its user, recipient and text. */
export function digestOf(user: string, { to, text }: Pick<The<'SEND'>, 'to' | 'text'>): Uint8Array {
  const sealed = sealedOfText(text)
  const start = Buffer.from(`${user}\n${to}\n`, 'utf8')
  return sealed
    ? sha256(start, Uint8Array.of(0xff), sealed)
    : sha256(start, Buffer.from(text, 'utf8'))
}

const UNMARKED: Mark = { delivered: 0, read: 0 }

/** A message that is read is delivered too. */
function higher(known: Mark = UNMARKED, mark: Mark): Mark {
  const read = Math.max(known.read, mark.read)
  return { read, delivered: Math.max(known.delivered, mark.delivered, read) }
}

export interface Version {
  /** Index of the version's entry. */
  readonly index: number
  readonly account: Account
}

export class ClientLedger {
  readonly #history: History
  readonly accounts = new Map<string, Account>()
  readonly #versions = new Map<string, Version[]>()
  /** Closed accounts: the index of the closing entry and the token of its request. */
  readonly closed = new Map<string, { readonly index: number; readonly token: Uint8Array }>()
  readonly streams = new Map<string, StreamPlace>()
  /** Ends of streams so far, by owner. */
  readonly #ends = new Map<string, number>()
  readonly #places = new Map<string, Node>()
  readonly #mailboxes = new Map<string, number[]>()
  /** Index of the first DROP that names a message, by the message's index. */
  readonly #dropped = new Map<number, number>()
  /** Messages that expired, each with the entry that says so first. */
  readonly #expired = new Map<number, { readonly index: number; readonly unread: boolean }>()
  /** Indices of all sends, refused ones too, by user. */
  readonly #sent = new Map<string, number[]>()
  readonly marks = new Map<string, Mark>()
  /** The highest marks that clients have reported, by user. */
  readonly #said = new Map<string, Mark>()

  constructor(history: History) {
    this.#history = history
    history.onCommit((node) => this.#committed(node))
  }

  get end(): number {
    return this.#history.committed.index
  }

  at(index: number): Node | undefined {
    return this.#history.ledger[index]
  }

  place(stream: Uint8Array, seq: number): Node | undefined {
    return this.#places.get(`${hex(stream)}/${seq}`)
  }

  mailbox(user: string): readonly number[] {
    return this.#mailboxes.get(user) ?? []
  }

  sentBy(user: string): readonly number[] {
    return this.#sent.get(user) ?? []
  }

  /** The versions that an account had at some moment since `end` was committed. */
  versionsSince(name: string, end: number): readonly Version[] {
    const all = this.#versions.get(name) ?? []
    const closed = this.closed.get(name)?.index ?? Infinity
    return all.filter((_, i) => (all[i + 1]?.index ?? closed) > end)
  }

  /** Whether there was such an account when entry `index` was decided. */
  isThere(name: string, index: number): boolean {
    const made = this.#versions.get(name)?.[0]?.index ?? Infinity
    return made < index && index < (this.closed.get(name)?.index ?? Infinity)
  }

  /** The version that the change with this token made. */
  changedBy(name: string, token: Uint8Array): Version | undefined {
    const all = this.#versions.get(name) ?? []
    return all.find(({ account }) => sameBytes(account.changeToken, token))
  }

  /**
   * The bytes that a mailbox may hold once entry `index` is applied. A replica that builds its state
   * from the log does not count messages whose deletion, further on, is carried out already.
   */
  bytesAt(mailbox: string, index: number): { readonly least: number; readonly most: number } {
    let [least, most] = [0, 0]
    for (const message of this.mailbox(mailbox)) {
      const dropped = this.droppedAt(message)
      if (message > index || dropped <= index) continue
      const { length } = this.at(message)!.entry!.body
      most += length
      if (dropped === Infinity) least += length
    }
    return { least, most }
  }

  /** Index of the first DROP that names the message at `index`; Infinity: it is not deleted. */
  droppedAt(index: number): number {
    return this.#dropped.get(index) ?? Infinity
  }

  /** The open streams of a user. */
  openOf(user: string): [id: string, stream: StreamPlace][] {
    return [...this.streams].filter(([, { owner, end }]) => owner === user && end === 0)
  }

  endsOf(user: string): number {
    return this.#ends.get(user) ?? 0
  }

  mark(user: string): Mark {
    return this.marks.get(user) ?? UNMARKED
  }

  /** Whether the answer to this seq may be forgotten. */
  isOld(stream: Uint8Array, seq: number): boolean {
    return seq + KEPT_ANSWERS < (this.streams.get(hex(stream))?.next ?? 0)
  }

  markSaid(user: string, mark: Mark): void {
    this.#said.set(user, higher(this.#said.get(user), mark))
  }

  #committed(node: Node): void {
    const { index, entry } = node
    const { kind, mailbox, stream, seq } = node.meta!
    if (kind === KIND.account) {
      this.#accountIs(index, decodeAccount(mailbox, entry!.body))
    } else if (kind === KIND.closed) {
      expect(this.accounts.delete(mailbox), 'closed', () => `${mailbox} ends twice, at ${index}`)
      this.closed.set(mailbox, { index, token: decodeClosing(entry!.body) })
      for (const [id] of this.openOf(mailbox)) this.#streamEnds(index, id, mailbox)
    } else if (kind === KIND.stream) {
      this.#streamOpened(entry!)
    } else if (kind === KIND.streamClosed) {
      this.#streamEnds(index, hex(stream), mailbox)
    } else if (kind === KIND.streamsEnded) {
      for (const id of decodeEnds(entry!.body)) this.#streamEnds(index, hex(id))
    } else if (kind === KIND.marks) this.#marksMoved(index, decodeMarks(entry!.body))
    if (isDrop(entry!.meta)) this.#drop(decodeDrop(entry!))
    if (kind === KIND.expired) this.#expire(index, mailbox, decodeExpiry(entry!.body))
    if (kind !== KIND.message && kind !== KIND.refusal) return
    const known = this.streams.get(hex(stream))
    expect(known !== undefined, 'C3', () => `entry ${index} of a stream that is not open`)
    expect(known!.closedAt === Infinity, 'C3', () => {
      return `entry ${index} goes into a stream that entry ${known!.closedAt} closed`
    })
    known!.next = seq + 1
    known!.used = entry!.time
    this.#places.set(`${hex(stream)}/${seq}`, node)
    const sent = this.#sent.get(known!.owner)
    if (sent) sent.push(index)
    else this.#sent.set(known!.owner, [index])
    if (kind !== KIND.message) return
    expect(this.accounts.has(mailbox), 'C5', () => `entry ${index} is for ${mailbox}, unknown`)
    const indices = this.#mailboxes.get(mailbox)
    if (indices) indices.push(index)
    else this.#mailboxes.set(mailbox, [index])
  }

  /**
   * An account is made once. Each change follows from the version before it, and no key is ever
   * lost.
   */
  #accountIs(index: number, account: Account): void {
    const { name, version, secrets } = account
    const before = this.accounts.get(name)
    expect(
      !this.closed.has(name),
      'closed',
      () => `${name} is registered again after its end, at ${index}`,
    )
    expect(version === (before?.version ?? 0) + 1, 'C5', () => {
      return `${name} is changed from version ${before?.version ?? 0} to ${version}, at ${index}`
    })
    const keys = [secrets, ...secrets.older].map(({ publicKey }) => hex(publicKey))
    const kept = before ? [before.secrets, ...before.secrets.older] : []
    const lost = kept.filter(({ publicKey }) => !keys.includes(hex(publicKey)))
    expect(lost.length === 0, 'keys', () => `${name} has lost ${lost.length} keys, at ${index}`)
    this.accounts.set(name, account)
    const versions = this.#versions.get(name) ?? []
    this.#versions.set(name, [...versions, { index, account }])
  }

  #streamOpened({ index, time, meta, body }: Entry): void {
    const { mailbox: owner, stream } = meta
    const { token, ends } = decodeOpening(body)
    expect(!this.streams.has(hex(stream)), 'C3', () => `a stream is opened twice, at ${index}`)
    expect(this.accounts.has(owner), 'C3', () => `entry ${index} opens a stream of nobody`)
    for (const id of ends) this.#streamEnds(index, hex(id), owner)
    const begun = { index, next: 1, used: time, closedAt: Infinity, end: 0 }
    this.streams.set(hex(stream), { owner, token, ...begun })
  }

  /** `owner`: of the entry; absent: it ends streams of any users. */
  #streamEnds(index: number, stream: string, owner?: string): void {
    const known = this.streams.get(stream)
    const isOpen = known?.closedAt === Infinity && (owner === undefined || known.owner === owner)
    expect(isOpen, 'C3', () => `entry ${index} closes a stream of ${owner} that is not open`)
    known!.closedAt = index
    known!.end = this.endsOf(known!.owner) + 1
    this.#ends.set(known!.owner, known!.end)
  }

  #drop(drop: Drop): void {
    for (const one of this.mailbox(drop.mailbox)) {
      if (names(drop, one) && !this.#dropped.has(one)) this.#dropped.set(one, drop.index)
    }
  }

  #expire(index: number, mailbox: string, { through, read }: Expiry): void {
    for (const one of this.mailbox(mailbox)) {
      if (one > through || this.#expired.has(one)) continue
      this.#expired.set(one, { index, unread: one > read })
    }
  }

  /** Index of the entry by which the message expired unread; Infinity: it did not. */
  expiredUnreadAt(message: number): number {
    const expired = this.#expired.get(message)
    return expired?.unread ? expired.index : Infinity
  }

  #marksMoved(index: number, marks: readonly (readonly [string, Mark])[]): void {
    for (const [user, mark] of marks) {
      const { delivered, read } = mark
      const said = this.#said.get(user) ?? UNMARKED
      const heard = read <= said.read && delivered <= said.delivered
      expect(heard && read < index && delivered < index, 'mark', () => {
        return `entry ${index} sets ${user}'s mark to ${JSON.stringify(mark)}, which no client has said`
      })
      this.marks.set(user, higher(this.marks.get(user), mark))
    }
  }
}
