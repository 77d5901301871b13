// A virtual user: registers or logs in (now and then with a wrong password), keeps one connection
// and sometimes two, works on its streams and reads. Its process may lose everything but name and
// password at any time. The checks judge its answers; this file is the behaviour of a client alone.

import type {
  DebugWords,
  Effect,
  Input,
  LinkId,
  Machine,
  Now,
} from '../../../protocol/machine/machine.js'
import type { Slot } from '../../../protocol/slots.js'
import { ERRORS } from '../../../protocol/errors.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { heldKey } from '../held.js'
import type { Start } from '../host.js'
import { Random } from '../random.js'
import { Account, type Passwords } from './account.js'
import { PendingRequests, type Then } from './pending-requests.js'
import { Blunders } from './blunders.js'
import { Companion } from './contacts.js'
import type { ClientWorld, Line } from './line.js'
import { Reader } from './reader.js'
import { Sender } from './receipts.js'
import { SideLine } from './side-line.js'
import { SendStream } from './stream.js'

const STAYS_MS = 5_000

export class Client implements Machine {
  readonly #user: string
  readonly #random: Random
  readonly #world: ClientWorld
  readonly #streams: readonly SendStream[]
  readonly #reader: Reader
  readonly #account: Account
  readonly #companion: Companion
  readonly #blunders: Blunders
  readonly #sender: Sender
  readonly #side: SideLine
  readonly #line: Line
  readonly #token: Uint8Array
  #effects: Effect[] = []
  #now = 0
  #link: LinkId | null = null
  #dialAt = 0
  /** The slot dialled last: the next one is tried after it. */
  #dialled: Slot
  #at: Slot = 0
  #lostAt = -Infinity
  #loggedIn = false
  #registered = false
  /** Refused before the service looked at the name: the account may be there all the same. */
  #refused = false
  readonly #asking: PendingRequests

  constructor(user: string, start: Start, world: ClientWorld, passwords: Passwords) {
    this.#user = user
    const random = new Random(Buffer.from(start.entropy(4)).readUInt32BE())
    this.#random = random
    this.#world = world
    this.#token = random.bytes(16)
    this.#asking = new PendingRequests(random.u32() * 2 ** 20)
    this.#dialled = random.between(1, world.processing)
    const window = random.pick([1, 4, 16, 64])
    // Some users send so fast that a stream outgrows its kept answers.
    const pace = random.chance(0.05) ? 0.95 : random.pick([0.05, 0.2, 0.5])
    const line = this.#lineOn(() => this.#link)
    this.#streams = Array.from(
      { length: random.between(1, 2) },
      () => new SendStream(line, pace, window),
    )
    this.#line = line
    this.#account = new Account(line, passwords)
    this.#companion = new Companion(line)
    this.#blunders = new Blunders(line, this.#account)
    this.#sender = new Sender(line)
    this.#reader = new Reader(line, (indices) => this.#account.saw(indices))
    this.#side = new SideLine(this.#lineOn(() => this.#side.link))
  }

  #lineOn(link: () => LinkId | null): Line {
    const now = (): number => this.#now
    return {
      user: this.#user,
      random: this.#random,
      world: this.#world,
      get now() {
        return now()
      },
      ask: (build, then) => this.#ask(link(), build, then),
      say: (message) => this.#say(link(), message),
      did: (what) => this.#effects.push({ type: 'log', level: 'debug', event: what, fields: {} }),
    }
  }

  get #idle(): boolean {
    return this.#streams.every((stream) => stream.idle)
  }

  /** No request is pending, and the whole mailbox was read after the last send. */
  get settled(): boolean {
    const { contacts } = this.#world
    // A closed account has nothing more to read: its messages are erased.
    if (contacts.leaving(this.#user)) return contacts.isGone(this.#user)
    return this.#idle && this.#reader.done
  }

  step(input: Input, now: Now): Effect[] {
    this.#now = now.monotonic
    if (input.type === 'link-up' && input.peer.role !== 'client') {
      this.#connected(input.link, input.peer.slot)
    }
    if (input.type === 'link-down') this.#lost(input.link)
    if (input.type === 'message') this.#hear(input.link, input.message)
    if (input.type === 'tick') this.#tick()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  // ---- connections ----------------------------------------------------------------------------

  #connected(link: LinkId, to: Slot): void {
    if (this.#link !== null) {
      if (!this.#side.takes(link, to, this.#account.password)) this.#close(link)
      return
    }
    this.#link = link
    this.#at = to
    this.#loggedIn = false
    this.#ask(
      link,
      (request) => ({ type: 'STATUS', request }),
      (answer) => this.#status(answer),
    )
    if (this.#world.contacts.leaving(this.#user) && this.#random.chance(0.5)) this.#end()
    else this.#logIn()
  }

  #close(link: LinkId): void {
    this.#effects.push({ type: 'close', link, reason: 'left' })
  }

  #lost(link: LinkId | null): void {
    if (link === null) return
    this.#asking.lost(link)
    if (link === this.#side.link) this.#side.lost()
    if (link !== this.#link) return
    this.#link = null
    this.#lostAt = this.#now
    this.#loggedIn = false
    for (const stream of this.#streams) stream.disconnected()
    this.#reader.disconnected()
    this.#dialAt = this.#now + this.#random.between(10, 400)
  }

  #leave(link = this.#link): void {
    if (link === null) return
    this.#close(link)
    this.#lost(link)
  }

  #tick(): void {
    const random = this.#random
    // A user whose account is closed goes on for a while and comes back now and then: the name
    // stays taken.
    const isGone = this.#world.contacts.isGone(this.#user)
    if (isGone && this.#link !== null && random.chance(0.02)) return this.#leave()
    if (this.#link === null) {
      if (isGone && !(this.#world.busy() && random.chance(0.01))) return
      if (this.#now < this.#dialAt) return
      this.#dialAt = this.#now + random.between(200, 1_000)
      this.#dialled = (this.#dialled % this.#world.processing) + 1
      return this.#world.dial(this.#dialled)
    }
    const late = this.#asking.late(this.#now)
    if (late !== undefined) return this.#leave(late)
    if (this.#asking.isInVain(this.#link, this.#now)) return this.#leave()
    if (random.chance(0.0005)) return this.#leave()
    if (!this.#loggedIn) return
    for (const stream of this.#streams) stream.work()
    this.#account.work()
    this.#companion.work()
    this.#blunders.work()
    this.#sender.work()
    if (this.#companion.wantsToLeave) this.#end()
    this.#reader.work(!this.#world.busy() && this.#idle)
    if (this.#side.work(this.#at, this.#streams)) this.#leave(this.#side.link)
    if (random.chance(0.0005)) this.#intrude()
    if (random.chance(0.0003)) {
      this.#ask(this.#link, (request) => ({ type: 'LOGOUT', request }))
    }
  }

  // ---- requests -------------------------------------------------------------------------------

  #say(link: LinkId | null, message: Message): void {
    if (link !== null) this.#effects.push({ type: 'send', link, message })
  }

  #ask(link: LinkId | null, build: (request: number) => Message, then?: Then): void {
    if (link === null) return
    this.#say(link, build(this.#asking.add(link, this.#now, then)))
  }

  #logIn(): void {
    const [name, token, random] = [this.#user, this.#token, this.#random]
    const password = this.#account.password
    const keys = this.#world.held.has(name) ? heldKey(name) : null
    const invitation = this.#world.contacts.code(this.#line)
    const again = random.chance(this.#registered ? 0.7 : this.#refused ? 0.5 : 0)
    const wrong = random.chance(0.05)
    const build = (request: number): Message => {
      if (wrong) return { type: 'LOGIN', request, name, password: `not ${password}` }
      if (again) return { type: 'LOGIN', request, name, password }
      return { type: 'REGISTER', request, name, password, token, keys, invitation }
    }
    const tried = wrong ? null : password
    this.#ask(this.#link, build, (answer) => this.#session(answer, tried, invitation))
    if (random.chance(0.1)) this.#ask(this.#link, build)
  }

  /**
   * `password`: null: one that is wrong on purpose, and says nothing about those that were chosen.
   */
  #session(answer: Message, password: string | null, invitation: Uint8Array | null): void {
    if (answer.type === 'SESSION') {
      if (password !== null) this.#account.right(password)
      this.#loggedIn = true
      this.#registered = true
      this.#world.contacts.joined(this.#user)
      return
    }
    const code = answer.type === 'ERROR' ? answer.code : 0
    const taken = code === ERRORS.NAME_TAKEN.code
    // An earlier boot, or another user of that name, has registered the name.
    if (taken) this.#registered = true
    if (code === ERRORS.INVITATION_NEEDED.code || code === ERRORS.BAD_INVITATION.code) {
      this.#world.contacts.waits(this.#user, invitation)
      this.#refused = true
    }
    if (code === ERRORS.REGISTRATION_CLOSED.code) this.#refused = true
    // The password was wrong on purpose or not the newest; or the account is closed.
    const again = taken || code === ERRORS.BAD_CREDENTIALS.code
    if (again && !taken && password !== null) this.#account.wrong()
    if (again && !this.#world.contacts.leaving(this.#user)) this.#logIn()
    else this.#leave()
  }

  /** Asks for the end of the account. The answer needs no log-in once the account is closed. */
  #end(): void {
    const { contacts } = this.#world
    const [name, { password }, token] = [this.#user, this.#account, contacts.leaving(this.#user)!]
    this.#ask(
      this.#link,
      (request) => ({ type: 'DELETE_ACCOUNT', request, name, password, token }),
      (answer) => {
        const code = answer.type === 'ERROR' ? answer.code : 0
        if (code === ERRORS.BAD_CREDENTIALS.code) this.#account.wrong()
        if (answer.type === 'ACCOUNT_DELETED') contacts.left(name)
        else if (!this.#loggedIn) this.#logIn()
      },
    )
  }

  /** Sends on a stream that most likely is another user's, and tries to close it. */
  #intrude(): void {
    const [random, link] = [this.#random, this.#link]
    const { streams, users } = this.#world
    if (streams.length === 0) return
    const stream = random.pick(streams)
    const [seq, to, text] = [random.between(1, 3), random.pick(users), random.hex(4)]
    if (random.chance(0.5)) {
      this.#ask(link, (request) => ({ type: 'CLOSE_STREAM', request, stream }))
    }
    this.#ask(link, (request) => ({ type: 'SEND', request, stream, seq, to, text }))
  }

  // ---- answers --------------------------------------------------------------------------------

  #hear(link: LinkId, message: Message): void {
    if (link !== this.#link && link !== this.#side.link) return
    if (message.type === 'PUSH') return this.#reader.pushed(message)
    if (!('request' in message)) return
    if (message.type === 'PROGRESS' || message.type === 'ACCEPTED') return
    this.#asking.hear(link, message.request, message, this.#now)
  }

  /** Most users move to the coordinator where another replica answers. */
  #status(answer: Message): void {
    if (answer.type !== 'STATUS_IS' || answer.coordinator === 0) return
    if (answer.coordinator === this.#at || this.#random.chance(0.5)) return
    // A user who has just lost a connection stays with the next one for a while.
    if (this.#now - this.#lostAt < STAYS_MS) return
    this.#leave()
    this.#world.dial(answer.coordinator)
  }

  readonly debugWords: DebugWords = {
    stat: {
      meaning: 'the connection, and what each stream has sent',
      answer: () => {
        const streams = this.#streams.map((stream) => stream.describe()).join('; ')
        return `link ${this.#link} to p${this.#at}, logged in ${this.#loggedIn}: ${streams}`
      },
    },
  }

  metrics(): Record<string, number> {
    return { unanswered: this.#asking.size }
  }
}
