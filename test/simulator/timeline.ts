// Virtual time: a binary heap of events, in milliseconds. Events of one moment run in the order in
// which they were scheduled, so a run has exactly one course.

import { Violation } from './violation.js'

/** A run with more events than this has no end: its machines send messages in circles. */
const MAX_EVENTS = 5_000_000
const LOOK_MS = 20

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class Timeline {
  readonly #heap: Event[] = []
  #now = 0
  #order = 0

  get now(): number {
    return this.#now
  }

  get events(): number {
    return this.#order
  }

  /** Runs `run` after `delay` ms, never before the present event has ended. */
  after(delay: number, run: () => void): void {
    const heap = this.#heap
    const event = { at: this.#now + Math.max(0, delay), order: ++this.#order, run }
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(event, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }

  /** Runs the next event; false: there is none. */
  step(): boolean {
    const heap = this.#heap
    const next = heap[0]
    if (!next) return false
    const last = heap.pop()!
    if (heap.length > 0) this.#sink(last)
    this.#now = next.at
    next.run()
    return true
  }

  /** Runs events until `done`, which is asked now and then, or until there are none. */
  until(done: () => boolean): void {
    let nextLook = this.#now
    while (this.step()) {
      if (this.#now < nextLook) continue
      if (done()) return
      if (this.events > MAX_EVENTS) throw new Violation('P7', 'messages without end')
      nextLook = this.#now + LOOK_MS
    }
  }

  /** Runs the events of the next `ms` milliseconds. */
  pass(ms: number): void {
    const end = this.#now + ms
    this.until(() => this.#now >= end)
  }

  #sink(event: Event): void {
    const heap = this.#heap
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, event)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = event
  }
}
