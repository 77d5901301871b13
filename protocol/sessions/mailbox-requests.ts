// Requests about the user's own mailbox, besides reading it.

import { KIND } from '../entries/entry.js'
import { decodeNote } from '../entries/note.js'
import type { The } from '../messages/catalogue.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'

export class MailboxRequests {
  readonly #requests: RequestContext

  constructor(requests: RequestContext) {
    this.#requests = requests
  }

  delete(session: Session, user: string, { request, indices }: The<'DELETE'>): void {
    const command = { kind: 'delete', user, indices } as const
    this.#requests.submit(session, request, command, (entry, meta) => {
      if (meta.kind === KIND.drop) {
        return this.#requests.reply(session, { type: 'DELETED', request, index: entry.index })
      }
      this.#requests.refuseByCode(session, request, decodeNote(entry.body).code)
    })
  }
}
