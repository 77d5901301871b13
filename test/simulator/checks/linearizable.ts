// Client histories are linearizable per mailbox. Checked at the end of a run, from nothing but what
// clients asked and were told.

import { decodeDrop, drops } from '../../../protocol/entries/drop.js'
import { KIND } from '../../../protocol/entries/entry.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Coverage } from '../coverage.js'
import type { History as Log } from '../history.js'
import type { Host } from '../host.js'
import { linearize, type Operation } from '../linearizable/linearize.js'
import {
  Mailbox,
  describeMailbox,
  withoutMessages,
  type MailboxOperation,
} from '../linearizable/mailbox.js'
import { minimal } from '../linearizable/minimal.js'
import { Recorder } from '../linearizable/recorder.js'
import { table } from '../linearizable/table.js'
import { Violation } from '../violation.js'
import type { Check } from './check.js'

type History = readonly Operation<MailboxOperation>[]

const isWrong = (history: History): boolean =>
  linearize(history, new Mailbox(history)) === 'not linearizable'

export class LinearizableCheck implements Check {
  readonly #coverage: Coverage
  readonly #recorder: Recorder
  /** The user that is logged in, by replica and client. */
  readonly #users = new Map<string, string>()

  /** Messages that expired, by mailbox: a page may show them or not. */
  readonly #expired = new Map<string, number[]>()

  constructor(log: Log, coverage: Coverage, now: () => number) {
    this.#coverage = coverage
    this.#recorder = new Recorder(now)
    log.onCommit(({ entry, meta }) => {
      if (meta!.kind !== KIND.expired) return
      const drop = decodeDrop(entry!)
      const gone = log.ledger.flatMap((one) =>
        one.entry && drops(drop, one.entry) ? one.index : [],
      )
      this.#expired.set(drop.mailbox, [...(this.#expired.get(drop.mailbox) ?? []), ...gone])
    })
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'SESSION') this.#users.set(`${from.name}/${to.name}`, message.name)
    if (from.role !== 'client') return
    this.#recorder.asked(from.name, this.#users.get(`${to.name}/${from.name}`) ?? '', message)
  }

  delivered(_from: Host, to: Host, message: Message): void {
    if (to.role === 'client') this.#recorder.answered(to.name, message)
  }

  ended(): void {
    for (const [mailbox, asked] of this.#recorder.histories()) {
      const history = this.#withExpiry(mailbox, asked)
      const verdict = linearize(history, new Mailbox(history))
      this.#coverage.reach(`mailbox ${verdict}`)
      if (verdict === 'not linearizable') throw this.#violation(mailbox, history)
    }
  }

  /** No client is told of an expiry: it is like a deletion without an answer. */
  #withExpiry(mailbox: string, history: History): History {
    const indices = this.#expired.get(mailbox)
    if (!indices) return history
    const what = { kind: 'delete', indices, index: null } as const
    return [...history, { called: -1, returned: Infinity, who: 'retention', what }]
  }

  #violation(mailbox: string, history: History): Violation {
    const least = minimal(history, isWrong, withoutMessages)
    const text = table(least, describeMailbox, (place) => this.#recorder.times[place]!)
    const told = `the mailbox of ${mailbox} cannot have answered so (${least.length} of ${history.length} operations, seconds):`
    return new Violation('linearizable', `${told}\n${text}`)
  }
}
