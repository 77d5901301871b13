// Requests that no client should make, and some do: each is refused and has no other effect.

import { ERRORS } from '../../../protocol/errors.js'
import { MAX_KEYS } from '../../../protocol/schema/shared.js'
import { wrap } from '../compute.js'
import { heldKey } from '../held.js'
import type { Account } from './account.js'
import type { Line } from './line.js'

export class Blunders {
  readonly #line: Line
  readonly #account: Account

  constructor(line: Line, account: Account) {
    this.#line = line
    this.#account = account
  }

  work(): void {
    const { random, world } = this.#line
    if (!world.busy() || !random.chance(0.001)) return
    const what = [
      () => this.#register('No Name'),
      () => this.#register('late', 'short'),
      () => this.#changePassword('line\nbreak'),
      () => this.#sendWithoutPlace(),
      () => this.#addKey(),
      () => this.#rotate(MAX_KEYS),
      () => this.#line.say({ type: 'RECEIPT', request: 1, seq: 1, index: 1, time: 1 }),
    ]
    random.pick(what)()
  }

  #changePassword(newPassword: string): void {
    const { random } = this.#line
    const { password } = this.#account
    const token = random.bytes(16)
    this.#line.ask((request) => {
      return { type: 'CHANGE_PASSWORD', request, password, newPassword, token }
    })
  }

  #register(name: string, password = this.#account.password): void {
    const { random } = this.#line
    const token = random.bytes(16)
    this.#line.ask((request) => {
      return { type: 'REGISTER', request, name, password, token, keys: null, invitation: null }
    })
  }

  #sendWithoutPlace(): void {
    const { random, world } = this.#line
    const [stream, to] = [random.bytes(16), random.pick(world.users)]
    this.#line.ask((request) => ({ type: 'SEND', request, stream, seq: 0, to, text: 'where?' }))
  }

  /** Adds a key that is wrapped under another password than the account's. */
  #addKey(): void {
    const { random } = this.#line
    const { password } = this.#account
    const token = random.bytes(16)
    const { wrappedKey } = wrap(random.hex(8), `not ${password}`)
    this.#line.ask((request) => ({ type: 'ADD_KEY', request, password, token, wrappedKey }))
  }

  /** Makes one new key after another, until there is no room for more. */
  #rotate(left: number): void {
    const { random, user, world } = this.#line
    if (left === 0) return
    const { password } = this.#account
    const token = random.bytes(16)
    const keys = world.held.has(user) ? heldKey(user, Buffer.from(token).toString('hex')) : null
    this.#line.ask(
      (request) => ({ type: 'ROTATE_KEY', request, password, token, keys }),
      (answer) => {
        if (answer.type === 'SESSION') this.#rotate(left - 1)
        const full = answer.type === 'ERROR' && answer.code === ERRORS.TOO_MANY_KEYS.code
        if (full) this.#line.did('workload: no room for another key')
      },
    )
  }
}
