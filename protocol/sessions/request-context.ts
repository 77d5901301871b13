// Shared by the parts that serve client requests: the sessions, sending commands and answers, and
// waiting for the end of the log.

import { errorName, type ErrorName } from '../errors.js'
import type { Entry } from '../entries/entry.js'
import type { LinkId } from '../machine/machine.js'
import type { Message } from '../messages/catalogue.js'
import { refusal, type RefusalExtra } from '../messages/refusal.js'
import type { ProcessingContext } from '../processing/context.js'
import type { LogQueries } from '../processing/log-queries.js'
import type { FailureReason } from '../processing/pending-requests.js'
import type { Submission } from '../processing/submission.js'
import type { ClientCommand } from '../state/commands/registry.js'
import type { Executor } from '../state/executor.js'
import { LogWaiters } from './log-waiters.js'
import type { Session } from './session.js'

/** A lasting service for the user of a connection, beyond single requests. */
export interface Subscriptions {
  /** The user of the connection has logged out. */
  forget(link: LinkId): void
}

const ERROR_OF: Record<FailureReason, ErrorName> = {
  unknown: 'UNKNOWN_OUTCOME',
  overloaded: 'OVERLOADED',
  'not-coordinator': 'NOT_READY',
}

export class RequestContext {
  readonly #context: ProcessingContext
  readonly #queries: LogQueries
  readonly #submission: Submission
  readonly #sessions = new Map<LinkId, Session>()
  readonly #subscriptions: Subscriptions[] = []
  readonly waiters: LogWaiters

  constructor(
    context: ProcessingContext,
    queries: LogQueries,
    executor: Executor,
    submission: Submission,
  ) {
    this.#context = context
    this.#queries = queries
    this.#submission = submission
    this.waiters = new LogWaiters(executor)
  }

  // ---- sessions -------------------------------------------------------------------------------

  get sessions(): ReadonlyMap<LinkId, Session> {
    return this.#sessions
  }

  connect(session: Session): void {
    this.#sessions.set(session.link, session)
    this.#context.clientLinked()
  }

  disconnect(link: LinkId): void {
    const session = this.#sessions.get(link)
    this.#sessions.delete(link)
    if (!session) return
    this.logOut(session)
    this.#context.clientLost()
  }

  /** The connection of the session has not ended. */
  isConnected(session: Session): boolean {
    return this.#sessions.get(session.link) === session
  }

  endsWithLogin(subscriptions: Subscriptions): void {
    this.#subscriptions.push(subscriptions)
  }

  /** Wipes the keys of the session and ends its subscriptions. */
  logOut(session: Session): void {
    for (const key of session.privateKeys) key.fill(0)
    session.privateKeys = []
    session.user = null
    session.clientHeld = false
    for (const subscriptions of this.#subscriptions) subscriptions.forget(session.link)
  }

  // ---- requests and answers -------------------------------------------------------------------

  /** A client whose unanswered requests reach the credit is not read until half are answered. */
  count(session: Session): void {
    session.unanswered++
    if (session.held || session.unanswered < this.#context.limits.credit) return
    session.held = true
    this.#context.outbox.hold(session.link, true)
  }

  /** The one answer to a request. */
  reply(session: Session, message: Message): void {
    if (!this.isConnected(session)) return
    this.#context.outbox.send(session.link, message)
    if (session.unanswered > 0) session.unanswered--
    if (!session.held || session.unanswered > this.#context.limits.credit / 2) return
    session.held = false
    this.#context.outbox.hold(session.link, false)
  }

  refuse(
    session: Session,
    request: number,
    name: ErrorName,
    detail = '',
    extra: RefusalExtra = {},
  ): void {
    this.reply(session, refusal(request, name, detail, extra))
  }

  /** `code` is one of errors.ts, from the log. */
  refuseByCode(session: Session, request: number, code: number): void {
    this.refuse(session, request, errorName(code) ?? 'BAD_REQUEST')
  }

  /**
   * `answer` gets the committed entry of the command; `placed` is called when the command has a
   * place in an order.
   */
  submit(
    session: Session,
    request: number,
    command: ClientCommand,
    answer: (entry: Entry) => void,
    placed: () => void = () => {},
  ): void {
    const fail = (reason: FailureReason): void => this.refuse(session, request, ERROR_OF[reason])
    const outcome = { answer, placed, fail }
    const refused = this.#submission.submit(command, this.isConnected(session), outcome)
    if (refused) this.refuse(session, request, refused.name, refused.detail)
  }

  // ---- the end of the log ---------------------------------------------------------------------

  /** Runs `then` once the own log is applied through everything acknowledged before the call. */
  atTip(session: Session, request: number, then: () => void): void {
    this.#queries.tip((index) => {
      if (index === null) this.refuse(session, request, 'NO_QUORUM')
      else this.waiters.through(index, then)
    })
  }

  /**
   * Like `atTip`, for answers that only this user may see: the user may have logged out meanwhile.
   */
  lookUp(session: Session, user: string, request: number, then: () => void): void {
    this.atTip(session, request, () => {
      if (session.user === user) then()
      else this.refuse(session, request, 'NOT_LOGGED_IN')
    })
  }
}
