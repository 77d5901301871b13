// Relations between the users of a run: invitations and their codes, block lists, and leaving for
// good. Nobody leaves before all have joined, because the remaining users must be able to invite
// those who wait.

import { ERRORS } from '../../../protocol/errors.js'
import type { Random } from '../random.js'
import type { Line } from './line.js'

/** Errors after which the invitation does not exist, however often it is asked for. */
const OVER: ReadonlySet<number> = new Set([
  ERRORS.TOO_MANY_INVITATIONS.code,
  ERRORS.BAD_INVITATION.code,
])

export class Contacts {
  /** Codes of invitations, the newest last; some are not open any more. */
  readonly #codes: Uint8Array[] = []
  /** Codes of invitations that may exist or not, by the user who asked. */
  readonly #inviting = new Map<string, Uint8Array>()
  readonly #joined = new Set<string>()
  /** Users who were refused for want of an invitation. */
  readonly #waiting = new Set<string>()
  /** Tokens of the users who have asked for the end of their accounts. */
  readonly #leaving = new Map<string, Uint8Array>()
  readonly #gone = new Set<string>()

  code(line: Line): Uint8Array | null {
    const { random, user } = line
    const wanted = this.#waiting.has(user) ? 0.9 : 0.1
    return random.chance(wanted) ? this.anyCode(random) : null
  }

  anyCode(random: Random): Uint8Array | null {
    if (this.#codes.length === 0) return null
    return random.chance(0.7) ? this.#codes.at(-1)! : random.pick(this.#codes)
  }

  /** The code that the user asked for without an answer, in whatever boot; or a new one. */
  inviting({ user, random }: Line): Uint8Array {
    const code = this.#inviting.get(user) ?? random.bytes(16)
    this.#inviting.set(user, code)
    return code
  }

  /** The outcome of the user's invitation is known. */
  invited(user: string, code: Uint8Array): void {
    if (this.#inviting.get(user) === code) this.#inviting.delete(user)
  }

  opened(code: Uint8Array): void {
    if (!this.#codes.includes(code)) this.#codes.push(code)
  }

  /** `refused`: the code that the user came with. Most refused codes are not tried again. */
  waits(user: string, refused: Uint8Array | null): void {
    this.#waiting.add(user)
    const at = this.#codes.findIndex((code) => code === refused)
    if (at >= 0 && this.#codes.length > 3) this.#codes.splice(at, 1)
  }

  get isWaitedFor(): boolean {
    return this.#waiting.size > 0
  }

  joined(user: string): void {
    this.#joined.add(user)
    this.#waiting.delete(user)
  }

  allJoined(users: readonly string[]): boolean {
    return users.length > 0 && users.every((user) => this.#joined.has(user))
  }

  /**
   * Whether the user may leave: half of the users or more stay, and nobody leaves before all have
   * joined.
   */
  spares(user: string, users: readonly string[]): boolean {
    const stays = users.indexOf(user) >= Math.floor(users.length / 2)
    return !stays && this.allJoined(users)
  }

  /** The token of the request for the end of the account; undefined: the user stays. */
  leaving(user: string): Uint8Array | undefined {
    return this.#leaving.get(user)
  }

  leaves(user: string, token: Uint8Array): void {
    this.#leaving.set(user, token)
  }

  isGone(user: string): boolean {
    return this.#gone.has(user)
  }

  left(user: string): void {
    this.#gone.add(user)
  }
}

/** One user's part in the contacts. */
export class Companion {
  readonly #line: Line

  constructor(line: Line) {
    this.#line = line
  }

  work(): void {
    const { random, user, world } = this.#line
    const { contacts } = world
    if (contacts.isWaitedFor ? random.chance(0.1) : world.busy() && random.chance(0.003)) {
      this.#invite()
    }
    if (!world.busy()) return
    if (random.chance(0.005)) this.#block()
    // A leaving user looks up its data until the end.
    const looks = contacts.leaving(user) && !contacts.isGone(user) ? 0.3 : 0.0005
    if (random.chance(looks)) this.#line.ask((request) => ({ type: 'BLOCKED', request }))
  }

  /**
   * Whether the user asks for the end of its account now; every such request has the same token.
   */
  get wantsToLeave(): boolean {
    const { random, world, user } = this.#line
    const { contacts, users } = world
    if (contacts.leaving(user)) return random.chance(0.05)
    if (!world.busy() || !random.chance(0.003) || !contacts.spares(user, users)) return false
    contacts.leaves(user, random.bytes(16))
    return true
  }

  #invite(): void {
    const { random, user, world } = this.#line
    const code = world.contacts.inviting(this.#line)
    if (random.chance(0.2)) world.contacts.opened(code)
    this.#again(() =>
      this.#line.ask(
        (request) => ({ type: 'INVITE', request, code }),
        (answer) => {
          const isOver = answer.type === 'ERROR' && OVER.has(answer.code)
          if (isOver || answer.type === 'INVITED') world.contacts.invited(user, code)
          if (answer.type !== 'INVITED') return
          world.contacts.opened(code)
          this.#line.did('workload: invited')
        },
      ),
    )
  }

  #block(): void {
    const { random, world } = this.#line
    const type = random.chance(0.5) ? 'BLOCK' : 'UNBLOCK'
    const name = random.chance(0.05) ? random.pick(['nobody', 'no name']) : random.pick(world.users)
    this.#again(() =>
      this.#line.ask(
        (request) => ({ type, request, name }),
        (answer) => {
          if (answer.type === 'BLOCKED_ARE') this.#line.did(`workload: ${type} done`)
        },
      ),
    )
  }

  #again(ask: () => void): void {
    ask()
    if (this.#line.random.chance(0.2)) ask()
  }
}
