// Stored messages in the form that their recipient gets: opened in a worker, or sealed as stored if
// the recipient's client opens them itself.

import { decodeMeta, type Entry } from '../entries/entry.js'
import { idOf } from '../bytes.js'
import type { MessagePlace } from '../envelope/header.js'
import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import type { LogQueries } from '../processing/log-queries.js'
import type { Executor } from '../state/executor.js'
import type { LogWaiters } from './log-waiters.js'
import type { Session } from './session.js'

export type InboxMessage = The<'PAGE'>['messages'][number]

/** Messages of one page at most. */
const PAGE = 128

export class MessageOpener {
  readonly #context: ProcessingContext
  readonly #queries: LogQueries
  readonly #executor: Executor
  readonly #waiters: LogWaiters

  constructor(
    context: ProcessingContext,
    queries: LogQueries,
    executor: Executor,
    waiters: LogWaiters,
  ) {
    this.#context = context
    this.#queries = queries
    this.#executor = executor
    this.#waiters = waiters
  }

  /**
   * A page of a mailbox; null: no replica could tell. By then the own log is applied through the
   * page's index, so that it names each message's sender and the keys that open it.
   */
  read(
    user: string,
    after: number,
    limit: number,
    then: (page: The<'READ_PAGE'> | null) => void,
  ): void {
    this.#queries.read(user, after, Math.min(limit, PAGE), (page) => {
      if (page) this.#waiters.through(page.through, () => then(page))
      else then(null)
    })
  }

  /** `then(null)`: no worker could try. A text that does not open is a null text instead. */
  open(
    session: Session,
    entries: readonly Entry[],
    then: (messages: InboxMessage[] | null) => void,
  ): void {
    const { privateKeys, user } = session
    if (entries.length === 0 || !user) {
      then([])
      return
    }
    const envelopes = entries.map((entry) => entry.body)
    if (session.clientHeld) {
      then(this.sealed(user, entries))
      return
    }
    const places = this.#places(user, entries)
    // Copies, since the session's keys are wiped at its end, while the job may wait for a worker.
    const keys = privateKeys.map((key) => Uint8Array.from(key))
    const job = { kind: 'open', privateKeys: keys, envelopes, places } as const
    this.#context.outbox.compute(job, session.origin, (result) => {
      for (const key of keys) key.fill(0)
      if (result.kind !== 'open') return then(null)
      then(
        places.map((place, i) => {
          const text = result.texts[i] ?? null
          return inboxMessage(entries[i]!.index, place, { text, envelope: null })
        }),
      )
    })
  }

  /** Messages as stored: the recipient's client opens them itself. */
  sealed(user: string, entries: readonly Entry[]): InboxMessage[] {
    return this.#places(user, entries).map((place, i) => {
      const { index, body } = entries[i]!
      return inboxMessage(index, place, { text: null, envelope: body })
    })
  }

  #places(recipient: string, entries: readonly Entry[]): MessagePlace[] {
    return entries.map(({ meta, time }) => {
      const { stream, seq } = decodeMeta(meta)
      const sender = this.#executor.base.stream(idOf(stream))?.owner ?? ''
      return { sender, recipient, stream, seq, time }
    })
  }
}

function inboxMessage(
  index: number,
  { sender: from, recipient: to, time, stream, seq }: MessagePlace,
  content: Pick<InboxMessage, 'text' | 'envelope'>,
): InboxMessage {
  return { index, from, to, time, stream, seq, ...content }
}
