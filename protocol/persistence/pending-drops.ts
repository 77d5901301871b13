// DROPs that are committed and not yet carried out in the file. Until then, pages leave out the
// messages that these DROPs name.

import type { Drop } from '../entries/drop.js'

/**
 * Messages of a mailbox that the file may still hold: those in `indices`, and all up to `through`.
 */
export interface Hidden {
  readonly through: number
  readonly indices: readonly number[]
}

export class PendingDrops {
  /** In log order. */
  #drops: Drop[] = []

  get drops(): readonly Drop[] {
    return this.#drops
  }

  add(drop: Drop): void {
    this.#drops.push(drop)
  }

  /** The first `count` are carried out. */
  carriedOut(count: number): void {
    this.#drops = this.#drops.slice(count)
  }

  hidden(mailbox: string): Hidden {
    let through = 0
    const indices: number[] = []
    for (const drop of this.#drops) {
      if (drop.mailbox !== mailbox) continue
      if (drop.indices) indices.push(...drop.indices)
      else through = Math.max(through, drop.through)
    }
    return { through, indices }
  }
}
