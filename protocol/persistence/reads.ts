// Linearizable reads without a coordinator: r is the `last` of the highest (logView, last) among a
// majority of voters asked after the read arrived. A replica whose committed log reaches r may
// answer. Many reads share one round.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { PersistenceContext } from './context.js'
import type { PendingDrops } from './pending-drops.js'
import { compareEpochs, type Epoch } from '../entries/epoch.js'

const PAGE_BYTES = 160 * 1024

interface Page {
  readonly kind: 'page'
  readonly link: LinkId
  readonly message: The<'READ'>
}

type PendingRead = Page | { readonly kind: 'tip'; readonly link: LinkId; readonly request: number }

/** A page that is being read from the file. */
interface Reading {
  readonly read: Page
  /**
   * Messages of the mailbox were deleted during the read: the page may show the state of no single
   * moment.
   */
  torn: boolean
}

interface Waiting {
  readonly through: number
  readonly since: number
  readonly read: PendingRead
}

interface Round {
  readonly id: number
  readonly since: number
  readonly answers: Map<Slot, { readonly logView: Epoch; readonly last: number }>
  readonly reads: readonly PendingRead[]
}

export class Reads {
  readonly #context: PersistenceContext
  #next = 0
  #waitingForRound: PendingRead[] = []
  #round: Round | null = null
  /** Reads whose round is done: each waits for the committed log to reach `through`. */
  #waitingForLog: Waiting[] = []
  readonly #reading = new Set<Reading>()
  readonly #drops: PendingDrops

  constructor(context: PersistenceContext, drops: PendingDrops) {
    this.#context = context
    this.#drops = drops
  }

  get waiting(): boolean {
    return this.#round !== null || this.#waitingForLog.length > 0
  }

  dropped(mailbox: string): void {
    for (const reading of this.#reading) {
      if (reading.read.message.mailbox === mailbox) reading.torn = true
    }
  }

  add(read: PendingRead): void {
    this.#waitingForRound.push(read)
    if (!this.#round) this.#begin()
  }

  #begin(): void {
    if (this.#waitingForRound.length === 0) return
    const since = this.#context.now.monotonic
    this.#round = { id: ++this.#next, since, answers: new Map(), reads: this.#waitingForRound }
    this.#waitingForRound = []
    if (this.#context.votes) {
      this.#answered(this.#context.self, this.#context.epoch, this.#context.log.durable)
      if (!this.#round) return
    }
    this.#context.broadcast([...this.#context.peers.keys()], {
      type: 'LAST_ASK',
      round: this.#round.id,
    })
  }

  onLastAsk(from: Slot, message: The<'LAST_ASK'>): void {
    this.#context.send(from, {
      type: 'LAST_IS',
      round: message.round,
      logView: this.#context.epoch,
      last: this.#context.log.durable,
      learner: !this.#context.votes,
    })
  }

  onLastIs(from: Slot, message: The<'LAST_IS'>): void {
    if (this.#round?.id !== message.round || message.learner) return
    this.#answered(from, message.logView, message.last)
  }

  #answered(slot: Slot, logView: Epoch, last: number): void {
    const round = this.#round!
    round.answers.set(slot, { logView, last })
    if (round.answers.size < this.#context.majority) return
    const newest = [...round.answers.values()].reduce((a, b) =>
      (compareEpochs(a.logView, b.logView) || a.last - b.last) >= 0 ? a : b,
    )
    const since = this.#context.now.monotonic
    for (const read of round.reads) {
      this.#waitingForLog.push({ through: newest.last, since, read })
    }
    this.#round = null
    this.#begin()
  }

  /** Called at the end of each step, after the drops of newly committed entries are noted. */
  pump(): void {
    const reach = Math.min(this.#context.log.commit, this.#context.log.durable)
    if (reach < this.#context.erasedThrough) return
    const ready = this.#waitingForLog.filter(({ through }) => through <= reach)
    if (ready.length === 0) return
    this.#waitingForLog = this.#waitingForLog.filter(({ through }) => through > reach)
    for (const waiting of ready) this.#answer(waiting, reach)
  }

  #answer({ read, since }: Waiting, through: number): void {
    const { outbox } = this.#context
    if (read.kind === 'tip') {
      outbox.send(read.link, { type: 'TIP_IS', request: read.request, index: through })
      return
    }
    const { request, mailbox, limit } = read.message
    const { through: goneThrough, indices: without } = this.#drops.hidden(mailbox)
    const after = Math.max(read.message.after, goneThrough)
    const bounds = { after, through, without, limit, maxBytes: PAGE_BYTES }
    const reading = { read, torn: false }
    this.#reading.add(reading)
    outbox.read({ kind: 'mailbox', mailbox, ...bounds }, (result) => {
      // The read was given up meanwhile.
      if (!this.#reading.delete(reading)) return
      if (reading.torn) {
        this.#waitingForLog.push({ through, since, read })
        return
      }
      if (result.kind !== 'mailbox') {
        outbox.send(read.link, { type: 'NOT_YET', request })
        return
      }
      const { messages, more } = result
      outbox.send(read.link, { type: 'READ_PAGE', request, messages, through, more })
    })
  }

  tick(): void {
    const { now, timings } = this.#context
    if (this.#round && now.monotonic - this.#round.since > timings.readPatience) {
      for (const read of this.#round.reads) this.#notYet(read)
      this.#round = null
      this.#begin()
    }
    const late = this.#waitingForLog.filter(
      ({ since }) => now.monotonic - since > timings.readPatience,
    )
    if (late.length === 0) return
    this.#waitingForLog = this.#waitingForLog.filter((waiting) => !late.includes(waiting))
    for (const { read } of late) this.#notYet(read)
  }

  /** The own answer no longer counts, nor do the rounds and pages that rest on it (P9). */
  abandon(): void {
    const reads = [
      ...(this.#round?.reads ?? []),
      ...this.#waitingForRound,
      ...this.#waitingForLog.map(({ read }) => read),
      ...[...this.#reading].map(({ read }) => read),
    ]
    this.#round = null
    this.#waitingForRound = []
    this.#waitingForLog = []
    this.#reading.clear()
    for (const read of reads) this.#notYet(read)
  }

  #notYet(read: PendingRead): void {
    const request = read.kind === 'tip' ? read.request : read.message.request
    this.#context.outbox.send(read.link, { type: 'NOT_YET', request })
  }

  forget(link: LinkId): void {
    this.#waitingForRound = this.#waitingForRound.filter((read) => read.link !== link)
    this.#waitingForLog = this.#waitingForLog.filter(({ read }) => read.link !== link)
  }
}
