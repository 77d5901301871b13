// Requests about the user's own mailbox, besides reading it.

import { KIND } from '../entries/entry.js'
import { decodeNote } from '../entries/note.js'
import type { Retention } from '../processing/retention.js'
import type { Limits } from '../machine/config.js'
import type { The } from '../messages/catalogue.js'
import type { Executor } from '../state/executor.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'

export class MailboxRequests {
  readonly #limits: Limits
  readonly #executor: Executor
  readonly #requests: RequestContext
  readonly #retention: Retention

  constructor(limits: Limits, executor: Executor, requests: RequestContext, retention: Retention) {
    this.#limits = limits
    this.#executor = executor
    this.#requests = requests
    this.#retention = retention
  }

  usage(session: Session, user: string, { request }: The<'USAGE'>): void {
    this.#requests.lookUp(session, user, request, () => {
      const bytes = this.#executor.base.sizes.of(user)
      const quota = this.#limits.mailboxBytes
      this.#requests.reply(session, { type: 'USAGE_IS', request, bytes, quota })
    })
  }

  retain(session: Session, user: string, message: The<'RETAIN'>): void {
    const { request, age, count, bytes } = message
    const command = { kind: 'retain', user, age, count, bytes } as const
    this.#requests.submit(session, request, command, ({ meta, body }) => {
      const code = meta.kind === KIND.retention ? 0 : decodeNote(body).code
      if (code !== 0) return this.#requests.refuseByCode(session, request, code)
      this.#sayRetention(session, user, request)
    })
  }

  retention(session: Session, user: string, { request }: The<'RETENTION'>): void {
    this.#requests.lookUp(session, user, request, () => this.#sayRetention(session, user, request))
  }

  #sayRetention(session: Session, user: string, request: number): void {
    const own = this.#executor.base.retention(user)
    const cluster = this.#retention.clusterRule
    this.#requests.reply(session, { type: 'RETENTION_IS', request, own, cluster })
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
