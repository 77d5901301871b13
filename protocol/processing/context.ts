// Where a processing replica stands: its role, the terms it knows and its links in the ring. The
// parts of the replica share this.

import type { Now } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Entropy } from '../entropy.js'
import type { Message, The } from '../messages/catalogue.js'
import type { Limits, ProcessingConfig, Registration, Timings } from '../machine/config.js'
import { Outbox } from '../machine/effects.js'
import type { TierPeer } from '../machine/tier-links.js'

export type Role = 'follower' | 'participant' | 'claimant' | 'coordinator'

/** Clients that asked have left; some are there; they ask. Each weighs more than all that comes below it. */
export const WEIGHT_LEFT = 32
export const WEIGHT_CONNECTED = 64
export const WEIGHT_ASKING = 128

export class ProcessingContext {
  readonly self: Slot
  readonly slots: number
  readonly stores: number
  readonly boot: string
  readonly clusterId: string
  readonly entropy: Entropy
  readonly timings: Timings
  readonly limits: Limits
  readonly registration: Registration
  readonly outbox = new Outbox()
  readonly peers = new Map<Slot, TierPeer<The<'RING_HEARTBEAT'>>>()
  now: Now = { monotonic: 0, wall: 0 }
  role: Role = 'follower'
  /** The term that this replica coordinates; 0: none. */
  holds = 0
  /** Highest term seen in feed, messages and answers. */
  newestTerm = 0
  /** A claim has shown that there is no such term yet: what is said of any up to here is hearsay. */
  refuted = 0
  /** Clients connected here, and when there was last one, monotonic ms. */
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
    this.entropy = config.entropy
    this.timings = config.timings
    this.limits = config.limits
    this.registration = config.registration
  }

  /** Whether what the ring says in this term counts: it is not over, and nothing shows it a lie. */
  believes(term: number): boolean {
    return term === this.newestTerm || (term > this.newestTerm && term > this.refuted)
  }

  hears(slot: Slot): boolean {
    const peer = this.peers.get(slot)
    return peer !== undefined && this.now.monotonic - peer.heard <= this.timings.suspect
  }

  /** L: this replica and all that it hears. */
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

  /** For something that takes an order: what is refused here, or read, needs no coordinator. */
  clientAsked(): void {
    this.#askedAt = this.now.monotonic
  }

  /** A client is connected, or was just now: one that is refused comes and goes. */
  get hasClients(): boolean {
    return this.#clients > 0 || this.now.monotonic - this.#clientAt <= this.timings.suspect
  }

  /**
   * What a claim weighs against the lease of another: the replicas linked here, and above all
   * whether any client is, and has something to be ordered. A coordinator whom no client reaches gives way.
   * Those that have just left may come back, and weigh less than any who are there.
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
