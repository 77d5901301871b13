// How a virtual user reads: pages of all sizes from all places, listening, marks that go forward,
// back and too far; and the whole mailbox once more at the end of a run.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Line } from './line.js'

const LIMITS = [0, 1, 2, 10, 100, 128, 129, 1_000]
const WINDOWS = [1, 2, 8, 256]
/** Beyond the end of the log. */
const FAR = 100_000

export class Reader {
  readonly #line: Line
  #readAt = 0
  #after = 0
  #asking = false
  #final: 'no' | 'reading' | 'done' = 'no'

  readonly #saw: (indices: readonly number[]) => void

  constructor(line: Line, saw: (indices: readonly number[]) => void) {
    this.#line = line
    this.#saw = saw
  }

  /** The whole mailbox has been read since the user's work ended. */
  get done(): boolean {
    return this.#final === 'done'
  }

  disconnected(): void {
    this.#asking = false
    if (this.#final === 'reading') this.#final = 'no'
  }

  /** `quiet`: every send of this user is answered, and it will send no more. */
  work(quiet: boolean): void {
    const { now, random } = this.#line
    if (this.#asking || this.done) return
    if (quiet && this.#final === 'no') {
      this.#final = 'reading'
      this.#after = 0
    }
    if (this.#final === 'reading') return this.#read(this.#after, random.between(1, 1_000))
    if (now < this.#readAt) return
    this.#readAt = now + random.between(100, 2_000)
    if (random.chance(0.3)) this.#listen()
    else if (random.chance(0.2)) this.#look()
    else this.#read(this.#after, random.pick(LIMITS))
  }

  /** Reads the next page. */
  #read(after: number, limit: number): void {
    this.#asking = true
    this.#line.ask(
      (request) => ({ type: 'INBOX', request, after, limit, sealed: false, since: null }),
      (answer) => this.#page(answer),
    )
  }

  /** Reads a page from a random place. */
  #look(): void {
    const { random } = this.#line
    const after = random.pick([0, random.below(this.#after + 1), this.#after + FAR])
    const limit = random.pick(LIMITS)
    this.#line.ask((request) => ({
      type: 'INBOX',
      request,
      after,
      limit,
      sealed: false,
      since: null,
    }))
  }

  #listen(): void {
    const { random } = this.#line
    const after = random.pick([null, this.#after, random.below(this.#after + 1)])
    const window = random.pick(WINDOWS)
    this.#line.ask((request) => ({ type: 'LISTEN', request, after, window }))
  }

  #page(answer: Message): void {
    this.#asking = false
    if (answer.type !== 'PAGE') {
      if (this.#final === 'reading') this.#final = 'no'
      return
    }
    this.#after = answer.next
    this.#saw(answer.messages.map(({ index }) => index))
    if (answer.messages.length > 0) this.#acknowledge(answer.messages.at(-1)!.index)
    if (this.#final === 'reading' && !answer.more) this.#final = 'done'
  }

  pushed({ messages }: The<'PUSH'>): void {
    this.#saw(messages.map(({ index }) => index))
    this.#acknowledge(messages.at(-1)!.index)
  }

  #acknowledge(through: number): void {
    const { random } = this.#line
    const index = (): number =>
      random.chance(0.05) ? random.pick([0, through >> 1, through + FAR]) : through
    if (random.chance(0.5)) this.#line.say({ type: 'DELIVERED', index: index() })
    if (random.chance(0.5)) this.#line.say({ type: 'CURSOR', index: index() })
  }
}
