// Replicas of one view that compete for the turn, and the messages between them. The test says
// which replica wants the turn, which leaves it and what arrives; `said` is the transcript: "1 → 2
// REQUEST 5".

import { Turn } from '../../protocol/mutex/ricart-agrawala.js'
import type { Slot } from '../../protocol/slots.js'

interface InFlight {
  readonly from: Slot
  readonly to: Slot
  readonly kind: 'REQUEST' | 'REPLY'
  readonly stamp: number
}

export class Floor {
  readonly #turns = new Map<Slot, Turn>()
  #flight: InFlight[] = []
  #said: string[] = []

  constructor(members: number) {
    const slots = Array.from({ length: members }, (_, i) => i + 1)
    for (const slot of slots) {
      const turn = new Turn(slot, {
        sendRequest: (to, stamp) => this.#send({ from: slot, to, kind: 'REQUEST', stamp }),
        sendReply: (to, stamp) => this.#send({ from: slot, to, kind: 'REPLY', stamp }),
      })
      turn.install(slots.filter((other) => other !== slot))
      this.#turns.set(slot, turn)
    }
  }

  #send(message: InFlight): void {
    this.#said.push(`${message.from} → ${message.to} ${message.kind} ${message.stamp}`)
    this.#flight.push(message)
  }

  at(slot: Slot): Turn {
    return this.#turns.get(slot)!
  }

  get holders(): Slot[] {
    return [...this.#turns].filter(([, turn]) => turn.holding).map(([slot]) => slot)
  }

  /** Paths that have a message under way, each path once. */
  get paths(): [Slot, Slot][] {
    const paths = new Map(this.#flight.map(({ from, to }) => [`${from} ${to}`, [from, to]]))
    return [...paths.values()] as [Slot, Slot][]
  }

  /** Delivers the oldest message of a path: links keep the order. */
  deliver(from: Slot, to: Slot): void {
    const at = this.#flight.findIndex((m) => m.from === from && m.to === to)
    if (at < 0) throw new Error(`nothing on the way from ${from} to ${to}`)
    const [{ kind, stamp } = { kind: 'REPLY', stamp: 0 }] = this.#flight.splice(at, 1)
    if (kind === 'REQUEST') this.at(to).onRequest(from, stamp)
    else this.at(to).onReply(from, stamp)
  }

  deliverAll(): void {
    for (let next = this.#flight[0]; next; next = this.#flight[0]) this.deliver(next.from, next.to)
  }

  /** The messages sent since the last call, in order. */
  said(): string[] {
    const said = this.#said
    this.#said = []
    return said
  }
}
