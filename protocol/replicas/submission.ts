// Commands of a replica's own clients, on their way to the coordinator, and those that other replicas
// pass on to it. What is refused here has no place in any order, and that is said.

import type { Slot } from '../slots.js'
import type { Entry, Meta } from '../entries/entry.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { Command } from '../state/decision.js'
import type { Home } from '../processing/log-client.js'
import type { Leadership } from '../processing/leadership.js'
import { Passed } from '../processing/forwarded.js'
import type { Requests } from '../processing/pending-requests.js'
import type { RingStanding } from '../processing/context.js'
import type { Session } from '../sessions/session.js'
import { refusal } from '../messages/refusal.js'
import type { Asked, Sessions } from '../sessions/session-router.js'

export interface CommandingParts {
  readonly standing: RingStanding
  readonly home: Home
  readonly requests: Requests
  readonly leadership: Leadership
  readonly coordinator: Coordinator
  readonly sessions: Sessions
}

export class Commanding {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #requests: Requests
  readonly #leadership: Leadership
  readonly #coordinator: Coordinator
  readonly #sessions: Sessions
  readonly #passed = new Passed()
  #nextRequest = 0

  constructor(parts: CommandingParts) {
    this.#s = parts.standing
    this.#home = parts.home
    this.#requests = parts.requests
    this.#leadership = parts.leadership
    this.#coordinator = parts.coordinator
    this.#sessions = parts.sessions
  }

  /** `placed`: it has a place in an order, which may come to nothing yet. */
  submit(
    session: Session,
    request: number,
    asked: Asked,
    answer: (entry: Entry, meta: Meta) => void,
    placed: () => void = () => {},
  ): void {
    const { coordinator } = this.#leadership
    const { boot, self } = this.#s
    const id = ++this.#nextRequest
    const command = { ...asked, origin: { slot: self, boot, id } } as Command
    const refuse = (name: 'NOT_READY' | 'NO_QUORUM' | 'OVERLOADED' | 'STORAGE_FULL'): void =>
      this.#sessions.reply(session, refusal(request, name, this.#why(name)))
    // Nobody could store it: it weighs nothing.
    if (this.#home.full) return refuse('STORAGE_FULL')
    // What was computed for a client that has left says nothing of where the others are.
    if (this.#sessions.has(session.link)) this.#s.clientAsked()
    if (!this.#home.quorate) return refuse('NO_QUORUM')
    if (coordinator === 0) return refuse('NOT_READY')
    if (coordinator === self) {
      if (!this.#coordinator.submit(command)) return refuse('OVERLOADED')
    } else if (this.#s.peers.has(coordinator)) {
      this.#s.send(coordinator, { type: 'PASS', commands: [command] })
    } else {
      return refuse('NOT_READY')
    }
    const fail = (ordered: boolean): void =>
      this.#sessions.reply(session, refusal(request, ordered ? 'UNKNOWN_OUTCOME' : 'NOT_READY'))
    const asking = { link: session.link, request, command, slot: coordinator }
    this.#requests.add({ ...asking, answer, placed, fail })
  }

  #why(name: string): string {
    if (name !== 'NOT_READY' && name !== 'NO_QUORUM') return ''
    const { stores } = this.#s
    const reached = this.#home.reached.map((slot) => `s${slot}`).join(', ') || 'none'
    const needed = Math.floor(stores / 2) + 1
    return `${this.#home.reached.length} of ${stores} persistence replicas reachable: ${reached}; ${needed} needed`
  }

  onPass(from: Slot, commands: readonly Command[]): void {
    const refused = this.#passed
      .fresh(commands)
      .filter((command) => this.#s.role !== 'coordinator' || !this.#coordinator.submit(command))
    if (refused.length === 0) return
    const reason = this.#s.role === 'coordinator' ? 'overloaded' : 'not-coordinator'
    const requests = refused.map((command) => command.origin.id)
    this.#s.send(from, { type: 'NOT_TAKEN', requests, reason })
  }

  /** Not the coordinator any more: nothing queued had a place in an order yet. */
  stopped(): void {
    const queued = this.#coordinator.end()
    const own = queued.filter((command) => command.origin.slot === this.#s.self)
    this.#requests.notTaken(own.map((command) => command.origin.id))
    for (const command of queued) {
      const { slot, id } = command.origin
      if (slot === this.#s.self) continue
      this.#s.send(slot, { type: 'NOT_TAKEN', requests: [id], reason: 'not-coordinator' })
    }
    this.#requests.lostCoordinator(this.#s.self)
  }
}
