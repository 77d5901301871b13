// Stored messages in the form that their recipient gets: opened in a worker, or sealed as stored if
// the recipient's client opens them itself.

import { decodeMeta, type Entry } from '../entries/entry.js'
import { senderOf, type MessagePlace } from '../envelope/header.js'
import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import type { LogQueries } from '../processing/log-queries.js'
import type { LogWaiters } from './log-waiters.js'
import type { Session } from './session.js'

export type InboxMessage = The<'PAGE'>['messages'][number]

/** A stored message, from a page or from the feed. */
export interface Openable extends Pick<Entry, 'index' | 'time' | 'meta'> {
  readonly envelope: Uint8Array
}

interface StoredPage extends Pick<The<'READ_PAGE'>, 'through' | 'more'> {
  readonly stored: readonly Openable[]
}

/** Messages of one page at most. */
const PAGE = 128

export class MessageOpener {
  readonly #context: ProcessingContext
  readonly #queries: LogQueries
  readonly #waiters: LogWaiters

  constructor(context: ProcessingContext, queries: LogQueries, waiters: LogWaiters) {
    this.#context = context
    this.#queries = queries
    this.#waiters = waiters
  }

  /**
   * A page of a mailbox; null: no replica could tell. By then the own log is applied through the
   * page's index, so that it names each message's sender and the keys that open it.
   */
  read(user: string, after: number, limit: number, then: (page: StoredPage | null) => void): void {
    this.#queries.read(user, after, Math.min(limit, PAGE), (page) => {
      if (!page) return then(null)
      const { messages, through, more } = page
      const stored = messages.map((message) => ({ ...message, meta: decodeMeta(message.meta) }))
      this.#waiters.through(through, () => then({ stored, through, more }))
    })
  }

  /** `then(null)`: no worker could try. A text that does not open is a null text instead. */
  open(
    session: Session,
    stored: readonly Openable[],
    then: (messages: InboxMessage[] | null) => void,
  ): void {
    const { privateKeys, user } = session
    if (stored.length === 0 || !user) {
      then([])
      return
    }
    const envelopes = stored.map(({ envelope }) => envelope)
    if (session.clientHeld) {
      then(this.sealed(user, stored))
      return
    }
    const places = this.#places(user, stored)
    // Copies, since the session's keys are wiped at its end, while the job may wait for a worker.
    const keys = privateKeys.map((key) => Uint8Array.from(key))
    const job = { kind: 'open', privateKeys: keys, envelopes, places } as const
    this.#context.outbox.compute(job, session.origin, (result) => {
      for (const key of keys) key.fill(0)
      if (result.kind !== 'open') return then(null)
      then(
        places.map((place, i) => {
          const text = result.texts[i] ?? null
          return inboxMessage(stored[i]!.index, place, { text, envelope: null })
        }),
      )
    })
  }

  /** Messages as stored: the recipient's client opens them itself. */
  sealed(user: string, stored: readonly Openable[]): InboxMessage[] {
    return this.#places(user, stored).map((place, i) => {
      const { index, envelope } = stored[i]!
      return inboxMessage(index, place, { text: null, envelope })
    })
  }

  /**
   * Execution wrote the header of the envelope, or compared it with the account that sent: so the
   * header tells the sender. Streams end, and their owners are forgotten.
   */
  #places(recipient: string, stored: readonly Openable[]): MessagePlace[] {
    return stored.map(({ meta, time, envelope }) => {
      const { stream, seq } = meta
      return { sender: senderOf(envelope), recipient, stream, seq, time }
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
