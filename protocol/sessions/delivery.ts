// Delivery: pages of an inbox, and pushes to who listens. Each replica pushes from its own feed; a
// listener who falls behind loses pushes, not messages: it is read to from the log, from where it
// stopped. Texts are opened in workers and given out in log order.

import type { ErrorName } from '../errors.js'
import type { LinkId } from '../machine/machine.js'
import type { The } from '../messages/catalogue.js'
import type { Drop } from '../entries/drop.js'
import { decodeMeta, type Entry, type Meta } from '../entries/entry.js'
import type { Executor } from '../state/executor.js'
import type { Home } from '../processing/log-client.js'
import type { RingStanding } from '../processing/context.js'
import { streamKey } from '../state/ledger.js'
import type { Place } from '../envelope/header.js'
import type { Applied } from './log-waiters.js'
import type { Session } from './session.js'
import { refusal } from '../messages/refusal.js'
import { Turns } from '../fair-semaphore.js'

type InboxMessage = The<'PAGE'>['messages'][number]

const PAGE = 128
/** Pages being read here, of all clients together: log-ins ask the same replicas on the same lane. */
const PAGES_AT_ONCE = 4

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

export class Delivery {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #executor: Executor
  readonly #applied: Applied
  readonly #listeners = new Map<LinkId, Listener>()
  readonly #pages = new Turns(PAGES_AT_ONCE)

  constructor(standing: RingStanding, home: Home, executor: Executor, applied: Applied) {
    this.#s = standing
    this.#home = home
    this.#executor = executor
    this.#applied = applied
  }

  get listeners(): number {
    return this.#listeners.size
  }

  // ---- opening --------------------------------------------------------------------------------

  /** `then(null)`: it could not be tried just now. A text that does not open is another thing. */
  #open(
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
      then(this.#sealed(user, entries))
      return
    }
    const places = this.#places(user, entries)
    // Copies: the session's own are wiped at its end, and these may wait for a worker.
    const keys = privateKeys.map((key) => Uint8Array.from(key))
    const job = { kind: 'open', privateKeys: keys, envelopes, places } as const
    this.#s.outbox.compute(job, session.origin, (result) => {
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

  /** Their owner opens them itself. */
  #sealed(user: string, entries: readonly Entry[]): InboxMessage[] {
    return this.#places(user, entries).map((place, i) => {
      const { index, body } = entries[i]!
      return inboxMessage(index, place, { text: null, envelope: body })
    })
  }

  #places(recipient: string, entries: readonly Entry[]): Place[] {
    return entries.map(({ meta, time }) => {
      const { stream, seq } = decodeMeta(meta)
      const sender = this.#executor.base.stream(streamKey(stream))?.owner ?? ''
      return { sender, recipient, stream, seq, time }
    })
  }

  // ---- pages ----------------------------------------------------------------------------------

  /** The own log reaches as far as the page: who sent what, and which keys open it. */
  #read(
    user: string,
    after: number,
    limit: number,
    then: (page: The<'READ_PAGE'> | null) => void,
  ): void {
    this.#home.questions.read(user, after, limit, (page) => {
      if (page) this.#applied.through(page.through, () => then(page))
      else then(null)
    })
  }

  inbox(session: Session, message: The<'INBOX'>, done: () => void): void {
    this.#pages.take(session.origin, (over) =>
      this.#page(session, message, () => {
        over()
        done()
      }),
    )
  }

  #page(session: Session, message: The<'INBOX'>, done: () => void): void {
    const { request, after, limit, sealed } = message
    const { user } = session
    const refuse = (name: ErrorName, detail = ''): void => {
      this.#s.outbox.send(session.link, refusal(request, name, detail))
      done()
    }
    // It may have had to wait.
    if (!user) return refuse('NOT_LOGGED_IN')
    this.#read(user, after, Math.min(limit, PAGE), (page) => {
      if (!page) return refuse('NO_QUORUM')
      if (session.user !== user) return refuse('NOT_LOGGED_IN')
      const answer = (messages: InboxMessage[] | null): void => {
        if (!messages) return refuse('OVERLOADED', 'not opened')
        if (session.user !== user) return refuse('NOT_LOGGED_IN')
        const { more, through } = page
        // An empty page with more to come (limit 0) has shown nothing: read on from where it began.
        const next = page.entries.at(-1)?.index ?? (more ? after : Math.max(after, through))
        const cursor = this.#executor.base.marks.of(user).read
        this.#s.outbox.send(session.link, { type: 'PAGE', request, messages, next, more, cursor })
        done()
      }
      if (sealed) answer(this.#sealed(user, page.entries))
      else this.#open(session, page.entries, answer)
    })
  }

  // ---- pushes ---------------------------------------------------------------------------------

  listen(session: Session, message: The<'LISTEN'>): void {
    const after = message.after ?? this.#executor.base.marks.of(session.user!).read
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
    this.#s.outbox.send(session.link, { type: 'LISTENING', request: message.request, after })
    this.#wantBodies()
    this.#readOn(listener)
  }

  forget(link: LinkId): void {
    if (this.#listeners.delete(link)) this.#wantBodies()
  }

  /** The feed carries messages' bodies only while somebody here listens. */
  #wantBodies(): void {
    const wanted = this.#listeners.size > 0
    if (this.#home.bodies === wanted) return
    this.#home.bodies = wanted
    this.#home.follow()
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
    this.#open(listener.session, entries, (messages) => {
      if (!messages) return this.#backTo(listener, place, entries[0]!.index - 1)
      place.messages = messages
      while (listener.opening[0]?.messages) {
        const { messages: opened, without } = listener.opening.shift()!
        const ready = opened!.filter(({ index }) => !without.has(index))
        if (this.#listeners.get(listener.session.link) !== listener || ready.length === 0) continue
        this.#s.outbox.send(listener.session.link, { type: 'PUSH', messages: ready })
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
    this.#read(session.user!, sent, Math.min(room, PAGE), (page) => {
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

function inboxMessage(
  index: number,
  { sender: from, recipient: to, time, stream, seq }: Place,
  content: Pick<InboxMessage, 'text' | 'envelope'>,
): InboxMessage {
  return { index, from, to, time, stream, seq, ...content }
}
