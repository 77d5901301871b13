// A second connection of a virtual user, to another replica, for a while: the pending sends of the
// first connection are repeated here at the same time, and its streams closed now and then.

import type { LinkId } from '../../../protocol/machine/machine.js'
import type { Slot } from '../../../protocol/slots.js'
import type { Line } from './line.js'
import type { SendStream } from './stream.js'

export class SideLine {
  readonly #line: Line
  #dialled: Slot = 0
  #until = 0
  #loggedIn = false
  link: LinkId | null = null

  constructor(line: Line) {
    this.#line = line
  }

  /** Whether this side line asked for the connection that has just come up. */
  takes(link: LinkId, to: Slot, password: string): boolean {
    if (to !== this.#dialled || this.link !== null) return false
    const { user: name } = this.#line
    this.link = link
    this.#dialled = 0
    this.#until = this.#line.now + this.#line.random.between(200, 3_000)
    if (this.#line.random.chance(0.5)) return this.#asStranger(password)
    this.#line.did('workload: two connections')
    this.#line.ask(
      (request) => ({ type: 'LOGIN', request, name, password }),
      (answer) => {
        this.#loggedIn = answer.type === 'SESSION'
      },
    )
    return true
  }

  /** Another user registers here, or two do with the same invitation. */
  #asStranger(password: string): true {
    const { random, world } = this.#line
    const invitation = random.chance(0.7) ? world.contacts.anyCode(random) : null
    for (let i = random.between(1, 2); i > 0; i--) {
      const [name, token] = [`stranger${random.below(10)}`, random.bytes(16)]
      const stranger = { name, password, token, keys: null, invitation }
      this.#line.ask((request) => ({ type: 'REGISTER', request, ...stranger }))
      if (random.chance(0.2)) {
        this.#line.ask((request) => ({ type: 'REGISTER', request, ...stranger }))
      }
    }
    this.#line.did('workload: strangers register')
    return true
  }

  lost(): void {
    this.link = null
    this.#loggedIn = false
  }

  /** True: the connection has been open for long enough. */
  work(at: Slot, streams: readonly SendStream[]): boolean {
    const { random, world, now } = this.#line
    if (this.link === null) {
      if (world.processing === 1 || !world.busy() || !random.chance(0.004)) return false
      const others = Array.from({ length: world.processing }, (_, i) => i + 1)
      this.#dialled = random.pick(others.filter((slot) => slot !== at))
      world.dial(this.#dialled)
      return false
    }
    if (this.#loggedIn && random.chance(0.2)) random.pick(streams).again(this.#line)
    if (this.#loggedIn && random.chance(0.01)) random.pick(streams).sayClose(this.#line)
    return now > this.#until || !world.busy()
  }
}
