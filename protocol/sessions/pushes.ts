// Pushes to clients that listen. Each replica pushes from its own feed. A listener that falls
// behind loses pushes, not messages: pages of its mailbox are read and pushed until it has caught
// up. Texts are opened in workers and pushed in log order.

import { names, type Drop } from '../entries/drop.js'
import type { Entry } from '../entries/entry.js'
import { envelopeOf } from '../entries/message.js'
import type { LinkId } from '../machine/machine.js'
import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import type { LogClient } from '../processing/log-client.js'
import type { Executor } from '../state/executor.js'
import type { InboxMessage, MessageOpener, Openable } from './opener.js'
import type { RequestContext, Subscriptions } from './request-context.js'
import type { Session } from './session.js'

interface Listener {
  readonly session: Session
  /** Everything through this index has been pushed or is being opened. */
  sent: number
  acknowledged: number
  readonly window: number
  /** Unacknowledged messages, by index, in order. */
  readonly underWay: number[]
  /** True: pushes come from the feed; false: pages are read until the listener has caught up. */
  live: boolean
  reading: boolean
  /** Erasures while a page is read: the page may be from before them. */
  readonly dropped: Drop[]
  /** Pushes being opened, in log order: they leave in this order, however the workers finish. */
  readonly opening: Opening[]
}

interface Opening {
  /** null: not opened yet. */
  messages: InboxMessage[] | null
  /**
   * Erasures since. `underWay` does not tell what they name here: a page or another device may have
   * shown and acknowledged messages that are still being opened.
   */
  readonly dropped: Drop[]
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
      window: message.window,
      underWay: [],
      live: false,
      reading: false,
      dropped: [],
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

  /** The feed carries the bodies of messages only while a client here listens. */
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

  /** New messages of the committed log, in order, from one stretch of the feed. */
  arrived(entries: readonly Entry[]): void {
    if (this.#listeners.size === 0) return
    for (const listener of this.#listeners.values()) {
      const { user } = listener.session
      const mine = entries.filter(
        ({ meta, index }) => meta.mailbox === user && index > listener.sent,
      )
      if (mine.length === 0 || !listener.live) continue
      const room = listener.window - listener.underWay.length
      if (mine.length > room || mine.some(({ body }) => body.length === 0)) {
        listener.live = false
        this.#readOn(listener)
        continue
      }
      this.#push(
        listener,
        mine.map((entry) => ({ ...entry, envelope: envelopeOf(entry) })),
      )
    }
  }

  /** Deleted messages that have not been pushed yet are not pushed any more. */
  dropped(drop: Drop): void {
    for (const listener of this.#listeners.values()) {
      if (listener.session.user !== drop.mailbox) continue
      for (const { dropped } of listener.opening) dropped.push(drop)
      if (listener.reading) listener.dropped.push(drop)
      const left = listener.underWay.filter((index) => !names(drop, index))
      listener.underWay.splice(0, Infinity, ...left)
      if (!listener.live) this.#readOn(listener)
    }
  }

  #push(listener: Listener, stored: readonly Openable[]): void {
    for (const { index } of stored) listener.underWay.push(index)
    listener.sent = stored.at(-1)?.index ?? listener.sent
    const place: Opening = { messages: null, dropped: [] }
    listener.opening.push(place)
    this.#opener.open(listener.session, stored, (messages) => {
      if (!messages) return this.#backTo(listener, place, stored[0]!.index - 1)
      place.messages = messages
      while (listener.opening[0]?.messages) {
        const { messages: opened, dropped } = listener.opening.shift()!
        const ready = opened!.filter(({ index }) => !dropped.some((drop) => names(drop, index)))
        if (this.#listeners.get(listener.session.link) !== listener || ready.length === 0) continue
        this.#context.outbox.send(listener.session.link, { type: 'PUSH', messages: ready })
      }
    })
  }

  /**
   * Pushes after `sent` did not happen: pages from there on are read, also for later pushes in
   * `opening`.
   */
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

  /**
   * Reads a page for a listener that is behind, until the log has no more than the feed has shown.
   */
  #readOn(listener: Listener): void {
    const room = listener.window - listener.underWay.length
    if (listener.reading || room <= 0) return
    listener.reading = true
    const { session, sent } = listener
    this.#opener.read(session.user!, sent, room, (page) => {
      listener.reading = false
      if (this.#listeners.get(session.link) !== listener) return
      // Without a page, or after a return to an earlier index meanwhile, the page does not follow.
      if (!page || listener.sent !== sent) {
        this.#readOn(listener)
        return
      }
      const { dropped } = listener
      const stored = page.stored.filter(({ index }) => !dropped.some((drop) => names(drop, index)))
      listener.dropped.length = 0
      if (stored.length > 0) this.#push(listener, stored)
      const end = page.more ? (page.stored.at(-1)?.index ?? 0) : page.through
      listener.sent = Math.max(listener.sent, end)
      // The feed showed entries beyond the page while it was read: another page is read.
      listener.live = !page.more && this.#executor.base.index <= listener.sent
      if (!listener.live) this.#readOn(listener)
    })
  }
}
