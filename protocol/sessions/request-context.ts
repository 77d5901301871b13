// What the parts that serve a session have in common: a command, an answer, and the end of the log.

import type { Entry, Meta } from '../entries/entry.js'
import type { Message } from '../messages/catalogue.js'
import type { Session } from './session.js'
import type { Asked } from './session-router.js'

export interface Asking {
  /** `answer` is called with what the command became; `placed` when its place in the order is known. */
  submit(
    session: Session,
    request: number,
    asked: Asked,
    answer: (entry: Entry, meta: Meta) => void,
    placed?: () => void,
  ): void
  reply(session: Session, message: Message): void
  /** Runs `then` when the own log holds everything that was acknowledged before now. */
  atTip(session: Session, request: number, then: () => void): void
  /** The same for what is shown to this user alone, who may have logged out by then. */
  lookUp(session: Session, user: string, request: number, then: () => void): void
}
