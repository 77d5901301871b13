// Clients: what they may ask, checked for form and right before it becomes a command. A refusal
// here consumes nothing and is definite; everything later is answered from the committed log.

import type { LinkId } from '../machine.js'
import { ERRORS, errorName, type ErrorName } from '../errors.js'
import type { Message, The } from '../messages/catalogue.js'
import { MAX_TEXT } from '../messages/common.js'
import { KIND, type Entry, type Meta } from '../log/entry.js'
import { decodeNote } from '../order/bodies.js'
import type { Command } from '../order/decide.js'
import type { Executor } from '../order/executor.js'
import type { Home } from '../order/home.js'
import type { RingStanding } from '../order/standing.js'
import { streamKey } from '../order/state.js'
import { Accounts } from './accounts.js'
import { Applied } from './applied.js'
import { Delivery } from './delivery.js'
import { refusal, type Session } from './session.js'

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
>

type Send = The<'SEND' | 'SEND_SEALED'>

export interface SessionsPort {
  /** Passes a command on; false: refused before it had a place in the order. */
  submit(
    session: Session,
    request: number,
    asked: Asked,
    answer: (entry: Entry, meta: Meta) => void,
  ): void
  acknowledged(user: string, index: number): void
  status(request: number): The<'STATUS_IS'>
}

export class Sessions {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #executor: Executor
  readonly #port: SessionsPort
  readonly delivery: Delivery
  readonly #accounts: Accounts
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
    this.#accounts = new Accounts(standing, executor, {
      submit: (session, request, asked, answer) => port.submit(session, request, asked, answer),
      reply: (session, message) => this.reply(session, message),
      lives: (session) => this.#sessions.get(session.link) === session,
      atTip: (session, request, then) => this.#atTip(session, request, then),
      again: (then) => this.#applied.again(then),
    })
  }

  get size(): number {
    return this.#sessions.size
  }

  linkUp(link: LinkId, address: string): void {
    const nobody = { user: null, privateKeys: [], clientHeld: false, version: 0 }
    this.#sessions.set(link, { link, address, ...nobody, unanswered: 0 })
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
    if (session.unanswered > 0) session.unanswered--
    this.#s.outbox.send(session.link, message)
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
        session.unanswered++
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
    this.#s.clientAsked()
    const refuse = (name: ErrorName, detail = ''): void =>
      this.reply(session, refusal(request, name, detail))
    if (this.draining) return refuse('SHUTTING_DOWN')
    if (session.unanswered > this.#s.limits.credit) return refuse('OVERLOADED', 'too many requests')
    if (message.type === 'REGISTER') return this.#accounts.register(session, message)
    if (message.type === 'LOGIN') return this.#accounts.login(session, message)
    const { user } = session
    if (!user) return refuse('NOT_LOGGED_IN')
    switch (message.type) {
      case 'INBOX':
        return this.delivery.inbox(session, message, () => {
          if (session.unanswered > 0) session.unanswered--
        })
      case 'OPEN_STREAM':
        return this.#openStream(session, user, message)
      case 'SEND':
      case 'SEND_SEALED':
        return this.#send(session, user, message)
      case 'CHANGE_PASSWORD':
      case 'ROTATE_KEY':
      case 'ADD_KEY':
        return this.#accounts.change(session, user, message)
      case 'EXPORT_KEYS':
        return this.#accounts.exportKeys(session, user, message)
      case 'KEYS':
        return this.#accounts.keys(session, message)
      case 'DELETE':
        return this.#delete(session, user, message)
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

  #send(session: Session, user: string, message: Send): void {
    const { request, seq } = message
    if (seq === 0) return this.reply(session, refusal(request, 'BAD_REQUEST', 'seq starts at 1'))
    if (message.type === 'SEND' && Buffer.byteLength(message.text) > MAX_TEXT) {
      return this.reply(session, refusal(request, 'TOO_LONG', `at most ${MAX_TEXT} bytes`))
    }
    this.#port.submit(session, request, askedBy(user, message), (entry, meta) =>
      this.reply(session, this.#sendAnswer(message, entry, meta)),
    )
  }

  /** The answer to a send, from its entry; a repeated one gets the original's (C5). */
  #sendAnswer(message: Send, entry: Entry, meta: Meta): Message {
    const { request, seq, stream } = message
    const answered = (code: number, index: number, time: number): Message => {
      if (code === 0) return { type: 'RECEIPT', request, seq, index, time }
      return refusal(request, errorName(code) ?? 'BAD_REQUEST')
    }
    if (meta.kind === KIND.message) return answered(0, entry.index, entry.time)
    if (meta.kind === KIND.refusal) return answered(meta.answer, entry.index, entry.time)
    const { code, value } = decodeNote(entry.body)
    if (code === ERRORS.OUT_OF_ORDER.code) {
      return refusal(request, 'OUT_OF_ORDER', `expected ${value}`, { expected: value })
    }
    if (code !== 0) return refusal(request, errorName(code) ?? 'BAD_REQUEST')
    const known = this.#executor.base.known(streamKey(stream), value)
    if (!known) return refusal(request, 'OLD_DUPLICATE')
    return answered(known.code, known.index, known.time)
  }

  /** A committed entry has changed this account: sessions from before it end. */
  accountChanged(name: string): void {
    const { version = 1 } = this.#executor.base.account(name) ?? {}
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
  }

  #onCursor(session: Session, index: number): void {
    if (!session.user) return
    const through = Math.min(index, this.#executor.base.index)
    this.delivery.acknowledge(session.link, through)
    this.#port.acknowledged(session.user, through)
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

function askedBy(user: string, message: Send): Asked {
  const { stream, seq, to } = message
  if (message.type === 'SEND') return { kind: 'send', user, stream, seq, to, text: message.text }
  return { kind: 'send-sealed', user, stream, seq, to, sealed: message.sealed }
}
