// The command that a committed entry came from, by the ORDERs that coordinators have sent.

import type { Entry } from '../../../protocol/entries/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Host } from '../host.js'
import type { Check } from './check.js'

export type Command = The<'ORDER'>['commands'][number]

export class Commands implements Check {
  /** Commands of each order, by term/k. */
  readonly #orders = new Map<string, readonly Command[]>()

  sent(_from: Host, _to: Host, message: Message): void {
    if (message.type === 'ORDER') this.#orders.set(`${message.term}/${message.k}`, message.commands)
  }

  /** undefined: the coordinator was alone and sent no ORDER. */
  of({ term, k, place }: Entry): Command | undefined {
    return this.#orders.get(`${term}/${k}`)?.[place]
  }
}
