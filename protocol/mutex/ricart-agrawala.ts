// Ricart & Agrawala 1981, with the kept permissions of Roucairol & Carvalho 1983, inside one view.
// Exclusion (P1) comes from every pair of members comparing directly: a majority is not enough. The
// caller handles epochs and connections.

import { invariant } from '../assert.js'
import type { Slot } from '../slots.js'

export interface TurnPort {
  sendRequest(to: Slot, stamp: number): void
  sendReply(to: Slot, stamp: number): void
}

export class Turn {
  readonly #self: Slot
  readonly #port: TurnPort
  #others: readonly Slot[] = []
  #holding = false
  /** Stamp of the own request, while wanting. */
  #wanting: number | null = null
  #permissions = new Set<Slot>()
  #outstanding = new Set<Slot>()
  #deferredReplies = new Map<Slot, number>()

  constructor(self: Slot, port: TurnPort) {
    this.#self = self
    this.#port = port
  }

  /** A new view: no member holds a permission. */
  install(others: readonly Slot[]): void {
    this.#others = others
    this.#holding = false
    this.#wanting = null
    this.#permissions.clear()
    this.#outstanding.clear()
    this.#deferredReplies.clear()
  }

  get holding(): boolean {
    return this.#holding
  }

  get wanting(): boolean {
    return this.#wanting !== null
  }

  /** A member waits for this replica to leave the turn. */
  get awaited(): boolean {
    return this.#deferredReplies.size > 0
  }

  /** Members whose permission is asked for and missing. */
  get missing(): readonly Slot[] {
    return [...this.#outstanding]
  }

  /** Asks for the turn under `stamp`. With every permission kept, the turn is held at once. */
  request(stamp: number): void {
    invariant(!this.#holding && this.#wanting === null, 'P1: asked for the turn twice')
    this.#wanting = stamp
    for (const other of this.#others) {
      if (this.#permissions.has(other)) continue
      this.#outstanding.add(other)
      this.#port.sendRequest(other, stamp)
    }
    this.#enterIfComplete()
  }

  onRequest(from: Slot, stamp: number): void {
    const mine = this.#wanting
    const first = mine !== null && (mine < stamp || (mine === stamp && this.#self < from))
    if (this.#holding || first) {
      const known = this.#deferredReplies.get(from) ?? 0
      this.#deferredReplies.set(from, Math.max(known, stamp))
      return
    }
    this.#give(from, stamp)
  }

  /** True: the reply was outstanding. A reply to another stamp does not count. */
  onReply(from: Slot, stamp: number): boolean {
    if (this.#wanting !== stamp || !this.#outstanding.delete(from)) return false
    this.#permissions.add(from)
    this.#enterIfComplete()
    return true
  }

  /** Ends the turn and answers the deferred requests. */
  leave(): void {
    invariant(this.#holding, 'P1: left a turn that was not held')
    this.#holding = false
    const deferred = [...this.#deferredReplies]
    this.#deferredReplies.clear()
    for (const [peer, stamp] of deferred) this.#give(peer, stamp)
  }

  /** A new connection to a peer: a request made on the old one is sent again. */
  reconnected(peer: Slot): void {
    this.#deferredReplies.delete(peer)
    if (this.#wanting !== null && this.#outstanding.has(peer)) {
      this.#port.sendRequest(peer, this.#wanting)
    }
  }

  #give(peer: Slot, stamp: number): void {
    const gave = this.#permissions.delete(peer)
    this.#port.sendReply(peer, stamp)
    if (gave && this.#wanting !== null) {
      this.#outstanding.add(peer)
      this.#port.sendRequest(peer, this.#wanting)
    }
  }

  #enterIfComplete(): void {
    if (this.#wanting === null || this.#outstanding.size > 0) return
    this.#wanting = null
    this.#holding = true
  }
}
