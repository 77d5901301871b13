// The last heartbeats that a replica has heard of persistence replicas, over the main connections
// that are up. Checks use them to tell what the replica could have known.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Lane } from '../connection.js'
import type { Host } from '../host.js'
import type { Check } from './check.js'
import { PerBoot } from './per-boot.js'

/** Said to other persistence replicas, and to processing replicas. */
type Heartbeat = 'VIEW_HEARTBEAT' | 'STORE_HEARTBEAT'

export interface Neighbour<H extends Heartbeat> {
  readonly heartbeat: The<H>
  /** When the heartbeat came, virtual milliseconds. */
  readonly at: number
}

export class Neighbours<H extends Heartbeat> implements Check {
  readonly #type: H
  readonly #perBoot = new PerBoot(() => new Map<number, Neighbour<H>>())

  constructor(type: H) {
    this.#type = type
  }

  /** Heartbeats by slot. */
  of(host: Host): ReadonlyMap<number, Neighbour<H>> {
    return this.#perBoot.of(host)
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  linked(host: Host, peer: Host, lane: Lane): void {
    this.#forget(host, peer, lane)
  }

  unlinked(host: Host, peer: Host, lane: Lane): void {
    this.#forget(host, peer, lane)
  }

  #forget(host: Host, peer: Host, lane: Lane): void {
    if (peer.role !== 'persistence' || lane !== 'main') return
    this.#perBoot.of(host).delete(peer.slot)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type !== this.#type) return
    this.#perBoot.of(to).set(from.slot, { heartbeat: message as The<H>, at: to.steppedAt })
  }
}
