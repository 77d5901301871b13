// State that the parts of a processing replica share: its role, the terms it knows and its links in
// the ring.

import type { Now } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Entropy } from '../entropy.js'
import type { Message, The } from '../messages/catalogue.js'
import {
  LOG_BOUNDS,
  type Limits,
  type ProcessingConfig,
  type Registration,
  type Timings,
} from '../machine/config.js'
import { Outbox } from '../machine/effects.js'
import type { TierPeer } from '../machine/tier-links.js'
import { WallClocks } from './wall-clocks.js'

export type Role = 'follower' | 'participant' | 'claimant' | 'coordinator'

/**
 * Parts of a claim's weight: clients have asked and left, clients are connected, connected clients
 * ask. Each is more than everything below it adds up to.
 */
export const WEIGHT_LEFT = 32
export const WEIGHT_CONNECTED = 64
export const WEIGHT_ASKING = 128

export class ProcessingContext {
  readonly self: Slot
  readonly slots: number
  readonly stores: number
  readonly boot: string
  readonly clusterId: string
  readonly historyId: string
  readonly entropy: Entropy
  readonly timings: Timings
  readonly limits: Limits
  readonly registration: Registration
  /** A replica that is more entries behind the log claims no term. */
  readonly near: number
  readonly outbox = new Outbox()
  readonly peers = new Map<Slot, TierPeer<The<'RING_HEARTBEAT'>>>()
  readonly clocks = new WallClocks(this)
  now: Now = { monotonic: 0, wall: 0 }
  role: Role = 'follower'
  /** The term that this replica coordinates; 0: none. */
  holds = 0
  /** Highest term seen in feed, messages and answers. */
  newestTerm = 0
  /**
   * Terms above `newestTerm` and up to this one do not exist, as a claim has shown: messages that
   * name them are not believed.
   */
  refuted = 0
  /** Clients connected to this replica, and when there was last one, monotonic ms. */
  #clients = 0
  #clientAt = -Infinity
  /** When a client last asked for something, monotonic ms. */
  #askedAt = -Infinity

  constructor(config: ProcessingConfig) {
    this.self = config.self
    this.slots = config.slots
    this.stores = config.stores
    this.boot = config.boot
    this.clusterId = config.clusterId
    this.historyId = config.historyId
    this.entropy = config.entropy
    this.timings = config.timings
    this.limits = config.limits
    this.registration = config.registration
    this.near = config.near ?? LOG_BOUNDS.near
  }

  /** Whether messages of the ring about `term` count: the term is not over, and not refuted. */
  believes(term: number): boolean {
    return term === this.newestTerm || (term > this.newestTerm && term > this.refuted)
  }

  hears(slot: Slot): boolean {
    const peer = this.peers.get(slot)
    return peer !== undefined && this.now.monotonic - peer.heard <= this.timings.suspect
  }

  /** L: this replica and all replicas that it hears. */
  get live(): Slot[] {
    const live: Slot[] = []
    for (let slot = 1; slot <= this.slots; slot++) {
      if (slot === this.self || this.hears(slot)) live.push(slot)
    }
    return live
  }

  clientLinked(): void {
    this.#clients++
    this.#clientAt = this.now.monotonic
  }

  clientLost(): void {
    this.#clients--
    this.#clientAt = this.now.monotonic
  }

  /**
   * Called for requests that need an order. A request that is refused here, or only reads, needs no
   * coordinator.
   */
  clientAsked(): void {
    this.#askedAt = this.now.monotonic
  }

  /**
   * A client is connected, or was just now: a client that is refused disconnects and comes back.
   */
  get hasClients(): boolean {
    return this.#clients > 0 || this.now.monotonic - this.#clientAt <= this.timings.suspect
  }

  /**
   * Weight of a claim against the lease of another replica: the live replicas linked here, and
   * above all whether clients are connected here and ask. A coordinator that no client reaches
   * gives way. Clients that have just left may come back; they weigh less than connected ones.
   */
  get weight(): number {
    const asked = this.now.monotonic - this.#askedAt <= this.timings.coordinatorPatience
    const connected = asked ? WEIGHT_ASKING : WEIGHT_CONNECTED
    const gone = asked ? WEIGHT_LEFT : 0
    const clients = this.hasClients ? connected : gone
    return this.live.length + clients
  }

  /** The next slot of the ring with a live link. */
  get successor(): Slot | undefined {
    for (let step = 1; step < this.slots; step++) {
      const slot = ((this.self - 1 + step) % this.slots) + 1
      if (this.hears(slot)) return slot
    }
    return undefined
  }

  send(slot: Slot, message: Message): void {
    const peer = this.peers.get(slot)
    if (peer) this.outbox.send(peer.link, message)
  }

  broadcast(message: Message): void {
    for (const peer of this.peers.values()) this.outbox.send(peer.link, message)
  }

  /** 0 <= x < 1. */
  random(): number {
    return Buffer.from(this.entropy(4)).readUInt32BE(0) / 2 ** 32
  }

  nonce(): string {
    return Buffer.from(this.entropy(8)).toString('hex')
  }
}
