// A test write at the start and after a full disk: a replica that cannot write joins no view.

import { maxEpoch } from '../entries/epoch.js'
import type { PersistenceContext } from '../persistence/context.js'

const EVERY_MS = 500

export class DiskProbe {
  readonly #context: PersistenceContext
  #last = -Infinity

  constructor(context: PersistenceContext) {
    this.#context = context
  }

  tick(): void {
    const { incarnation, writable, writing, now } = this.#context
    if (incarnation.counter === 0 || writable || writing > 0) return
    if (now.monotonic - this.#last < EVERY_MS) return
    this.#last = now.monotonic
    this.#context.persist({ promised: this.#context.promised }, (result) => {
      this.#context.writable = result.outcome === 'written'
      if (result.outcome !== 'written') return
      this.#context.durablePromised = maxEpoch(
        this.#context.durablePromised,
        result.durable.promised,
      )
    })
  }
}
