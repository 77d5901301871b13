// A test write at the start and after a full disk: who cannot write joins no view.

import { maxEpoch } from '../entries/epoch.js'
import type { Standing } from '../persistence/context.js'

const EVERY_MS = 500

export class Trial {
  readonly #s: Standing
  #last = -Infinity

  constructor(standing: Standing) {
    this.#s = standing
  }

  tick(): void {
    const { incarnation, writable, writing, now } = this.#s
    if (incarnation.counter === 0 || writable || writing > 0) return
    if (now.monotonic - this.#last < EVERY_MS) return
    this.#last = now.monotonic
    this.#s.persist({ promised: this.#s.promised }, (result) => {
      this.#s.writable = result.outcome === 'written'
      if (result.outcome !== 'written') return
      this.#s.durablePromised = maxEpoch(this.#s.durablePromised, result.durable.promised)
    })
  }
}
