// What the parts of a virtual user share: the user, its random stream, and a way to ask.

import type { Slot } from '../../../protocol/slots.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Random } from '../random.js'
import type { Contacts } from './contacts.js'

export interface ClientWorld {
  readonly users: readonly string[]
  /** Users whose clients hold their keys. */
  readonly held: ReadonlySet<string>
  readonly contacts: Contacts
  /** Ids of streams that were opened lately, of all users. */
  readonly streams: Uint8Array[]
  readonly processing: number
  readonly busy: () => boolean
  readonly dial: (processing: Slot) => void
}

export interface Line {
  readonly user: string
  readonly random: Random
  readonly world: ClientWorld
  /** Monotonic milliseconds. */
  readonly now: number
  /** Sends a request. Without `then` the user does not wait for the answer. */
  ask(build: (request: number) => Message, then?: (answer: Message) => void): void
  say(message: Message): void
  /** Counts an event for the coverage. */
  did(what: string): void
}
