// Clients: what they may ask, checked for form and right before it becomes a command. A refusal
// here consumes nothing and is definite; everything later is answered from the committed log.

import type { LinkId } from '../machine.js'
import { ERRORS, errorName, type ErrorName } from '../errors.js'
import type { Message, The } from '../messages/catalogue.js'
import { MAX_TEXT } from '../messages/common.js'
import { KIND, sameBytes, type Entry, type Meta } from '../log/entry.js'
import { decodeNote, type Account } from '../order/bodies.js'
import type { Command } from '../order/decide.js'
import type { Executor } from '../order/executor.js'
import type { Home } from '../order/home.js'
import type { RingStanding } from '../order/standing.js'
import { streamKey } from '../order/state.js'
import { Applied } from './applied.js'
import { Delivery } from './delivery.js'
import { isUserName, refusal, type Session } from './session.js'

type WithoutOrigin<C> = C extends unknown ? Omit<C, 'origin'> : never
export type Asked = WithoutOrigin<Command>

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
  }

  get size(): number {
    return this.#sessions.size
  }

  linkUp(link: LinkId, address: string): void {
    const session = { link, address, user: null, privateKey: null, unanswered: 0 }
    this.#sessions.set(link, session)
  }

  linkDown(link: LinkId): void {
    const session = this.#sessions.get(link)
    this.#sessions.delete(link)
    session?.privateKey?.fill(0)
    if (session?.user) this.#s.users--
    this.delivery.forget(link)
  }

  has(link: LinkId): boolean {
    return this.#sessions.has(link)
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
      case 'INBOX':
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

  #onRequest(
    session: Session,
    message: The<'REGISTER' | 'LOGIN' | 'OPEN_STREAM' | 'SEND' | 'INBOX'>,
  ): void {
    const { request } = message
    const refuse = (name: ErrorName, detail = ''): void =>
      this.reply(session, refusal(request, name, detail))
    if (this.draining) return refuse('SHUTTING_DOWN')
    if (session.unanswered > this.#s.limits.credit) return refuse('OVERLOADED', 'too many requests')
    if (message.type === 'REGISTER') return this.#register(session, message)
    if (message.type === 'LOGIN') return this.#login(session, message)
    const { user } = session
    if (!user) return refuse('NOT_LOGGED_IN')
    if (message.type === 'INBOX') {
      return this.delivery.inbox(session, message, () => {
        if (session.unanswered > 0) session.unanswered--
      })
    }
    if (message.type === 'OPEN_STREAM') {
      const { stream } = message
      this.#port.submit(session, request, { kind: 'open-stream', user, stream }, (entry, meta) => {
        const code = meta.kind === KIND.noop ? decodeNote(entry.body).code : 0
        if (code !== 0) return refuse(errorName(code) ?? 'BAD_REQUEST')
        this.reply(session, { type: 'STREAM_OPENED', request, stream, index: entry.index })
      })
      return
    }
    this.#send(session, user, message)
  }

  #send(session: Session, user: string, message: The<'SEND'>): void {
    const { request, stream, seq, to, text } = message
    if (seq === 0) return this.reply(session, refusal(request, 'BAD_REQUEST', 'seq starts at 1'))
    if (Buffer.byteLength(text) > MAX_TEXT) {
      return this.reply(session, refusal(request, 'TOO_LONG', `at most ${MAX_TEXT} bytes`))
    }
    this.#port.submit(
      session,
      request,
      { kind: 'send', user, stream, seq, to, text },
      (entry, meta) => this.reply(session, this.#sendAnswer(message, entry, meta)),
    )
  }

  /** The answer to a SEND, from its entry; a repeated one gets the original's (C5). */
  #sendAnswer(message: The<'SEND'>, entry: Entry, meta: Meta): Message {
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

  // ---- accounts -------------------------------------------------------------------------------

  #busy(session: Session, request: number): boolean {
    if (this.#s.outbox.computing < this.#s.limits.computations) return false
    this.reply(
      session,
      refusal(request, 'OVERLOADED', 'too many log-ins at once', { retryAfter: 1_000 }),
    )
    return true
  }

  #register(session: Session, message: The<'REGISTER'>): void {
    const { request, name, password, token } = message
    if (!isUserName(name)) return this.reply(session, refusal(request, 'BAD_NAME'))
    this.#atTip(session, request, () => {
      const existing = this.#executor.base.account(name)
      if (existing && sameBytes(existing.token, token))
        return this.#unlock(session, request, name, password)
      if (existing) return this.reply(session, refusal(request, 'NAME_TAKEN'))
      this.#createAccount(session, message)
    })
  }

  #createAccount(session: Session, message: The<'REGISTER'>): void {
    const { request, name, password, token } = message
    if (this.#busy(session, request)) return
    const bits = this.#s.limits.keyBits
    this.#s.outbox.compute(
      { kind: 'create-account', user: name, password, bits },
      (result) => {
        if (result.kind !== 'create-account') {
          this.reply(session, refusal(request, 'OVERLOADED', 'no key could be made'))
          return
        }
        const asked = { kind: 'register', name, token, ...result.secrets } as const
        this.#port.submit(session, request, asked, (entry, meta) => {
          if (meta.kind === KIND.account) {
            this.#logIn(session, request, name, result.privateKey)
            return
          }
          const { code } = decodeNote(entry.body)
          if (code === 0) this.#unlock(session, request, name, password)
          else this.reply(session, refusal(request, errorName(code) ?? 'BAD_REQUEST'))
        })
      },
      (text) => {
        if (!this.#sessions.has(session.link)) return
        this.#s.outbox.send(session.link, { type: 'PROGRESS', request, text })
      },
    )
  }

  #login(session: Session, message: The<'LOGIN'>): void {
    const { request, name, password } = message
    this.#atTip(session, request, () => this.#unlock(session, request, name, password))
  }

  /** An unknown user costs the same work as a wrong password, and gets the same answer. */
  #unlock(session: Session, request: number, name: string, password: string): void {
    if (this.#busy(session, request)) return
    const account: Account | undefined = this.#executor.base.account(name)
    const secrets = account?.secrets ?? null
    this.#s.outbox.compute({ kind: 'unlock', user: name, password, secrets }, (result) => {
      if (result.kind !== 'unlock') {
        this.reply(session, refusal(request, 'OVERLOADED', 'the log-in could not be checked'))
      } else if (!result.privateKey) {
        this.reply(session, refusal(request, 'BAD_CREDENTIALS'))
      } else {
        this.#logIn(session, request, name, result.privateKey)
      }
    })
  }

  /** While the state is built again from the log, the account's cursor is not what it was. */
  #logIn(session: Session, request: number, name: string, privateKey: Uint8Array): void {
    this.#applied.again(() => this.#begin(session, request, name, privateKey))
  }

  #begin(session: Session, request: number, name: string, privateKey: Uint8Array): void {
    if (!this.#sessions.has(session.link)) {
      privateKey.fill(0)
      return
    }
    session.privateKey?.fill(0)
    if (!session.user) this.#s.users++
    session.user = name
    session.privateKey = privateKey
    const { kid, bits } = this.#executor.keyOf(this.#executor.base.account(name)!)
    const cursor = this.#executor.base.cursors.get(name) ?? 0
    this.reply(session, { type: 'SESSION', request, name, fingerprint: kid, bits, cursor })
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
