// The marks of the mailbox: how far this client has received it (DELIVERED), and how far its user
// has read it (CURSOR). Invariant: marks only grow, so repeating one on a new connection is
// harmless. A mark covers everything before it, so a few messages suffice.

import type { Link } from './link.js'
import type { Deadline, Deadlines } from './deadlines.js'

/** DELIVERED waits this long, because a read mark that comes meanwhile makes it superfluous. */
const DELIVERED_MS = 200

export class Marks {
  readonly #deadlines: Deadlines
  readonly #connection: () => Link | null
  /** Every message up to this log index has been received, without a gap. */
  #reach = 0
  /** Log index of the last message within #reach. */
  #delivered = 0
  #deliveredTold = 0
  #read = 0
  #readTold = 0
  #due: Deadline | null = null

  constructor(deadlines: Deadlines, connection: () => Link | null) {
    this.#deadlines = deadlines
    this.#connection = connection
  }

  /** `cursor`: the read mark as the service has it; it may be behind this client's own. */
  loggedIn(sameUser: boolean, cursor: number): void {
    if (!sameUser) this.#reach = this.#delivered = this.#read = 0
    this.#read = Math.max(this.#read, cursor)
    this.#reach = Math.max(this.#reach, this.#read)
    this.#readTold = this.#deliveredTold = cursor
  }

  /** Marks of another history say nothing. `cursor`: the read mark in the history that is served now. */
  historyChanged(cursor: number): void {
    this.loggedIn(false, cursor)
  }

  get read(): number {
    return this.#read
  }

  /** False: the mark is there or beyond it already. */
  acknowledge(index: number): boolean {
    if (index <= this.#read) return false
    this.#read = index
    this.#reach = Math.max(this.#reach, index)
    setImmediate(() => this.#tellRead())
    return true
  }

  /**
   * Every message after `after` and up to `through` was received; `last`: index of the last of
   * them, 0: there was none. Messages beyond a gap move no mark, because a mark covers all before
   * it.
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
