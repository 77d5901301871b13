// A background load: numbered sends of one user to another, some in flight at once, with the
// outcome of each. In the end the mailbox is compared with the outcomes. Invariant: an acknowledged
// send is there exactly once, at the index of its receipt and in order; a definite failure is not
// there; any other send is there at most once.

import { TrocaError } from '../../clients/index.js'
import type { Client, InboxMessage, ReceivedMessage } from '../../clients/index.js'

const IN_FLIGHT = 8
/** Pause between two sends of a lane, so that the load leaves the machine time for other work. */
const PACE_MS = 15
/** Timeout of a send, longer than any failover; the tests' own deadlines find slow sends. */
const SEND_MS = 60_000

export interface Sent {
  readonly number: number
  readonly text: string
  /** null: not acknowledged. */
  index: number | null
  /** Whether a send that was not acknowledged is certainly not stored. */
  definite: boolean
  error: string
}

export class Load {
  readonly from: string
  readonly name: string
  readonly sent: Sent[] = []
  /** Monotonic ms of each acknowledgement. */
  readonly acknowledgedAt: number[] = []
  readonly #client: Client
  readonly #to: string
  #lanes: Promise<void>[] = []
  #stopping = false

  /** `name` distinguishes the texts of several loads of one user. */
  constructor(client: Client, to: string, name = client.user!) {
    this.#client = client
    this.name = name
    this.from = client.user!
    this.#to = to
  }

  start(): this {
    this.#lanes = Array.from({ length: IN_FLIGHT }, () => this.#lane())
    return this
  }

  /** Stops sending; resolves when all sends have an outcome. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#lanes)
  }

  get acknowledged(): number {
    return this.acknowledgedAt.length
  }

  /** Resolves after `count` more acknowledgements. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged + count
    while (this.acknowledged < wanted && !this.#stopping) await pause(PACE_MS)
  }

  /** The longest time between two acknowledgements that ended after `fromMs`. */
  gapSince(fromMs: number): number {
    const times = [...this.acknowledgedAt, performance.now()]
    const gaps = times.map((at, i) => (at >= fromMs && i > 0 ? at - times[i - 1]! : 0))
    return Math.round(Math.max(0, ...gaps))
  }

  async #lane(): Promise<void> {
    while (!this.#stopping) {
      await this.#sendOne()
      await pause(PACE_MS)
    }
  }

  async #sendOne(): Promise<void> {
    const number = this.sent.length + 1
    const text = `${this.name} ${number} ${'·'.repeat(number % 50)}`
    const one: Sent = { number, text, index: null, definite: false, error: '' }
    this.sent.push(one)
    try {
      one.index = (await this.#client.send(this.#to, text, { timeoutMs: SEND_MS })).index
      this.acknowledgedAt.push(performance.now())
    } catch (error) {
      one.definite = error instanceof TrocaError && error.definite
      one.error = (error as Error).message
      // The test ended before it stopped this load.
      if (error instanceof TrocaError && error.name === 'CLOSED') this.#stopping = true
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Collects the messages pushed to a listening client, which acknowledges all of them. */
export class Listener {
  readonly got: InboxMessage[] = []
  readonly #done: Promise<void>
  readonly #leaving = new AbortController()

  constructor(client: Client) {
    this.#done = this.#listen(client.messages({ signal: this.#leaving.signal }))
  }

  async #listen(messages: AsyncIterable<ReceivedMessage>): Promise<void> {
    for await (const message of messages) {
      this.got.push(message)
      message.ack()
    }
  }

  async stop(): Promise<void> {
    this.#leaving.abort()
    await this.#done
  }
}

export async function readMailbox(client: Client): Promise<InboxMessage[]> {
  const messages: InboxMessage[] = []
  for (let after = 0, more = true; more;) {
    const page = await client.inbox({ after })
    messages.push(...page.messages)
    after = page.next
    more = page.more
  }
  return messages
}

/** Faults of a mailbox after these loads; empty: no fault. */
export function faultsOf(mailbox: readonly InboxMessage[], loads: readonly Load[]): string[] {
  const faults: string[] = []
  const falls = mailbox.filter((message, i) => i > 0 && message.index <= mailbox[i - 1]!.index)
  for (const { index } of falls) faults.push(`entry ${index} comes after a higher one`)
  for (const { from, name, sent } of loads) {
    const own = mailbox.filter((one) => one.from === from && one.text?.startsWith(`${name} `))
    const places = new Map<string | null, number[]>()
    for (const { text, index } of own) places.set(text, [...(places.get(text) ?? []), index])
    let before = 0
    for (const { text, index, definite } of sent) {
      const found = places.get(text) ?? []
      places.delete(text)
      const where = found.join(', ') || 'nowhere'
      if (found.length > 1) faults.push(`"${text}" is stored twice: ${where}`)
      if (index !== null && found[0] !== index) faults.push(`"${text}": ${index}, found ${where}`)
      if (index === null && definite && found.length > 0) faults.push(`"${text}" was refused`)
      if (found.length > 0 && found[0]! <= before) faults.push(`"${text}" is out of order`)
      before = found[0] ?? before
    }
    for (const text of places.keys()) faults.push(`"${text}" was never sent by ${name}`)
  }
  return faults
}
