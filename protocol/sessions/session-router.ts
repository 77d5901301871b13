// Clients: what they may ask, checked for form and right before it becomes a command. A refusal
// here consumes nothing and is definite; everything later is answered from the committed log.

import type { LinkId } from '../machine/machine.js'
import { errorName, type ErrorName } from '../errors.js'
import type { Message, The } from '../messages/catalogue.js'
import { KIND } from '../entries/entry.js'
import { decodeNote } from '../entries/bodies.js'
import type { Command } from '../state/decision.js'
import type { Executor } from '../state/executor.js'
import type { Home } from '../processing/log-client.js'
import type { Mark } from '../entries/marks.js'
import type { RingStanding } from '../processing/context.js'
import type { Asking } from './request-context.js'
import { Accounts } from './accounts.js'
import { originOf } from './address.js'
import { Applied } from './log-waiters.js'
import { Contacts } from './contacts.js'
import { Delivery } from './delivery.js'
import { Receipts } from './receipts.js'
import { Sends } from './sends.js'
import type { Session } from './session.js'
import { refusal } from '../messages/refusal.js'

type WithoutOrigin<C> = C extends unknown ? Omit<C, 'origin'> : never
export type Asked = WithoutOrigin<Command>

/** Counted against the credit, and answered one by one. */
type Request = The<
  | 'REGISTER'
  | 'LOGIN'
  | 'OPEN_STREAM'
  | 'SEND'
  | 'SEND_SEALED'
  | 'INBOX'
  | 'CHANGE_PASSWORD'
  | 'ROTATE_KEY'
  | 'ADD_KEY'
  | 'EXPORT_KEYS'
  | 'KEYS'
  | 'DELETE'
  | 'INVITE'
  | 'BLOCK'
  | 'UNBLOCK'
  | 'BLOCKED'
  | 'DELETE_ACCOUNT'
  | 'RECEIPTS'
  | 'FOLLOW_RECEIPTS'
>

export interface SessionsPort extends Pick<Asking, 'submit'> {
  marked(user: string, mark: Mark): void
  status(request: number): The<'STATUS_IS'>
}

export class Sessions {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #executor: Executor
  readonly #port: SessionsPort
  readonly delivery: Delivery
  readonly sends: Sends
  readonly receipts: Receipts
  readonly #accounts: Accounts
  readonly #contacts: Contacts
  readonly #sessions = new Map<LinkId, Session>()
  readonly #applied: Applied
  draining = false

  constructor(standing: RingStanding, home: Home, executor: Executor, port: SessionsPort) {
    this.#s = standing
    this.#home = home
    this.#executor = executor
    this.#port = port
    this.#applied = new Applied(executor)
    this.delivery = new Delivery(standing, home, executor, this.#applied)
    const asking: Asking = {
      submit: (session, request, asked, answer, placed) =>
        port.submit(session, request, asked, answer, placed),
      reply: (session, message) => this.reply(session, message),
      atTip: (session, request, then) => this.#atTip(session, request, then),
      lookUp: (session, user, request, then) =>
        this.#atTip(session, request, () => {
          if (session.user === user) then()
          else this.reply(session, refusal(request, 'NOT_LOGGED_IN'))
        }),
    }
    this.receipts = new Receipts(standing, executor, asking)
    this.sends = new Sends(standing, executor, this.receipts, asking)
    this.#contacts = new Contacts(standing.limits, executor, asking)
    this.#accounts = new Accounts(standing, executor, {
      ...asking,
      logOut: (session) => this.#forget(session),
      lives: (session) => this.#sessions.get(session.link) === session,
      again: (then) => this.#applied.again(then),
    })
  }

  get size(): number {
    return this.#sessions.size
  }

  linkUp(link: LinkId, address: string): void {
    const nobody = { user: null, privateKeys: [], clientHeld: false, version: 0 }
    const origin = originOf(address.replace(/:\d+$/, ''))
    this.#sessions.set(link, { link, origin, ...nobody, unanswered: 0, held: false })
    this.#s.clientLinked()
  }

  linkDown(link: LinkId): void {
    const session = this.#sessions.get(link)
    this.#sessions.delete(link)
    if (!session) return
    this.#forget(session)
    this.#s.clientLost()
  }

  has(link: LinkId): boolean {
    return this.#sessions.has(link)
  }

  userOf(link: LinkId): string | null {
    return this.#sessions.get(link)?.user ?? null
  }

  reply(session: Session, message: Message): void {
    if (this.#sessions.get(session.link) !== session) return
    this.#s.outbox.send(session.link, message)
    this.#answered(session)
  }

  /** Who has as many requests unanswered as it may is not read until half of them are answered. */
  #asked(session: Session): void {
    session.unanswered++
    if (session.held || session.unanswered < this.#s.limits.credit) return
    session.held = true
    this.#s.outbox.hold(session.link, true)
  }

  #answered(session: Session): void {
    if (session.unanswered > 0) session.unanswered--
    if (!session.held || session.unanswered > this.#s.limits.credit / 2) return
    session.held = false
    this.#s.outbox.hold(session.link, false)
  }

  onMessage(link: LinkId, message: Message): void {
    const session = this.#sessions.get(link)!
    switch (message.type) {
      case 'REGISTER':
      case 'LOGIN':
      case 'OPEN_STREAM':
      case 'SEND':
      case 'SEND_SEALED':
      case 'INBOX':
      case 'CHANGE_PASSWORD':
      case 'ROTATE_KEY':
      case 'ADD_KEY':
      case 'EXPORT_KEYS':
      case 'KEYS':
      case 'DELETE':
      case 'INVITE':
      case 'BLOCK':
      case 'UNBLOCK':
      case 'BLOCKED':
      case 'DELETE_ACCOUNT':
      case 'RECEIPTS':
      case 'FOLLOW_RECEIPTS':
        this.#asked(session)
        this.#onRequest(session, message)
        return
      case 'STATUS':
        this.#s.outbox.send(link, this.#port.status(message.request))
        return
      case 'LISTEN':
        if (session.user) this.delivery.listen(session, message)
        else this.#s.outbox.send(link, refusal(message.request, 'NOT_LOGGED_IN'))
        return
      case 'CURSOR':
        this.#onCursor(session, message.index)
        return
      case 'DELIVERED':
        this.#mark(session, { delivered: this.#reached(message.index), read: 0 })
        return
      case 'LOGOUT':
        this.#s.outbox.send(link, { type: 'GOODBYE', reason: 'logged out' })
        this.#s.outbox.close(link, 'logged out')
        return
      default:
        this.#s.outbox.send(link, refusal(0, 'BAD_STATE', message.type))
        this.#s.outbox.close(link, `${message.type} from a client`)
    }
  }

  #onRequest(session: Session, message: Request): void {
    const { request } = message
    const refuse = (name: ErrorName, detail = ''): void =>
      this.reply(session, refusal(request, name, detail))
    if (this.draining) return refuse('SHUTTING_DOWN')
    if (session.unanswered > this.#s.limits.credit) return refuse('OVERLOADED', 'too many requests')
    if (message.type === 'REGISTER') return this.#accounts.register(session, message)
    if (message.type === 'LOGIN') return this.#accounts.login(session, message)
    if (message.type === 'DELETE_ACCOUNT') return this.#accounts.changes.close(session, message)
    const { user } = session
    if (!user) return refuse('NOT_LOGGED_IN')
    switch (message.type) {
      case 'INBOX':
        return this.delivery.inbox(session, message, () => this.#answered(session))
      case 'OPEN_STREAM':
        return this.#openStream(session, user, message)
      case 'SEND':
      case 'SEND_SEALED':
        return this.sends.send(session, user, message)
      case 'CHANGE_PASSWORD':
      case 'ROTATE_KEY':
      case 'ADD_KEY':
        return this.#accounts.changes.change(session, user, message)
      case 'EXPORT_KEYS':
        return this.#accounts.changes.exportKeys(session, user, message)
      case 'KEYS':
        return this.#contacts.keys(session, message)
      case 'INVITE':
        return this.#contacts.invite(session, user, message)
      case 'BLOCK':
      case 'UNBLOCK':
        return this.#contacts.block(session, user, message)
      case 'BLOCKED':
        return this.#contacts.blocked(session, user, message)
      case 'DELETE':
        return this.#delete(session, user, message)
      case 'RECEIPTS':
        return this.receipts.list(session, user, message)
      case 'FOLLOW_RECEIPTS':
        return this.receipts.follow(session, user, message)
    }
  }

  #delete(session: Session, user: string, message: The<'DELETE'>): void {
    const { request, indices } = message
    this.#port.submit(session, request, { kind: 'delete', user, indices }, (entry, meta) => {
      if (meta.kind === KIND.drop) {
        return this.reply(session, { type: 'DELETED', request, index: entry.index })
      }
      const { code } = decodeNote(entry.body)
      this.reply(session, refusal(request, errorName(code) ?? 'BAD_REQUEST'))
    })
  }

  #openStream(session: Session, user: string, message: The<'OPEN_STREAM'>): void {
    const { request, stream } = message
    this.#port.submit(session, request, { kind: 'open-stream', user, stream }, (entry, meta) => {
      const code = meta.kind === KIND.noop ? decodeNote(entry.body).code : 0
      if (code !== 0) {
        return this.reply(session, refusal(request, errorName(code) ?? 'BAD_REQUEST'))
      }
      this.reply(session, { type: 'STREAM_OPENED', request, stream, index: entry.index })
    })
  }

  /** A committed entry has changed this account, or ended it: sessions from before it end. */
  accountChanged(name: string): void {
    const { version = Infinity } = this.#executor.base.account(name) ?? {}
    if (version === 1) return
    for (const session of this.#sessions.values()) {
      if (session.user !== name || session.version >= version) continue
      this.#forget(session)
      this.#s.outbox.send(session.link, refusal(0, 'SESSION_ENDED'))
      this.#s.outbox.close(session.link, 'the account was changed')
    }
  }

  /** Wipes its keys and stops pushing to it. */
  #forget(session: Session): void {
    for (const key of session.privateKeys) key.fill(0)
    session.privateKeys = []
    session.user = null
    session.clientHeld = false
    this.delivery.forget(session.link)
    this.receipts.forget(session.link)
  }

  #onCursor(session: Session, index: number): void {
    const through = this.#reached(index)
    if (session.user) this.delivery.acknowledge(session.link, through)
    this.#mark(session, { delivered: through, read: through })
  }

  /** No client has seen more than was ever applied here. */
  #reached(index: number): number {
    return Math.min(index, this.#applied.furthest)
  }

  #mark(session: Session, mark: Mark): void {
    if (session.user) this.#port.marked(session.user, mark)
  }

  /** Runs `then` when the own log holds everything that was acknowledged before now. */
  #atTip(session: Session, request: number, then: () => void): void {
    this.#home.questions.tip((index) => {
      if (index === null) {
        this.reply(session, refusal(request, 'NO_QUORUM'))
        return
      }
      this.#applied.through(index, then)
    })
  }

  /** The log has been applied further. */
  applied(): void {
    this.#applied.advance()
  }
}
