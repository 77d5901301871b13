// The log service, seen from the persistence tier: processing replicas use CLAIM, APPEND, FEED and
// READ (messages/log-service.ts), and hear the state of this replica by heartbeats.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Message, The } from '../messages/catalogue.js'
import { whyInvalid } from '../messages/validate.js'
import type { PersistenceContext } from './context.js'
import { claimed } from './admission.js'
import type { Appender } from './appender.js'
import type { Feeds } from './feed.js'
import type { Leases } from './lease.js'
import type { Reads } from './reads.js'

interface LogServiceClient {
  readonly slot: Slot
  readonly boot: string
  readonly lane: 'main' | 'bulk'
  /** When a frame last came, monotonic ms. */
  heard: number
}

export class LogService {
  readonly #context: PersistenceContext
  readonly #leases: Leases
  readonly #appender: Appender
  readonly #feeds: Feeds
  readonly #reads: Reads
  readonly #clients = new Map<LinkId, LogServiceClient>()

  constructor(
    context: PersistenceContext,
    leases: Leases,
    appender: Appender,
    feeds: Feeds,
    reads: Reads,
  ) {
    this.#context = context
    this.#leases = leases
    this.#appender = appender
    this.#feeds = feeds
    this.#reads = reads
  }

  owns(link: LinkId): boolean {
    return this.#clients.has(link)
  }

  linkUp(link: LinkId, slot: Slot, boot: string, lane: 'main' | 'bulk'): void {
    this.#clients.set(link, { slot, boot, lane, heard: this.#context.now.monotonic })
    if (lane === 'main') this.#sayHeartbeat(link)
  }

  linkDown(link: LinkId): void {
    this.#clients.delete(link)
    this.#leases.forget(link)
    this.#feeds.forget(link)
    this.#reads.forget(link)
    this.#appender.queue.forget(link)
  }

  /** Processing replicas heard within the bound, over the link that they write by. */
  get heard(): Slot[] {
    const { now, timings } = this.#context
    const slots = new Set<Slot>()
    for (const { slot, lane, heard } of this.#clients.values()) {
      if (lane === 'main' && now.monotonic - heard <= timings.suspect) slots.add(slot)
    }
    return [...slots].sort((a, b) => a - b)
  }

  sayHeartbeats(): void {
    for (const [link, { lane }] of this.#clients) if (lane === 'main') this.#sayHeartbeat(link)
  }

  #sayHeartbeat(link: LinkId): void {
    const { log } = this.#context
    this.#context.outbox.send(link, {
      type: 'STORE_HEARTBEAT',
      status: this.#context.status,
      epoch: this.#context.epoch,
      members: this.#context.memberSlots,
      last: log.last,
      committed: log.commit,
      lamport: this.#context.clock.now,
      reaches: this.#context.reached,
      hears: this.heard,
      full: this.#context.full,
    })
  }

  /** Appends are queued in a view and while it is being changed, not outside. */
  get #takes(): boolean {
    const { status } = this.#context
    return (status === 'normal' || status === 'changing') && !this.#appender.draining
  }

  onMessage(link: LinkId, message: Message): void {
    const writer = this.#clients.get(link)!
    const invalid = whyInvalid(message, writer.slot)
    if (invalid !== null) {
      this.#context.outbox.distrust(link, writer.slot, invalid)
      return
    }
    writer.heard = this.#context.now.monotonic
    switch (message.type) {
      case 'HOME_HEARTBEAT':
        this.#leases.hear(link, writer.slot, writer.boot, message)
        return
      case 'CLAIM':
        this.#onClaim(link, message)
        return
      case 'APPEND':
        this.#onAppend(link, message)
        return
      case 'FEED':
        this.#feeds.onFeed(link, message)
        return
      case 'READ':
        this.#reads.add({ kind: 'page', link, message })
        return
      case 'SEEK':
        this.#onSeek(link, message)
        return
      case 'TIP':
        this.#reads.add({ kind: 'tip', link, request: message.request })
        return
      default:
        this.#context.outbox.close(link, `${message.type} does not belong on this connection`)
    }
  }

  #onSeek(link: LinkId, { request, time }: The<'SEEK'>): void {
    const { outbox, log } = this.#context
    outbox.read({ kind: 'time', time }, (result) => {
      if (result.kind !== 'time') return outbox.send(link, { type: 'NOT_YET', request })
      outbox.send(link, { type: 'SEEK_IS', request, index: Math.min(result.index, log.commit) })
    })
  }

  #onClaim(link: LinkId, message: The<'CLAIM'>): void {
    const { slot, boot } = this.#clients.get(link)!
    const { nonce, expected, weight } = message
    const from = { link, slot, boot, since: this.#context.now.monotonic }
    const claim = { kind: 'claim', ...from, nonce, expected, weight } as const
    if (this.#takes && this.#appender.queue.add(claim)) return
    this.#context.outbox.send(link, claimed(claim, 'not-serving', this.#context.log))
  }

  #onAppend(link: LinkId, message: The<'APPEND'>): void {
    const { slot, boot } = this.#clients.get(link)!
    const { id, term, k, time, head, bodies } = message
    const from = { link, slot, boot, since: this.#context.now.monotonic }
    const contents = { head, bodies }
    const order = { kind: 'order', ...from, id, term, k, time, contents } as const
    if (this.#takes && this.#appender.queue.add(order)) return
    const reason = this.#context.full ? 'full' : this.#takes ? 'overloaded' : 'not-serving'
    this.#context.outbox.send(link, { type: 'NOT_APPENDED', id, reason })
  }
}
