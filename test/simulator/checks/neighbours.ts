// The last heartbeats that a persistence replica has heard of the others of its tier, over the
// connections that are up. Checks use them to tell what the replica could have known.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Lane } from '../connection.js'
import type { Host } from '../host.js'
import type { Check } from './check.js'
import { PerBoot } from './per-boot.js'

export interface Neighbour {
  readonly heartbeat: The<'VIEW_HEARTBEAT'>
  /** When the heartbeat came, virtual milliseconds. */
  readonly at: number
}

export class Neighbours implements Check {
  readonly #perBoot = new PerBoot(() => new Map<number, Neighbour>())

  /** Heartbeats by slot. */
  of(host: Host): ReadonlyMap<number, Neighbour> {
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
    if (message.type !== 'VIEW_HEARTBEAT') return
    this.#perBoot.of(to).set(from.slot, { heartbeat: message, at: to.steppedAt })
  }
}
