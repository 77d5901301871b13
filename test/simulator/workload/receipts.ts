// How a virtual user follows its sends: it asks for the states of all of them or of those to one
// recipient, and subscribes to receipts, also of earlier sends and of sends that are not its own.

import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Line } from './line.js'

const LIMITS = [0, 1, 5, 100, 1_000]

export class Sender {
  readonly #line: Line
  /** Indices in the latest answers. */
  #known: number[] = []

  constructor(line: Line) {
    this.#line = line
  }

  work(): void {
    const { random, world } = this.#line
    if (!world.busy()) return
    if (random.chance(0.02)) this.#ask()
    if (random.chance(0.01)) this.#follow()
  }

  #ask(): void {
    const { random, world } = this.#line
    const limit = random.pick(LIMITS)
    const to = random.chance(0.3) ? random.pick([...world.users, 'nobody']) : null
    this.#line.ask(
      (request) => ({ type: 'RECEIPTS', request, limit, to }),
      (answer) => this.#told(answer),
    )
  }

  #told(answer: Message): void {
    if (answer.type !== 'RECEIPTS_ARE') return
    this.#known = answer.sends.map(({ index }) => index).slice(0, 50)
    for (const { state } of answer.sends) this.#line.did(`workload: a receipt says ${state}`)
  }

  #follow(): void {
    const { random } = this.#line
    const indices = this.#known.filter(() => random.chance(0.5))
    if (random.chance(0.3)) indices.push(random.between(1, 1_000))
    this.#line.ask((request) => ({ type: 'FOLLOW_RECEIPTS', request, indices }))
  }
}
