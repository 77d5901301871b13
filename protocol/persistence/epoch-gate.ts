// The turn and the log exist only inside an installed epoch: messages of a lower epoch are refused,
// messages of the epoch promised and not yet installed are kept.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { PersistenceContext } from './context.js'
import type { Appender } from './appender.js'
import { compareEpochs, sameEpoch } from '../entries/epoch.js'

export type ViewMessage = The<'REQUEST' | 'REPLY' | 'REPLICATE' | 'ACK' | 'COMMIT' | 'ACTIVE'>

const MAX_KEPT = 1_024

interface Kept {
  readonly from: Slot
  readonly link: LinkId
  readonly message: ViewMessage
}

export class EpochGate {
  readonly #context: PersistenceContext
  readonly #appender: Appender
  #kept: Kept[] = []

  constructor(context: PersistenceContext, appender: Appender) {
    this.#context = context
    this.#appender = appender
  }

  receive(from: Slot, link: LinkId, message: ViewMessage): void {
    const { epoch } = message
    const { promised, serving } = this.#context
    if (serving && sameEpoch(epoch, this.#context.epoch)) {
      this.#use(from, message)
      return
    }
    const coming = sameEpoch(epoch, promised) && compareEpochs(epoch, this.#context.epoch) > 0
    if (coming && this.#kept.length < MAX_KEPT) this.#kept.push({ from, link, message })
    else if (compareEpochs(epoch, promised) < 0) this.#context.send(from, { type: 'STALE', epoch })
  }

  #use(from: Slot, message: ViewMessage): void {
    switch (message.type) {
      case 'REQUEST':
        this.#appender.onRequest(from, message)
        return
      case 'REPLY':
        this.#appender.onReply(from, message)
        return
      case 'REPLICATE':
        this.#appender.onReplicate(from, message)
        return
      case 'ACK':
        this.#appender.onAck(from, message)
        return
      case 'COMMIT':
        this.#appender.onCommit(from, message.commit)
        return
      case 'ACTIVE':
        this.#appender.onActive(message.last)
    }
  }

  /**
   * A pull may fail, a COMMIT get lost, and writes may end: entries that a member serving in this
   * view has committed are committed here too, or pulled.
   */
  heard(from: Slot, message: The<'VIEW_HEARTBEAT'>): void {
    const { serving, log, epoch } = this.#context
    const { status, installed, promised, committed } = message
    const serves = status === 'normal' && sameEpoch(installed, epoch) && sameEpoch(promised, epoch)
    if (serving && serves && committed > log.commit) this.#appender.onCommit(from, committed)
  }

  /** A higher epoch is promised: only messages of that one are still of use. */
  promised(): void {
    this.#kept = this.#kept.filter(({ message }) =>
      sameEpoch(message.epoch, this.#context.promised),
    )
  }

  /** A REQUEST that overtook INSTALL must not be lost: its sender would wait for ever. */
  installed(): void {
    const kept = this.#kept
    this.#kept = []
    for (const { from, message } of kept) {
      if (sameEpoch(message.epoch, this.#context.epoch)) this.#use(from, message)
    }
  }

  forget(link: LinkId): void {
    this.#kept = this.#kept.filter((kept) => kept.link !== link)
  }
}
