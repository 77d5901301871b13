// Commands that other replicas have forwarded to this coordinator, each counted once: otherwise the
// second copy of a repeated frame would be refused, and the client told that nothing was stored.

import type { Slot } from '../slots.js'
import type { Command } from '../state/commands/registry.js'

export class ForwardedCommands {
  /** By slot: the boot of its process, and the highest id of that boot. Ids of a boot only grow. */
  readonly #newest = new Map<Slot, { readonly boot: string; readonly id: number }>()

  /** The commands that have not come before. */
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
