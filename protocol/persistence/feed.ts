// FEED: processing replicas follow the committed log, each with a bounded number of unacknowledged
// entries. A follower for which no client waits gets what was committed between two ticks in one
// go. A follower that is behind the entries in memory is served from the file. A place that is not in
// the committed log is not followed: the follower's state is of another log.

import type { LinkId } from '../machine/machine.js'
import type { The } from '../messages/catalogue.js'
import type { PersistenceContext } from './context.js'
import { lastOf, withoutMessages, type Batch } from '../entries/batch.js'
import { sameBytes } from '../bytes.js'
import type { Place } from '../entries/place.js'
import { stretch } from './frames.js'

const WINDOW_ENTRIES = 4_096

interface Follower {
  sent: number
  acknowledged: number
  readonly bodies: boolean
  urgent: boolean
  reading: boolean
  /** The place that it begins at; null: the committed log has that place. */
  unplaced: Place | null
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

  /** A follower waits for each batch. */
  get urgent(): boolean {
    return [...this.#followers.values()].some(({ urgent }) => urgent)
  }

  /** Every follower has been sent all that is committed. */
  get idle(): boolean {
    const { commit } = this.#context.log
    return [...this.#followers.values()].every(({ sent }) => sent >= commit)
  }

  onFeed(link: LinkId, message: The<'FEED'>): void {
    const { after, chain, bodies, urgent, step } = message
    if (step === 'end') this.forget(link)
    if (step === 'begin') {
      this.#followers.set(link, {
        sent: after,
        acknowledged: after,
        bodies,
        urgent,
        reading: false,
        unplaced: { index: after, chain },
      })
    }
    const follower = this.#followers.get(link)
    if (!follower) return
    follower.urgent = urgent
    follower.acknowledged = Math.max(follower.acknowledged, after)
    this.#serve(link, follower)
  }

  forget(link: LinkId): void {
    this.#followers.delete(link)
  }

  /** Sends urgent followers what is committed, as far as each follower's window allows. */
  pump(): void {
    for (const [link, follower] of this.#followers) if (follower.urgent) this.#serve(link, follower)
  }

  tick(): void {
    for (const [link, follower] of this.#followers) this.#serve(link, follower)
  }

  #serve(link: LinkId, follower: Follower): void {
    const { log } = this.#context
    if (follower.unplaced) {
      this.#place(link, follower, follower.unplaced)
      return
    }
    while (!follower.reading && follower.sent < log.commit) {
      const room = WINDOW_ENTRIES - (follower.sent - follower.acknowledged)
      if (room <= 0) return
      if (follower.sent + 1 < log.first) {
        this.#readOn(link, follower)
        return
      }
      this.#send(link, follower, log.after(follower.sent))
    }
  }

  #place(link: LinkId, follower: Follower, place: Place): void {
    const { log, outbox } = this.#context
    if (follower.reading || place.index > log.commit) return
    const held = log.has(place)
    if (held !== undefined) {
      this.#placed(link, follower, place, held)
      return
    }
    follower.reading = true
    outbox.read({ kind: 'places', indices: [place.index] }, (result) => {
      follower.reading = false
      if (this.#followers.get(link) !== follower || result.kind !== 'places') return
      const [found] = result.places
      this.#placed(link, follower, place, !!found && sameBytes(found.chain, place.chain))
    })
  }

  #placed(link: LinkId, follower: Follower, { index: after }: Place, held: boolean): void {
    this.#context.outbox.send(link, { type: 'PLACED', after, held })
    if (!held) {
      this.#followers.delete(link)
      return
    }
    follower.unplaced = null
    this.#serve(link, follower)
  }

  #readOn(link: LinkId, follower: Follower): void {
    follower.reading = true
    const query = {
      kind: 'batches',
      after: follower.sent,
      limit: this.#context.bounds.stretch,
      maxBytes: this.#context.bounds.frameBytes,
      lean: !follower.bodies,
    } as const
    this.#context.outbox.read(query, (result) => {
      follower.reading = false
      if (this.#followers.get(link) !== follower || result.kind !== 'batches') return
      this.#send(link, follower, result.batches)
      this.#serve(link, follower)
    })
  }

  /** The first of the batches that are committed, as many as fit one frame. */
  #send(link: LinkId, follower: Follower, batches: readonly Batch[]): void {
    const { log, bounds } = this.#context
    const committed = batches.filter((batch) => lastOf(batch) <= log.commit)
    const sent = stretch(committed, { entries: bounds.stretch, bytes: bounds.frameBytes })
    const end = sent.at(-1)
    if (!end) return
    follower.sent = lastOf(end)
    this.#context.outbox.send(link, {
      type: 'BATCHES',
      batches: follower.bodies ? sent : sent.map(withoutMessages),
    })
  }
}
