// The links and heartbeats of a processing replica in its ring: which replicas are linked, what
// their heartbeats say, and what this replica says of itself.

import type { LinkId, Peer } from '../machine/machine.js'
import { TierLinks } from '../machine/tier-links.js'
import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { Leadership } from '../processing/leadership.js'
import type { LogClient } from '../processing/log-client.js'
import type { PendingRequests } from '../processing/pending-requests.js'
import { LEAD_MS } from '../processing/wall-clocks.js'
import type { Slot } from '../slots.js'
import type { Executor } from '../state/executor.js'

export interface RingMemberParts {
  readonly context: ProcessingContext
  readonly log: LogClient
  readonly executor: Executor
  readonly requests: PendingRequests
  readonly leadership: Leadership
  readonly coordinator: Coordinator
}

export class RingMember {
  readonly #context: ProcessingContext
  readonly #log: LogClient
  readonly #executor: Executor
  readonly #requests: PendingRequests
  readonly #leadership: Leadership
  readonly #coordinator: Coordinator
  readonly #links: TierLinks<The<'RING_HEARTBEAT'>>
  #lastHeartbeat = -Infinity
  /** What the last heartbeat said that others act on. */
  #said = ''

  constructor(parts: RingMemberParts) {
    this.#context = parts.context
    this.#log = parts.log
    this.#executor = parts.executor
    this.#requests = parts.requests
    this.#leadership = parts.leadership
    this.#coordinator = parts.coordinator
    this.#links = new TierLinks(parts.context)
  }

  linkUp(link: LinkId, peer: Exclude<Peer, { readonly role: 'client' }>): void {
    if (peer.lane !== 'main') return
    const old = this.#context.peers.get(peer.slot)
    if (old) this.lose(old.link)
    this.#links.up(link, peer.slot, peer.boot)
    this.#context.send(peer.slot, this.#heartbeat())
    if (this.#context.role === 'coordinator') this.#coordinator.linked(peer.slot)
  }

  /** The link is gone, or given up. */
  lose(link: LinkId): void {
    const slot = this.#links.down(link)
    if (slot === undefined) return
    this.#context.clocks.forget(slot)
    this.#requests.lostCoordinator(slot)
    if (this.#context.role === 'coordinator') this.#coordinator.lost(slot)
    this.#leadership.linkLost()
  }

  /** The slot whose link it is now; undefined: no slot's, and its frames are ignored. */
  slotOf(link: LinkId): Slot | undefined {
    return this.#links.current(link)
  }

  /** A valid frame came from the replica. */
  heard(slot: Slot): void {
    this.#context.peers.get(slot)!.heard = this.#context.now.monotonic
  }

  onHeartbeat(slot: Slot, message: The<'RING_HEARTBEAT'>): void {
    this.#context.peers.get(slot)!.heartbeat = message
    this.#context.clocks.hear(slot, message.wall)
    if (this.#context.believes(message.newestTerm)) this.#leadership.seeTerm(message.newestTerm)
    this.#leadership.maintain()
  }

  /** Gives up silent replicas. */
  watch(): void {
    if (this.#links.tick()) this.#log.freshen()
    for (const link of this.#links.silent) {
      const peer = this.#links.current(link)!
      this.#context.outbox.close(link, 'silent')
      this.lose(link)
      this.#context.outbox.log('warn', 'peer-silent', { peer })
    }
  }

  /** Says a heartbeat if one is due. */
  tick(): void {
    const { clocks, now, outbox, timings } = this.#context
    if (clocks.lead > LEAD_MS && clocks.warns)
      outbox.log('error', 'clock-ahead', { leadMs: Math.round(clocks.lead) })
    if (now.monotonic - this.#lastHeartbeat >= timings.heartbeat) this.#sayHeartbeats()
  }

  /** Says a heartbeat at once where something changed that others act on. */
  settle(): void {
    const vouched = this.#leadership.vouched.slot
    const { role, holds } = this.#context
    const said = `${role} ${holds} ${vouched} ${this.#log.serves}`
    if (said === this.#said) return
    this.#said = said
    this.#sayHeartbeats()
  }

  #heartbeat(): The<'RING_HEARTBEAT'> {
    const { holds, newestTerm, role, now } = this.#context
    const { slot: vouchesFor, term: vouchedTerm } = this.#leadership.vouched
    return {
      type: 'RING_HEARTBEAT',
      ...{ holds, newestTerm, vouchesFor, vouchedTerm, role },
      applied: this.#executor.applied,
      wall: now.wall,
    }
  }

  #sayHeartbeats(): void {
    this.#lastHeartbeat = this.#context.now.monotonic
    this.#context.broadcast(this.#heartbeat())
    this.#log.sayHeartbeats()
  }
}
