// Client requests: each is checked for form and right, and goes to the part that answers it. A
// refusal here consumes nothing and is definite; everything later is answered from the committed
// log.

import { decodeDrop, isDrop, drops } from '../entries/drop.js'
import { KIND, type Entry } from '../entries/entry.js'
import { decodeMarks, type Mark } from '../entries/marks.js'
import type { LinkId } from '../machine/machine.js'
import { isClientRequest, type ClientRequest, type Message } from '../messages/catalogue.js'
import { refusal } from '../messages/refusal.js'
import type { ProcessingContext } from '../processing/context.js'
import type { Leadership } from '../processing/leadership.js'
import type { LogClient } from '../processing/log-client.js'
import type { LogQueries } from '../processing/log-queries.js'
import type { Retention } from '../processing/retention.js'
import type { LogReplicas } from '../processing/log-replicas.js'
import type { Submission } from '../processing/submission.js'
import type { Executor } from '../state/executor.js'
import { AccountChanges } from './account-changes.js'
import { originOf } from './address.js'
import { clusterStatus } from './cluster-status.js'
import { ComputeQuota } from './compute-quota.js'
import { DirectoryRequests } from './directory-requests.js'
import { Inbox } from './inbox.js'
import { LogIn } from './log-in.js'
import { MailboxRequests } from './mailbox-requests.js'
import type { MarkWriter } from './mark-writer.js'
import { MessageOpener } from './opener.js'
import { Pushes } from './pushes.js'
import { Receipts } from './receipts.js'
import { Registration } from './registration.js'
import { RequestContext } from './request-context.js'
import { Sends } from './sends.js'
import type { Session } from './session.js'

export interface SessionParts {
  readonly context: ProcessingContext
  readonly log: LogClient
  readonly logReplicas: LogReplicas
  readonly queries: LogQueries
  readonly executor: Executor
  readonly leadership: Leadership
  readonly submission: Submission
  readonly marks: MarkWriter
  readonly retention: Retention
}

export class SessionRouter {
  readonly #parts: SessionParts
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #requests: RequestContext
  readonly #quota: ComputeQuota
  readonly #pushes: Pushes
  readonly #inbox: Inbox
  readonly #mailbox: MailboxRequests
  readonly #sends: Sends
  readonly #receipts: Receipts
  readonly #logIn: LogIn
  readonly #registration: Registration
  readonly #changes: AccountChanges
  readonly #directory: DirectoryRequests
  /** Committed since the last `caughtUp`: messages to push, and users about whom senders are told. */
  #arrived: Entry[] = []
  readonly #marked = new Set<string>()
  draining = false

  constructor(parts: SessionParts) {
    const { context, log, queries, executor, submission } = parts
    this.#parts = parts
    this.#context = context
    this.#executor = executor
    this.#requests = new RequestContext(context, queries, executor, submission)
    const quota = new ComputeQuota(context, this.#requests)
    this.#quota = quota
    const opener = new MessageOpener(context, queries, this.#requests.waiters)
    this.#pushes = new Pushes(context, log, executor, this.#requests, opener)
    this.#inbox = new Inbox(executor, queries, this.#requests, opener)
    this.#mailbox = new MailboxRequests(context.limits, executor, this.#requests, parts.retention)
    this.#receipts = new Receipts(context, executor, this.#requests)
    this.#sends = new Sends(context, executor, this.#receipts, this.#requests)
    this.#directory = new DirectoryRequests(context.limits, executor, this.#requests)
    this.#logIn = new LogIn(context, executor, this.#requests, quota)
    const accounts = [context, executor, this.#requests, quota, this.#logIn] as const
    this.#registration = new Registration(...accounts)
    this.#changes = new AccountChanges(...accounts)
  }

  metrics() {
    return {
      troca_sessions: this.#requests.sessions.size,
      troca_listeners: this.#pushes.size,
      troca_rates_kept: this.#sends.counted + this.#quota.counted,
      troca_login_failures_kept: this.#quota.failures,
      troca_log_waiters: this.#requests.waiters.size,
    }
  }

  /** A client waits for the log: for a push, or for its end. */
  get awaitsLog(): boolean {
    return this.#pushes.size > 0 || this.#requests.waiters.size > 0
  }

  // ---- connections ----------------------------------------------------------------------------

  linkUp(link: LinkId, address: string): void {
    const nobody = { user: null, privateKeys: [], clientHeld: false, version: 0 }
    const origin = originOf(address.replace(/:\d+$/, ''))
    this.#requests.connect({ link, origin, ...nobody, unanswered: 0, held: false })
  }

  linkDown(link: LinkId): void {
    this.#requests.disconnect(link)
  }

  has(link: LinkId): boolean {
    return this.#requests.sessions.has(link)
  }

  userOf(link: LinkId): string | null {
    return this.#requests.sessions.get(link)?.user ?? null
  }

  // ---- requests -------------------------------------------------------------------------------

  onMessage(link: LinkId, message: Message): void {
    const session = this.#requests.sessions.get(link)!
    if (isClientRequest(message)) {
      this.#requests.count(session)
      this.#onRequest(session, message)
      return
    }
    switch (message.type) {
      case 'CURSOR':
        this.#onCursor(session, message.index)
        return
      case 'DELIVERED':
        this.#mark(session, { delivered: this.#reached(message.index), read: 0 })
        return
      case 'LOGOUT':
        this.#context.outbox.send(link, { type: 'GOODBYE', reason: 'logged out' })
        this.#context.outbox.close(link, 'logged out')
        return
      default:
        this.#context.outbox.send(link, refusal(0, 'BAD_STATE', message.type))
        this.#context.outbox.close(link, `${message.type} from a client`)
    }
  }

  #onRequest(session: Session, message: ClientRequest): void {
    const { request } = message
    if (message.type === 'STATUS') return this.#sayStatus(session, request)
    if (this.draining) return this.#requests.refuse(session, request, 'SHUTTING_DOWN')
    if (session.unanswered > this.#context.limits.credit) {
      return this.#requests.refuse(session, request, 'OVERLOADED', 'too many requests')
    }
    if (message.type === 'REGISTER') return this.#registration.register(session, message)
    if (message.type === 'LOGIN') return this.#logIn.login(session, message)
    if (message.type === 'DELETE_ACCOUNT') return this.#changes.close(session, message)
    const { user } = session
    if (!user) return this.#requests.refuse(session, request, 'NOT_LOGGED_IN')
    switch (message.type) {
      case 'INBOX':
        return this.#inbox.page(session, message)
      case 'LISTEN':
        return this.#pushes.listen(session, user, message)
      case 'OPEN_STREAM':
        return this.#sends.openStream(session, user, message)
      case 'CLOSE_STREAM':
        return this.#sends.closeStream(session, user, message)
      case 'SEND':
      case 'SEND_SEALED':
        return this.#sends.send(session, user, message)
      case 'CHANGE_PASSWORD':
      case 'ROTATE_KEY':
      case 'ADD_KEY':
        return this.#changes.change(session, user, message)
      case 'EXPORT_KEYS':
        return this.#changes.exportKeys(session, user, message)
      case 'KEYS':
        return this.#directory.keys(session, message)
      case 'INVITE':
        return this.#directory.invite(session, user, message)
      case 'BLOCK':
      case 'UNBLOCK':
        return this.#directory.block(session, user, message)
      case 'BLOCKED':
        return this.#directory.blocked(session, user, message)
      case 'USAGE':
        return this.#mailbox.usage(session, user, message)
      case 'RETAIN':
        return this.#mailbox.retain(session, user, message)
      case 'RETENTION':
        return this.#mailbox.retention(session, user, message)
      case 'DELETE':
        return this.#mailbox.delete(session, user, message)
      case 'RECEIPTS':
        return this.#receipts.list(session, user, message)
      case 'FOLLOW_RECEIPTS':
        return this.#receipts.follow(session, user, message)
    }
  }

  #sayStatus(session: Session, request: number): void {
    const { context, log, logReplicas, executor, leadership } = this.#parts
    const { coordinator } = leadership
    const status = clusterStatus(context, log, logReplicas, executor, coordinator, request)
    this.#requests.reply(session, status)
  }

  #onCursor(session: Session, index: number): void {
    const through = this.#reached(index)
    if (session.user) this.#pushes.acknowledge(session.link, through)
    this.#mark(session, { delivered: through, read: through })
  }

  /** No client can have seen more than was ever applied here. */
  #reached(index: number): number {
    return Math.min(index, this.#requests.waiters.furthest)
  }

  #mark(session: Session, mark: Mark): void {
    if (session.user) this.#parts.marks.mark(session.user, mark)
  }

  // ---- the committed log ----------------------------------------------------------------------

  /** Tells sessions about a committed entry; part of the work waits for `caughtUp`. */
  committed(entry: Entry): void {
    const { meta } = entry
    if (meta.kind === KIND.message) this.#arrived.push(entry)
    if (meta.kind === KIND.account || meta.kind === KIND.closed) this.#accountChanged(meta.mailbox)
    if (meta.kind === KIND.marks) {
      for (const [user] of decodeMarks(entry.body)) this.#marked.add(user)
    }
    if (!isDrop(meta)) return
    if (meta.kind === KIND.expired) this.#marked.add(meta.mailbox)
    const drop = decodeDrop(entry)
    this.#arrived = this.#arrived.filter((one) => !drops(drop, one))
    this.#pushes.dropped(drop)
  }

  /** A stretch of the log has been applied. */
  caughtUp(): void {
    this.#pushes.arrived(this.#arrived)
    this.#arrived = []
    this.#receipts.moved(this.#marked)
    this.#marked.clear()
    this.#requests.waiters.advance()
  }

  /** A committed entry has changed or ended this account: sessions of an earlier version end. */
  #accountChanged(name: string): void {
    const { version = Infinity } = this.#executor.base.account(name) ?? {}
    if (version === 1) return
    for (const session of this.#requests.sessions.values()) {
      if (session.user !== name || session.version >= version) continue
      this.#requests.logOut(session)
      this.#context.outbox.send(session.link, refusal(0, 'SESSION_ENDED'))
      this.#context.outbox.close(session.link, 'the account was changed')
    }
  }
}
