// FEED: processing replicas follow the committed log, each with a bounded number of unacknowledged
// entries. A follower that is behind the entries in memory is served from the file.

import type { LinkId } from '../machine/machine.js'
import type { The } from '../messages/catalogue.js'
import type { PersistenceContext } from './context.js'
import { KIND, type Entry } from '../entries/entry.js'
import { stretch } from './pull.js'

const WINDOW_ENTRIES = 4_096
const NO_BODY = new Uint8Array(0)

interface Follower {
  sent: number
  acknowledged: number
  readonly bodies: boolean
  reading: boolean
}

export class Feeds {
  readonly #context: PersistenceContext
  readonly #followers = new Map<LinkId, Follower>()

  constructor(context: PersistenceContext) {
    this.#context = context
  }

  get followers(): number {
    return this.#followers.size
  }

  onFeed(link: LinkId, message: The<'FEED'>): void {
    const follower = this.#followers.get(link)
    if (message.start) {
      const { after, bodies } = message
      this.#followers.set(link, { sent: after, acknowledged: after, bodies, reading: false })
    } else if (follower) {
      follower.acknowledged = Math.max(follower.acknowledged, message.after)
    }
    this.pump()
  }

  forget(link: LinkId): void {
    this.#followers.delete(link)
  }

  /** Sends committed entries that are not sent yet, as far as each follower's window allows. */
  pump(): void {
    for (const [link, follower] of this.#followers) this.#serve(link, follower)
  }

  #serve(link: LinkId, follower: Follower): void {
    const { log } = this.#context
    while (!follower.reading && follower.sent < log.commit) {
      const room = WINDOW_ENTRIES - (follower.sent - follower.acknowledged)
      if (room <= 0) return
      if (follower.sent + 1 < log.first) {
        this.#readOn(link, follower)
        return
      }
      const limit = Math.min(room, this.#context.bounds.stretch, log.commit - follower.sent)
      this.#send(
        link,
        follower,
        stretch(log.after(follower.sent, limit), this.#context.bounds.frameBytes),
      )
    }
  }

  #readOn(link: LinkId, follower: Follower): void {
    follower.reading = true
    const query = {
      kind: 'entries',
      after: follower.sent,
      limit: this.#context.bounds.stretch,
      maxBytes: this.#context.bounds.frameBytes,
    } as const
    this.#context.outbox.read(query, (result) => {
      follower.reading = false
      if (this.#followers.get(link) !== follower || result.kind !== 'entries') return
      const committed = result.entries.filter((entry) => entry.index <= this.#context.log.commit)
      this.#send(link, follower, stretch(committed, this.#context.bounds.frameBytes))
      this.#serve(link, follower)
    })
  }

  #send(link: LinkId, follower: Follower, entries: readonly Entry[]): void {
    const last = entries.at(-1)
    if (!last) return
    follower.sent = last.index
    const sent = follower.bodies
      ? entries
      : entries.map((e) => (e.meta[0] === KIND.message ? { ...e, body: NO_BODY } : e))
    const bodyBytes = entries.map(({ body }) => body.length)
    this.#context.outbox.send(link, { type: 'ENTRIES', entries: sent, bodyBytes })
  }
}
