// Commands on their way into an order: those of this replica's own clients, and those that other
// replicas forward. A command refused here has no place in any order, and its sender is told so.

import type { ErrorName } from '../errors.js'
import { MAX_GROUP } from '../schema/shared.js'
import type { Slot } from '../slots.js'
import type { ClientCommand, Command } from '../state/commands/registry.js'
import type { ProcessingContext } from './context.js'
import type { Coordinator } from './coordinator.js'
import { ForwardedCommands } from './forwarded-commands.js'
import type { Leadership } from './leadership.js'
import type { LogClient } from './log-client.js'
import type { PendingRequests, RejectionReason, RequestOutcome } from './pending-requests.js'

export interface Refusal {
  readonly name: Extract<ErrorName, 'NOT_READY' | 'NO_QUORUM' | 'OVERLOADED' | 'STORAGE_FULL'>
  readonly detail: string
}

export class Submission {
  readonly #context: ProcessingContext
  readonly #log: LogClient
  readonly #requests: PendingRequests
  readonly #leadership: Leadership
  readonly #coordinator: Coordinator
  readonly #forwarded = new ForwardedCommands()
  #nextRequest = 0

  constructor(
    context: ProcessingContext,
    log: LogClient,
    requests: PendingRequests,
    leadership: Leadership,
    coordinator: Coordinator,
  ) {
    this.#context = context
    this.#log = log
    this.#requests = requests
    this.#leadership = leadership
    this.#coordinator = coordinator
  }

  /**
   * null: the command is on its way, and `outcome` tells the result. `connected`: the client is
   * still there; a command whose client has left does not show where clients are.
   */
  submit(request: ClientCommand, connected: boolean, outcome: RequestOutcome): Refusal | null {
    const { coordinator } = this.#leadership
    const { boot, self } = this.#context
    const id = ++this.#nextRequest
    const command = { ...request, origin: { slot: self, boot, id } } as Command
    // No replica can store the command, so it adds no weight.
    if (this.#log.full) return { name: 'STORAGE_FULL', detail: '' }
    if (connected) this.#context.clientAsked()
    if (!this.#log.quorate) return { name: 'NO_QUORUM', detail: this.#reachedReplicas }
    if (coordinator === 0) return { name: 'NOT_READY', detail: this.#reachedReplicas }
    if (coordinator === self) {
      if (!this.#coordinator.submit(command)) return { name: 'OVERLOADED', detail: '' }
    } else if (this.#context.peers.has(coordinator)) {
      this.#context.send(coordinator, { type: 'FORWARD', commands: [command] })
    } else {
      return { name: 'NOT_READY', detail: this.#reachedReplicas }
    }
    this.#requests.add(command, coordinator, outcome)
    return null
  }

  get #reachedReplicas(): string {
    const { stores } = this.#context
    const { reached } = this.#log
    const names = reached.map((slot) => `s${slot}`).join(', ') || 'none'
    const needed = Math.floor(stores / 2) + 1
    return `${reached.length} of ${stores} persistence replicas reachable: ${names}; ${needed} needed`
  }

  onForward(from: Slot, commands: readonly Command[]): void {
    const coordinates = this.#context.role === 'coordinator'
    const refused = this.#forwarded
      .fresh(commands)
      .filter((command) => !coordinates || !this.#coordinator.submit(command))
    this.#reject(from, refused, coordinates ? 'overloaded' : 'not-coordinator')
  }

  /** This replica coordinates no more: no queued command had a place in an order yet. */
  stopped(): void {
    const { self, slots } = this.#context
    const queued = this.#coordinator.end()
    for (let slot = 1; slot <= slots; slot++) {
      const commands = queued.filter(({ origin }) => origin.slot === slot)
      this.#reject(slot, commands, 'not-coordinator')
    }
    this.#requests.lostCoordinator(self)
  }

  #reject(slot: Slot, commands: readonly Command[], reason: RejectionReason): void {
    const ids = commands.map(({ origin }) => origin.id)
    if (slot === this.#context.self) return this.#requests.rejected(ids, reason)
    for (let from = 0; from < ids.length; from += MAX_GROUP) {
      const requests = ids.slice(from, from + MAX_GROUP)
      this.#context.send(slot, { type: 'REJECTED', requests, reason })
    }
  }
}
