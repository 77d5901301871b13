// What a virtual user does with its account and mailbox now and then: a new password, a new key, a
// look at somebody's keys, deletions, the size of the mailbox. A user remembers every password that it has chosen and tries
// them in turn when it does not know which one counts.

import { KEEP_ALL, type RetentionRule } from '../../../protocol/entries/retention.js'
import { wrap } from '../compute.js'
import { heldKey } from '../held.js'
import type { Line } from './line.js'

/** Passwords that each user has chosen, the newest last; two clients may have one name. */
export type Passwords = Map<string, string[]>

const WISHES: readonly RetentionRule[] = [
  KEEP_ALL,
  KEEP_ALL,
  { ...KEEP_ALL, age: 2_000 },
  { ...KEEP_ALL, count: 5 },
  { ...KEEP_ALL, bytes: 1_000 },
]

export class Account {
  readonly #line: Line
  readonly #chosen: string[]
  /** Number of wrong passwords since the last change. */
  #wrong = 0
  /** Indices of messages that were shown lately. */
  #seen: number[] = []

  constructor(line: Line, passwords: Passwords) {
    this.#line = line
    const chosen = passwords.get(line.user) ?? [`secret of ${line.user}`]
    passwords.set(line.user, chosen)
    this.#chosen = chosen
  }

  /** The newest password; the one before it after a wrong one; now and then any. */
  get password(): string {
    const { random } = this.#line
    if (random.chance(0.1)) return random.pick(this.#chosen)
    return this.#chosen.at(-1 - (this.#wrong % this.#chosen.length))!
  }

  wrong(): void {
    this.#wrong++
  }

  /** The password counted: earlier ones never will again. Few guesses are needed. */
  right(password: string): void {
    this.#wrong = 0
    this.#chosen.splice(0, Math.max(0, this.#chosen.indexOf(password)))
  }

  saw(indices: readonly number[]): void {
    this.#seen = [...this.#seen, ...indices].slice(-50)
  }

  work(): void {
    const { random, world } = this.#line
    if (!world.busy()) return
    if (random.chance(0.002)) this.#changePassword()
    if (random.chance(0.002)) this.#rotateKey()
    if (random.chance(0.02)) this.#delete()
    if (random.chance(0.01)) this.#line.ask((request) => ({ type: 'USAGE', request }))
    if (random.chance(0.003)) this.#retain()
    if (random.chance(0.0003)) {
      const name = random.pick(world.users)
      this.#line.ask((request) => ({ type: 'KEYS', request, name }))
    }
  }

  #changePassword(): void {
    const { random, user } = this.#line
    // A user chooses no third password while the outcome of its last change is unknown.
    if (this.#chosen.length > 1) return
    const password = this.password
    const newPassword = `secret ${random.hex(4)} of ${user}`
    const token = random.bytes(16)
    this.#chosen.push(newPassword)
    this.#wrong = 0
    const twice = this.#again(() =>
      this.#line.ask(
        (request) => ({ type: 'CHANGE_PASSWORD', request, password, newPassword, token }),
        (answer) => {
          if (answer.type === 'SESSION') {
            this.right(newPassword)
            this.#line.did('workload: password changed')
          } else if (answer.type === 'ERROR' && answer.definite && !twice) this.#forget(newPassword)
        },
      ),
    )
  }

  #forget(password: string): void {
    const at = this.#chosen.indexOf(password)
    if (at > 0) this.#chosen.splice(at, 1)
  }

  /** Asks for a new key, made by the service or brought along. */
  #rotateKey(): void {
    const { random } = this.#line
    const password = this.password
    const token = random.bytes(16)
    if (token[0]! % 4 === 0) return this.#addKey(password, token)
    const { user, world } = this.#line
    const pair = Buffer.from(token).toString('hex')
    const keys = world.held.has(user) ? heldKey(user, pair) : null
    this.#again(() =>
      this.#line.ask(
        (request) => ({ type: 'ROTATE_KEY', request, password, token, keys }),
        (answer) => {
          if (answer.type === 'SESSION') this.#line.did('workload: key rotated')
        },
      ),
    )
  }

  #addKey(password: string, token: Uint8Array): void {
    const { wrappedKey } = wrap(Buffer.from(token).toString('hex'), password)
    this.#line.ask(
      (request) => ({ type: 'EXPORT_KEYS', request, password }),
      (answer) => {
        if (answer.type === 'WRAPPED_KEYS') this.#line.did('workload: keys exported')
      },
    )
    this.#again(() =>
      this.#line.ask(
        (request) => ({ type: 'ADD_KEY', request, password, token, wrappedKey }),
        (answer) => {
          if (answer.type === 'SESSION') this.#line.did('workload: key added')
        },
      ),
    )
  }

  /** Deletes messages that were shown, now and then one that does not exist, or not yet. */
  #delete(): void {
    const { random } = this.#line
    if (this.#seen.length === 0) return
    const indices = Array.from({ length: random.between(1, 5) }, () => random.pick(this.#seen))
    if (random.chance(0.2)) indices.push(Math.max(...indices) + random.between(1, 100))
    this.#again(() =>
      this.#line.ask(
        (request) => ({ type: 'DELETE', request, indices }),
        (answer) => {
          if (answer.type === 'DELETED') this.#line.did('workload: deleted')
        },
      ),
    )
  }

  /** Keeps less from now on, or all that the cluster keeps; or asks what holds. */
  #retain(): void {
    const { random } = this.#line
    if (random.chance(0.3)) return this.#line.ask((request) => ({ type: 'RETENTION', request }))
    const wish = random.pick(WISHES)
    this.#again(() => this.#line.ask((request) => ({ type: 'RETAIN', request, ...wish })))
  }

  /** Asks once, now and then twice; true: twice. */
  #again(ask: () => void): boolean {
    ask()
    const twice = this.#line.random.chance(0.2)
    if (twice) ask()
    return twice
  }
}
