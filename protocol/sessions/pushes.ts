// Pushes to clients that listen. Each replica pushes from its own feed; a listener that falls behind
// loses pushes, not messages: the log is read to it from where it stopped. Texts are opened in workers
// and given out in log order.

import type { Drop } from '../entries/drop.js'
import type { Entry, Meta } from '../entries/entry.js'
import type { LinkId } from '../machine/machine.js'
import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import type { LogClient } from '../processing/log-client.js'
import type { Executor } from '../state/executor.js'
import type { InboxMessage, MessageOpener } from './opener.js'
import type { RequestContext, Subscriptions } from './request-context.js'
import type { Session } from './session.js'

interface Listener {
  readonly session: Session
  /** Everything through here has been pushed or is being opened. */
  sent: number
  acknowledged: number
  readonly window: number
  /** Unacknowledged messages, by index, in order. */
  readonly underWay: number[]
  /** Up to date with the feed; otherwise it is read to. */
  live: boolean
  reading: boolean
  /** Deleted while it is being read to: the page may be older than that. */
  readonly deleted: Set<number>
  /** Pushes leave in order though they may be opened out of order. */
  readonly opening: Opening[]
}

interface Opening {
  /** null: not open yet. */
  messages: InboxMessage[] | null
  /** Deleted since. */
  readonly without: Set<number>
}

export class Pushes implements Subscriptions {
  readonly #context: ProcessingContext
  readonly #log: LogClient
  readonly #executor: Executor
  readonly #requests: RequestContext
  readonly #opener: MessageOpener
  readonly #listeners = new Map<LinkId, Listener>()

  constructor(
    context: ProcessingContext,
    log: LogClient,
    executor: Executor,
    requests: RequestContext,
    opener: MessageOpener,
  ) {
    this.#context = context
    this.#log = log
    this.#executor = executor
    this.#requests = requests
    this.#opener = opener
    requests.endsWithLogin(this)
  }

  get size(): number {
    return this.#listeners.size
  }

  listen(session: Session, user: string, message: The<'LISTEN'>): void {
    const after = message.after ?? this.#executor.base.marks.of(user).read
    const listener: Listener = {
      session,
      sent: after,
      acknowledged: after,
      window: Math.max(1, message.window),
      underWay: [],
      live: false,
      reading: false,
      deleted: new Set(),
      opening: [],
    }
    this.#listeners.set(session.link, listener)
    this.#requests.reply(session, { type: 'LISTENING', request: message.request, after })
    this.#wantBodies()
    this.#readOn(listener)
  }

  forget(link: LinkId): void {
    if (this.#listeners.delete(link)) this.#wantBodies()
  }

  /** The feed carries messages' bodies only while somebody here listens. */
  #wantBodies(): void {
    this.#log.wantBodies(this.#listeners.size > 0)
  }

  acknowledge(link: LinkId, index: number): void {
    const listener = this.#listeners.get(link)
    if (!listener) return
    listener.acknowledged = Math.max(listener.acknowledged, index)
    while ((listener.underWay[0] ?? Infinity) <= index) listener.underWay.shift()
    if (!listener.live) this.#readOn(listener)
  }

  /** New messages of the committed log, in order, in one stretch of the feed. */
  arrived(entries: readonly { readonly entry: Entry; readonly meta: Meta }[]): void {
    if (this.#listeners.size === 0) return
    for (const listener of this.#listeners.values()) {
      const { user } = listener.session
      const mine = entries.filter(
        ({ meta, entry }) => meta.mailbox === user && entry.index > listener.sent,
      )
      if (mine.length === 0 || !listener.live) continue
      const room = listener.window - listener.underWay.length
      if (mine.length > room || mine.some(({ entry }) => entry.body.length === 0)) {
        listener.live = false
        this.#readOn(listener)
        continue
      }
      this.#push(
        listener,
        mine.map(({ entry }) => entry),
      )
    }
  }

  /** Deleted messages are not pushed any more, as far as they have not left. */
  dropped({ mailbox, indices }: Drop): void {
    for (const listener of this.#listeners.values()) {
      // Where all is deleted, the account is gone, and its sessions with it.
      if (listener.session.user !== mailbox || !indices) continue
      for (const { without } of listener.opening) for (const index of indices) without.add(index)
      if (listener.reading) for (const index of indices) listener.deleted.add(index)
      const left = listener.underWay.filter((index) => !indices.includes(index))
      listener.underWay.splice(0, Infinity, ...left)
      if (!listener.live) this.#readOn(listener)
    }
  }

  #push(listener: Listener, entries: readonly Entry[]): void {
    for (const { index } of entries) listener.underWay.push(index)
    listener.sent = entries.at(-1)?.index ?? listener.sent
    const place: Opening = { messages: null, without: new Set() }
    listener.opening.push(place)
    this.#opener.open(listener.session, entries, (messages) => {
      if (!messages) return this.#backTo(listener, place, entries[0]!.index - 1)
      place.messages = messages
      while (listener.opening[0]?.messages) {
        const { messages: opened, without } = listener.opening.shift()!
        const ready = opened!.filter(({ index }) => !without.has(index))
        if (this.#listeners.get(listener.session.link) !== listener || ready.length === 0) continue
        this.#context.outbox.send(listener.session.link, { type: 'PUSH', messages: ready })
      }
    })
  }

  /** From `sent` on nothing has been pushed: it is read to from there, what came behind it too. */
  #backTo(listener: Listener, place: Opening, sent: number): void {
    const at = listener.opening.indexOf(place)
    const over = this.#listeners.get(listener.session.link) !== listener
    if (at < 0 || over) return
    listener.opening.length = at
    listener.underWay.length = listener.underWay.filter((index) => index <= sent).length
    listener.sent = sent
    listener.live = false
    this.#readOn(listener)
  }

  /** Reads a page for who is behind; live again when the log has no more than the feed has shown. */
  #readOn(listener: Listener): void {
    const room = listener.window - listener.underWay.length
    if (listener.reading || room <= 0) return
    listener.reading = true
    const { session, sent } = listener
    this.#opener.read(session.user!, sent, room, (page) => {
      listener.reading = false
      if (this.#listeners.get(session.link) !== listener) return
      // Without an answer, or gone back meanwhile: the page does not follow on.
      if (!page || listener.sent !== sent) {
        this.#readOn(listener)
        return
      }
      const entries = page.entries.filter(({ index }) => !listener.deleted.has(index))
      listener.deleted.clear()
      if (entries.length > 0) this.#push(listener, entries)
      const end = page.more ? (page.entries.at(-1)?.index ?? 0) : page.through
      listener.sent = Math.max(listener.sent, end)
      // What the feed showed beyond the page came while it was being read: read once more.
      listener.live = !page.more && this.#executor.base.index <= listener.sent
      if (!listener.live) this.#readOn(listener)
    })
  }
}
