// Installing a view: the log is brought to where the new one's ends, by as many pulls as it takes, and
// last of all the view row is written. Once for each epoch (P8), and only where nothing higher is promised.

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { compareEpochs, formatEpoch, sameEpoch, type Epoch } from '../entries/epoch.js'
import type { Puller } from '../persistence/pull.js'
import type { Remembered } from '../machine/storage.js'
import type { Standing } from '../persistence/context.js'
import { sameIncarnation } from '../entries/incarnation.js'
import { syncTo } from './sync.js'

export interface InstallationEvents {
  /** From here on the log is not what was promised. */
  begins(): void
  remembered(): readonly Remembered[]
  installed(epoch: Epoch): void
  /** The installed view is active through `last`. */
  active(last: number): void
}

export class Installation {
  readonly #s: Standing
  readonly #puller: Puller
  readonly #events: InstallationEvents
  #message: The<'INSTALL'> | null = null
  /** Where the log of the installed view began: all of it is committed once all members have it. */
  #last = 0
  /** Views installed here since the start. */
  count = 0

  constructor(standing: Standing, puller: Puller, events: InstallationEvents) {
    this.#s = standing
    this.#puller = puller
    this.#events = events
  }

  begin(source: Slot, message: The<'INSTALL'>): void {
    const since = this.#s.promisedSinceStart
    const { self: slot, incarnation } = this.#s
    const { epoch } = message
    const applies =
      message.members.some((m) => m.slot === slot && sameIncarnation(m.incarnation, incarnation)) &&
      sameEpoch(this.#s.promised, epoch) &&
      since !== null &&
      sameEpoch(since, epoch) &&
      compareEpochs(this.#s.epoch, epoch) < 0
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
    if (this.#s.log.has(message.last) === true) {
      this.#writeView(message)
      return
    }
    this.#puller.ask(source, false, (pulled) => {
      if (this.#message !== message) return
      // The source could not read, or is out of reach for a moment: it stays the source of this view.
      if (!pulled) return this.#advance(source, message)
      if (!pulled.common) return this.giveUp()
      const limit = message.last.index
      const entries = pulled.entries.filter((entry) => entry.index <= limit)
      const require = { promised: message.epoch }
      const common = pulled.common
      syncTo(this.#s, { from: source, common, entries }, { require }, () =>
        this.#advance(source, message),
      )
    })
  }

  #writeView(message: The<'INSTALL'>): void {
    const { log } = this.#s
    const { epoch, members, last } = message
    const before = log.place
    if (log.last > last.index) log.truncateAfter(last.index)
    for (const known of message.incarnations) {
      this.#s.noteIncarnation(known.slot, known.incarnation)
    }
    const batch = {
      require: { promised: epoch, last: before },
      truncateAfter: last.index,
      commit: Math.max(log.commit, Math.min(message.commit, last.index)),
      view: { epoch, members },
      incarnations: this.#s.incarnationList,
      remembered: this.#events.remembered(),
    }
    this.#s.persist(batch, (result) => {
      if (result.outcome !== 'written') return
      this.#s.view = { epoch, members }
      if (this.#message !== message) {
        // It was given up meanwhile: the row counts, as it would after a restart.
        if (this.#s.status !== 'changing') this.#s.standOutside()
        return
      }
      this.#message = null
      this.#last = last.index
      this.#s.status = 'normal'
      this.#s.active = true
      this.count++
      log.commitThrough(batch.commit)
      this.#s.outbox.log('info', 'installed', {
        epoch: formatEpoch(epoch),
        members: members.map((m) => m.slot).join(' '),
        last: last.index,
      })
      this.#events.installed(epoch)
    })
  }

  /** ACTIVE may get lost: heartbeats of all members that have the view installed say the same. */
  heard(): void {
    const { serving, log, epoch, otherMembers, peers } = this.#s
    if (!serving || log.commit >= this.#last) return
    const everywhere = otherMembers.every((slot) => {
      const heartbeat = peers.get(slot)?.heartbeat
      return heartbeat && sameEpoch(heartbeat.installed, epoch)
    })
    if (everywhere) this.#events.active(this.#last)
  }
}
