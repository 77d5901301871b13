// What this client says of its own mailbox: how far it has received it, and how far its user has dealt
// with it. The higher wins, so it is said again on each new connection, and little of it at a time.

import type { Connection } from './connection.js'
import type { Deadline, Deadlines } from './deadlines.js'

/** What is dealt with meanwhile need not be called received. */
const DELIVERED_MS = 200

export class Marks {
  readonly #deadlines: Deadlines
  readonly #connection: () => Connection | null
  /** Everything through here has been asked for and has come: no message before it is missing. */
  #reach = 0
  /** The last message of that. */
  #delivered = 0
  #deliveredTold = 0
  #read = 0
  #readTold = 0
  #due: Deadline | null = null

  constructor(deadlines: Deadlines, connection: () => Connection | null) {
    this.#deadlines = deadlines
    this.#connection = connection
  }

  /** `cursor`: as the service has it, which hears a little later than this client says it. */
  loggedIn(sameUser: boolean, cursor: number): void {
    if (!sameUser) this.#reach = this.#delivered = this.#read = 0
    this.#read = Math.max(this.#read, cursor)
    this.#reach = Math.max(this.#reach, this.#read)
    this.#readTold = this.#deliveredTold = cursor
  }

  get read(): number {
    return this.#read
  }

  /** False: it was before. */
  acknowledge(index: number): boolean {
    if (index <= this.#read) return false
    this.#read = index
    this.#reach = Math.max(this.#reach, index)
    setImmediate(() => this.#tellRead())
    return true
  }

  /**
   * All that is in the mailbox after `after` and up to `through` has come; `last`: the last message of
   * it, 0: none. Behind a gap it says nothing: an index stands for everything before it.
   */
  received(after: number, through: number, last: number): void {
    if (after > this.#reach) return
    this.#reach = Math.max(this.#reach, through)
    this.#delivered = Math.max(this.#delivered, last)
    if (this.#delivered <= this.#deliveredTold || this.#due) return
    this.#due = this.#deadlines.set(DELIVERED_MS, () => {
      this.#due = null
      this.#tellDelivered()
    })
  }

  connected(): void {
    this.#readTold = this.#deliveredTold = 0
    this.tell()
  }

  tell(): void {
    this.#tellRead()
    this.#tellDelivered()
  }

  #tellRead(): void {
    const connection = this.#connection()
    if (!connection || this.#read <= this.#readTold) return
    this.#readTold = this.#read
    this.#deliveredTold = Math.max(this.#deliveredTold, this.#read)
    connection.send({ type: 'CURSOR', index: this.#read })
  }

  #tellDelivered(): void {
    const connection = this.#connection()
    if (!connection || this.#delivered <= this.#deliveredTold) return
    this.#deliveredTold = this.#delivered
    connection.send({ type: 'DELIVERED', index: this.#delivered })
  }
}
