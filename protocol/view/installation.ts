// Installing a view: pulls bring the log to where the view's log ends, and the view row is written
// last. It happens once for each epoch (P8), and only while nothing higher is promised.

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { lastOf } from '../entries/batch.js'
import { compareEpochs, formatEpoch, sameEpoch, type Epoch } from '../entries/epoch.js'
import type { Puller } from '../persistence/pull.js'
import type { PersistenceContext } from '../persistence/context.js'
import { sameIncarnation } from '../entries/incarnation.js'
import type { Appender } from '../persistence/appender.js'
import type { Incarnations } from './incarnations.js'
import { syncTo } from './sync.js'

export interface InstallationEvents {
  /** From here on the log differs from the one that the promise described. */
  begins(): void
  installed(epoch: Epoch): void
}

export class Installation {
  readonly #context: PersistenceContext
  readonly #puller: Puller
  readonly #appender: Appender
  readonly #incarnations: Incarnations
  readonly #events: InstallationEvents
  #message: The<'INSTALL'> | null = null
  /**
   * End of the log with which the installed view began: once all members have the view, the log
   * through this index is committed.
   */
  #last = 0
  /** Views installed here since the start. */
  count = 0

  constructor(
    context: PersistenceContext,
    puller: Puller,
    appender: Appender,
    incarnations: Incarnations,
    events: InstallationEvents,
  ) {
    this.#context = context
    this.#puller = puller
    this.#appender = appender
    this.#incarnations = incarnations
    this.#events = events
  }

  begin(source: Slot, message: The<'INSTALL'>): void {
    const since = this.#context.promisedSinceStart
    const { self: slot, incarnation } = this.#context
    const { epoch } = message
    const applies =
      message.members.some((m) => m.slot === slot && sameIncarnation(m.incarnation, incarnation)) &&
      sameEpoch(this.#context.promised, epoch) &&
      since !== null &&
      sameEpoch(since, epoch) &&
      compareEpochs(this.#context.epoch, epoch) < 0
    if (!applies || this.#message) return
    this.#message = message
    this.#events.begins()
    this.#advance(source, message)
  }

  giveUp(): void {
    this.#message = null
  }

  #advance(source: Slot, message: The<'INSTALL'>): void {
    if (this.#message !== message) return
    if (this.#context.log.has(message.last) === true) {
      this.#writeView(message)
      return
    }
    this.#puller.ask(source, false, (pulled) => {
      if (this.#message !== message) return
      // The source could not read, or is out of reach for a moment: it stays the source of this
      // view.
      if (!pulled) return this.#advance(source, message)
      if (!pulled.common) return this.giveUp()
      const limit = message.last.index
      const batches = pulled.batches.filter((batch) => lastOf(batch) <= limit)
      const require = { promised: message.epoch }
      const common = pulled.common
      syncTo(this.#context, { from: source, common, batches }, { require }, () =>
        this.#advance(source, message),
      )
    })
  }

  #writeView(message: The<'INSTALL'>): void {
    const { log } = this.#context
    const { epoch, members, last } = message
    const before = log.place
    if (log.last > last.index) log.truncateAfter(last.index)
    for (const known of message.incarnations) {
      this.#context.noteIncarnation(known.slot, known.incarnation)
    }
    const batch = {
      require: { promised: epoch, last: before },
      truncateAfter: last.index,
      commit: Math.max(log.commit, Math.min(message.commit, last.index)),
      view: { epoch, members },
      incarnations: this.#context.incarnationList,
      remembered: this.#incarnations.remembered,
    }
    this.#context.persist(batch, (result) => {
      if (result.outcome !== 'written') return
      this.#context.view = { epoch, members }
      if (this.#message !== message) {
        // The installation was given up meanwhile: the row counts as after a restart.
        if (this.#context.status !== 'changing') this.#context.standOutside()
        return
      }
      this.#message = null
      this.#last = last.index
      this.#context.status = 'normal'
      this.#context.active = true
      this.count++
      log.commitThrough(batch.commit)
      this.#context.outbox.log('info', 'view-installed', {
        epoch: formatEpoch(epoch),
        members: members.map((m) => m.slot).join(' '),
        last: last.index,
      })
      this.#events.installed(epoch)
    })
  }

  /** ACTIVE may get lost: heartbeats show it too, once all members have the view installed. */
  heard(): void {
    const { serving, log, epoch, otherMembers, peers } = this.#context
    if (!serving || log.commit >= this.#last) return
    const everywhere = otherMembers.every((slot) => {
      const heartbeat = peers.get(slot)?.heartbeat
      return heartbeat && sameEpoch(heartbeat.installed, epoch)
    })
    if (everywhere) this.#appender.onActive(this.#last)
  }
}
