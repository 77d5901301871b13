// Appends of processing replicas: those that wait for the turn, and those whose entries are in the
// log and wait for their commit. A view change puts the second before the first, in order: an
// append without an answer is simply done again.

import type { LinkId } from '../machine/machine.js'
import type { Message } from '../messages/catalogue.js'
import type { Pending } from './admission.js'

interface Uncommitted {
  readonly pending: Pending
  /** The answer is sent when this index is committed. */
  readonly through: number
  readonly answer: () => Message
}

/** Items that may wait at one replica; each is at most one order. */
const MAX_WAITING = 256

export class AppendQueue {
  #queue: Pending[] = []
  #unanswered: Uncommitted[] = []

  get waiting(): number {
    return this.#queue.length
  }

  get unanswered(): number {
    return this.#unanswered.length
  }

  /** Monotonic ms at which the oldest append arrived; undefined: there is none. */
  get oldest(): number | undefined {
    return this.#unanswered[0]?.pending.since ?? this.#queue[0]?.since
  }

  /** False: the queue is full. */
  add(pending: Pending): boolean {
    if (this.#queue.length >= MAX_WAITING) return false
    this.#queue.push(pending)
    return true
  }

  peek(): Pending | undefined {
    return this.#queue[0]
  }

  shift(): void {
    this.#queue.shift()
  }

  answerAt(pending: Pending, through: number, answer: () => Message): void {
    this.#unanswered.push({ pending, through, answer })
  }

  /** Removes and returns the answers to appends committed through `commit`, in order. */
  answered(commit: number): { readonly link: LinkId; readonly message: Message }[] {
    const done: { link: LinkId; message: Message }[] = []
    while (this.#unanswered.length > 0 && this.#unanswered[0]!.through <= commit) {
      const { pending, answer } = this.#unanswered.shift()!
      done.push({ link: pending.link, message: answer() })
    }
    return done
  }

  putBack(): void {
    this.#queue = [...this.#unanswered.map(({ pending }) => pending), ...this.#queue]
    this.#unanswered = []
  }

  forget(link: LinkId): void {
    this.#queue = this.#queue.filter((pending) => pending.link !== link)
  }
}
