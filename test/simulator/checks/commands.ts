// Which command a committed entry came of, from the orders that coordinators have given.

import type { Entry } from '../../../protocol/entries/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Host } from '../host.js'
import type { Check } from './check.js'

export type Command = The<'ORDER'>['commands'][number]

export class Commands implements Check {
  /** By term/k. */
  readonly #orders = new Map<string, readonly Command[]>()

  sent(_from: Host, _to: Host, message: Message): void {
    if (message.type === 'ORDER') this.#orders.set(`${message.term}/${message.k}`, message.commands)
  }

  /** Undefined: nobody else was there to hear the order. */
  of({ term, k, part }: Entry): Command | undefined {
    return this.#orders.get(`${term}/${k}`)?.[part - 1]
  }
}
