// What a scripted writer knows of the persistence replicas: its links to them, and their last
// heartbeats.

import type { LinkId } from '../../../protocol/machine/machine.js'
import type { Slot } from '../../../protocol/slots.js'
import { compareEpochs } from '../../../protocol/entries/epoch.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'

interface Store {
  main: LinkId | null
  bulk: LinkId | null
  context: The<'STORE_HEARTBEAT'> | null
  /** Monotonic milliseconds. */
  heard: number
}

export class Stores {
  readonly slots: readonly Slot[]
  readonly #self: Slot
  readonly #stores: readonly Store[]

  /** `count` stores, as the writer `self` sees them. */
  constructor(self: Slot, count: number) {
    this.#self = self
    this.slots = Array.from({ length: count }, (_, i) => i + 1)
    this.#stores = this.slots.map(() => ({ main: null, bulk: null, context: null, heard: 0 }))
  }

  at(slot: Slot): Store {
    return this.#stores[slot - 1]!
  }

  get mains(): LinkId[] {
    return this.#stores.flatMap(({ main }) => (main === null ? [] : [main]))
  }

  /** The slot of the store that the link was the main link of; 0: none. */
  lost(link: LinkId): Slot {
    const slot = this.#slotOn(link)
    for (const store of this.#stores) if (store.bulk === link) store.bulk = null
    if (slot !== 0) Object.assign(this.at(slot), { main: null, context: null })
    return slot
  }

  #slotOn(link: LinkId): Slot {
    return this.#stores.findIndex(({ main }) => main === link) + 1
  }

  /** The slot of the store on this main link; 0: none. */
  hear(link: LinkId, message: Message, now: number): Slot {
    const slot = this.#slotOn(link)
    if (slot === 0) return 0
    const store = this.at(slot)
    store.heard = now
    if (message.type === 'STORE_HEARTBEAT') store.context = message
    return slot
  }

  /** Whether the store is in a view, was heard lately, and hears this writer. */
  serves(slot: Slot, now: number): boolean {
    const { main, context, heard } = this.at(slot)
    const heardNow = main !== null && now - heard < TIMINGS.suspect
    return heardNow && context?.status === 'normal' && !this.#isOver(context)
  }

  /** Another store is in a newer view, or this one does not hear the writer. */
  #isOver({ epoch, hears }: The<'STORE_HEARTBEAT'>): boolean {
    const newer = this.#stores.some(
      ({ main, context }) =>
        main !== null && context?.status === 'normal' && compareEpochs(context.epoch, epoch) > 0,
    )
    return newer || !hears.includes(this.#self)
  }
}
