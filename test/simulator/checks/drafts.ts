// The drafts that the processing tier asks the log service to append. C1 and C2 begin here: they
// bind the bytes of the log to the replica that first asked for them.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { History } from '../history.js'
import type { Host } from '../host.js'
import type { Check } from './check.js'

export class DraftCheck implements Check {
  readonly #history: History

  constructor(history: History) {
    this.#history = history
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type === 'APPEND') this.#append(from, message)
  }

  #append(from: Host, message: The<'APPEND'>): void {
    if (message.term === 0) return
    const owner = { slot: from.slot, boot: from.boot }
    const { term, k, head, bodies } = message
    this.#history.drafted(term, k, { owner, head, bodies })
  }
}
