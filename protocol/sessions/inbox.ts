// INBOX: pages of the user's own mailbox, on request.

import { FairSemaphore } from '../fair-semaphore.js'
import type { ErrorName } from '../errors.js'
import type { Message, The } from '../messages/catalogue.js'
import { refusal } from '../messages/refusal.js'
import type { LogQueries } from '../processing/log-queries.js'
import type { Executor } from '../state/executor.js'
import type { InboxMessage, MessageOpener } from './opener.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'

/** Pages being read for all clients together: log-ins query the same replicas on the same lane. */
const PAGES_AT_ONCE = 4

export class Inbox {
  readonly #executor: Executor
  readonly #queries: LogQueries
  readonly #requests: RequestContext
  readonly #opener: MessageOpener
  readonly #pages = new FairSemaphore(PAGES_AT_ONCE)

  constructor(
    executor: Executor,
    queries: LogQueries,
    requests: RequestContext,
    opener: MessageOpener,
  ) {
    this.#executor = executor
    this.#queries = queries
    this.#requests = requests
    this.#opener = opener
  }

  page(session: Session, message: The<'INBOX'>): void {
    this.#pages.take(session.origin, (release) =>
      this.#read(session, message, (answer) => {
        release()
        this.#requests.reply(session, answer)
      }),
    )
  }

  #read(session: Session, message: The<'INBOX'>, answer: (answer: Message) => void): void {
    const { request } = message
    const { user } = session
    const refuse = (name: ErrorName, detail = ''): void => answer(refusal(request, name, detail))
    // The request may have waited for its turn, and the user may have logged out.
    if (!user) return refuse('NOT_LOGGED_IN')
    this.#from(message, (from) => {
      if (from === null) return refuse('NO_QUORUM')
      this.#page(session, user, { ...message, after: from }, answer)
    })
  }

  /** The log index after which the page begins; null: no replica could tell. */
  #from({ after, since }: The<'INBOX'>, then: (after: number | null) => void): void {
    if (since === null) then(after)
    else this.#queries.seek(since, (index) => then(index === null ? null : Math.max(index, after)))
  }

  #page(
    session: Session,
    user: string,
    message: The<'INBOX'>,
    answer: (answer: Message) => void,
  ): void {
    const { request, after, limit, sealed } = message
    const refuse = (name: ErrorName, detail = ''): void => answer(refusal(request, name, detail))
    this.#opener.read(user, after, limit, (page) => {
      if (!page) return refuse('NO_QUORUM')
      if (session.user !== user) return refuse('NOT_LOGGED_IN')
      const show = (messages: InboxMessage[] | null): void => {
        if (!messages) return refuse('OVERLOADED', 'not opened')
        if (session.user !== user) return refuse('NOT_LOGGED_IN')
        const { more, through } = page
        // An empty page with more to come (limit 0) has shown nothing: the next one begins where it
        // began.
        const next = page.stored.at(-1)?.index ?? (more ? after : Math.max(after, through))
        const cursor = this.#executor.base.marks.of(user).read
        answer({ type: 'PAGE', request, messages, next, more, cursor })
      }
      if (sealed) show(this.#opener.sealed(user, page.stored))
      else this.#opener.open(session, page.stored, show)
    })
  }
}
