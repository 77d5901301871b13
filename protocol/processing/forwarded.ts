// Commands that other replicas have handed to this coordinator, each counted once: a frame that came
// twice would have its second copy refused, and its client told that nothing was stored.

import type { Slot } from '../slots.js'
import type { Command } from '../state/decision.js'

export class Passed {
  /** By slot: its life, and the highest id of that life. A life's ids only grow. */
  readonly #newest = new Map<Slot, { readonly boot: string; readonly id: number }>()

  /** Those that have not come before. */
  fresh(commands: readonly Command[]): Command[] {
    return commands.filter(({ origin }) => {
      const { slot, boot, id } = origin
      const known = this.#newest.get(slot)
      if (known?.boot === boot && id <= known.id) return false
      this.#newest.set(slot, { boot, id })
      return true
    })
  }
}
