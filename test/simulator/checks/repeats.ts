// C2 for what is sent again: whether an answer is still known follows from the log alone, not from how
// far a replica has got in it.

import { KIND } from '../../../protocol/log/entry.js'
import { ERRORS } from '../../../protocol/errors.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { KEPT_ANSWERS } from '../../../protocol/order/state.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import { hex, type ClientLedger } from './ledger.js'

const OLD = ERRORS.OLD_DUPLICATE.code
const OF_BEFORE: readonly number[] = [0, ERRORS.CONFLICT.code, OLD]

export class RepeatCheck implements Check {
  readonly #ledger: ClientLedger
  readonly #orders = new Map<string, The<'ORDER'>['commands']>()

  constructor(history: History, ledger: ClientLedger) {
    this.#ledger = ledger
    history.onCommit((node) => this.#committed(node))
  }

  sent(_from: Host, _to: Host, message: Message): void {
    if (message.type === 'ORDER') this.#orders.set(`${message.term}/${message.k}`, message.commands)
  }

  #committed({ index, entry, meta }: Node): void {
    const { kind, answer } = meta!
    if (kind !== KIND.noop || !OF_BEFORE.includes(answer)) return
    const { term, k, part } = entry!
    const command = this.#orders.get(`${term}/${k}`)?.[part - 1]
    if (command?.kind !== 'send') return
    const { stream, seq } = command
    const next = this.#ledger.streams.get(hex(stream))?.next ?? 0
    if (seq >= next) return
    const old = seq < next - KEPT_ANSWERS
    expect((answer === OLD) === old, 'C2', () => {
      return `entry ${index} answers ${seq} of a stream at ${next} by ${answer}; ${KEPT_ANSWERS} are kept`
    })
  }
}
