// Requests about the user's own mailbox, besides reading it.

import { KIND } from '../entries/entry.js'
import { decodeNote } from '../entries/note.js'
import type { Limits } from '../machine/config.js'
import type { The } from '../messages/catalogue.js'
import type { Executor } from '../state/executor.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'

export class MailboxRequests {
  readonly #limits: Limits
  readonly #executor: Executor
  readonly #requests: RequestContext

  constructor(limits: Limits, executor: Executor, requests: RequestContext) {
    this.#limits = limits
    this.#executor = executor
    this.#requests = requests
  }

  usage(session: Session, user: string, { request }: The<'USAGE'>): void {
    this.#requests.lookUp(session, user, request, () => {
      const bytes = this.#executor.base.sizes.of(user)
      const quota = this.#limits.mailboxBytes
      this.#requests.reply(session, { type: 'USAGE_IS', request, bytes, quota })
    })
  }

  delete(session: Session, user: string, { request, indices }: The<'DELETE'>): void {
    const command = { kind: 'delete', user, indices } as const
    this.#requests.submit(session, request, command, ({ index, meta, body }) => {
      if (meta.kind === KIND.drop) {
        return this.#requests.reply(session, { type: 'DELETED', request, index })
      }
      this.#requests.refuseByCode(session, request, decodeNote(body).code)
    })
  }
}
