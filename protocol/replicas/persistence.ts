// A persistence replica: the log, the turn, the view and the reads, composed into one machine. Here
// is only who hears what: epochs are checked before any part sees a message of the turn or the log.

import { invariant } from '../assert.js'
import type { Durations } from '../durations.js'
import type { Effect, Input, LinkId, Machine, Now, Peer } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Message, The } from '../messages/catalogue.js'
import { nonsenseIn } from '../messages/validate.js'
import { compareEpochs, formatEpoch, type Epoch } from '../entries/epoch.js'
import { Appender } from '../persistence/appender.js'
import { Drops } from '../persistence/eraser.js'
import { Feeds } from '../persistence/feed.js'
import { InView } from '../persistence/epoch-gate.js'
import { Leases } from '../persistence/lease.js'
import { Puller } from '../persistence/pull.js'
import { Reads } from '../persistence/reads.js'
import type { LogView } from '../persistence/tail.js'
import { Waist } from '../persistence/log-service.js'
import { ViewChange } from '../view/change.js'
import { sayViewHeartbeat } from '../view/heartbeat.js'
import { Life } from '../view/incarnations.js'
import { Standing, type PeerMessage, type Status } from '../persistence/context.js'
import { Trial } from '../view/disk-probe.js'
import { describePersistence, persistenceMetrics } from './persistence-report.js'
import type { PersistenceConfig } from '../machine/config.js'
import type { PERSISTENCE_DURATIONS, PersistenceMetrics } from '../machine/metrics.js'
import { TierLinks } from '../machine/tier-links.js'

export class PersistenceReplica implements Machine {
  readonly #s: Standing
  readonly #leases: Leases
  readonly #puller: Puller
  readonly #appender: Appender
  readonly #view: ViewChange
  readonly #life: Life
  readonly #reads: Reads
  readonly #drops: Drops
  readonly #feeds: Feeds
  readonly #waist: Waist
  readonly #inView: InView
  readonly #trial: Trial
  readonly #tier: TierLinks<The<'VIEW_HEARTBEAT'>>
  #lastHeartbeat = -Infinity
  #draining = false
  #saidStatus = ''

  constructor(config: PersistenceConfig) {
    this.#s = new Standing(config)
    this.#tier = new TierLinks(this.#s)
    this.#leases = new Leases(this.#s)
    this.#puller = new Puller(this.#s)
    this.#life = new Life(this.#s, config.recovered?.remembered ?? [])
    this.#reads = new Reads(this.#s, (mailbox) => this.#drops.hidden(mailbox))
    this.#drops = new Drops(this.#s, config.recovered?.drops ?? [], (mailbox) =>
      this.#reads.dropped(mailbox),
    )
    this.#feeds = new Feeds(this.#s)
    this.#trial = new Trial(this.#s)
    this.#appender = new Appender(this.#s, this.#leases, this.#puller, {
      committed: () => this.#rememberAcks(),
    })
    this.#inView = new InView(this.#s, this.#appender)
    this.#waist = new Waist(this.#s, this.#leases, this.#appender, this.#feeds, this.#reads)
    this.#s.onWriteFailed = (result) => {
      this.#s.writable = false
      if (this.#s.status === 'outside' || this.#s.status === 'learner') return
      this.#s.outbox.log('error', 'write-failed', { outcome: result.outcome })
      this.#view.leave()
    }
    this.#view = new ViewChange(this.#s, this.#puller, {
      left: () => {
        this.#appender.leftView()
        this.#inView.promised()
      },
      installed: () => {
        this.#appender.installed()
        this.#inView.installed()
      },
      active: (last) => this.#appender.onActive(last),
      stuckOn: () => this.#stuckOn(),
      remembered: () => this.#life.remembered,
      superseded: () => this.#startAnew(),
    })
  }

  get status(): Status {
    return this.#s.status
  }

  get installedEpoch(): Epoch {
    return this.#s.epoch
  }

  get holdsTurn(): boolean {
    return this.#s.serving && this.#appender.turn.holding
  }

  get log(): LogView {
    return this.#s.log
  }

  step(input: Input, now: Now): Effect[] {
    this.#s.now = now
    switch (input.type) {
      case 'link-up':
        this.#linkUp(input.link, input.peer)
        break
      case 'link-down':
        this.#linkDown(input.link)
        break
      case 'message':
        this.#onMessage(input.link, input.message)
        break
      case 'tick':
        this.#tick()
        break
      case 'stored':
        this.#s.outbox.onStored(input.token, input.result)
        break
      case 'read':
        this.#s.outbox.onRead(input.token, input.result)
        break
      case 'drain':
        this.#draining = true
        this.#appender.draining = true
        this.#s.outbox.log('info', 'draining')
        break
      case 'computed':
      case 'progress':
        break
    }
    this.#settle()
    return this.#s.outbox.take()
  }

  /** What every step ends with: the turn moves on, followers and readers get what is there. */
  #settle(): void {
    this.#appender.pump()
    this.#drops.pump()
    this.#feeds.pump()
    this.#reads.pump()
    const { log, status } = this.#s
    invariant(log.commit <= log.last, `log: committed ${log.commit} beyond its end ${log.last}`)
    invariant(compareEpochs(this.#s.epoch, this.#s.promised) <= 0, 'P4: installed above promised')
    const leased = this.#leases.ownSize > 0
    const said = `${status} ${formatEpoch(this.#s.epoch)} ${this.#s.writable} ${leased}`
    if (said !== this.#saidStatus) {
      this.#saidStatus = said
      this.#heartbeat()
    }
    if (this.#draining) this.#drain()
  }

  #drain(): void {
    const { turn, writers } = this.#appender
    const done = !this.#s.serving || (writers.unanswered === 0 && this.#s.writing === 0)
    if (!done) return
    if (this.#s.serving && turn.holding) turn.leave()
    this.#draining = false
    this.#s.outbox.stopped()
  }

  // ---- links ----------------------------------------------------------------------------------

  #linkUp(link: LinkId, peer: Peer): void {
    if (peer.role === 'client') {
      this.#s.outbox.close(link, 'clients speak to processing replicas')
      return
    }
    if (peer.role === 'processing') {
      this.#waist.linkUp(link, peer.slot, peer.boot, peer.lane)
      return
    }
    if (peer.lane !== 'main') return
    const old = this.#s.peers.get(peer.slot)
    if (old) this.#lose(old.link)
    this.#tier.up(link, peer.slot, peer.boot)
    sayViewHeartbeat(this.#s, this.#leases, [peer.slot])
    this.#life.linked(peer.slot)
    this.#appender.reconnected(peer.slot)
    this.#view.reconnected(peer.slot)
  }

  #linkDown(link: LinkId): void {
    this.#lose(link)
    this.#waist.linkDown(link)
  }

  #lose(link: LinkId): void {
    const slot = this.#tier.down(link)
    if (slot === undefined) return
    this.#inView.forget(link)
    this.#puller.lost(slot)
    this.#view.lost(slot)
    this.#view.maintain()
  }

  // ---- time -----------------------------------------------------------------------------------

  #tick(): void {
    const { now, timings } = this.#s
    this.#tier.tick()
    for (const link of this.#tier.silent) {
      this.#s.outbox.close(link, 'silent')
      this.#lose(link)
    }
    this.#trial.tick()
    this.#life.tick()
    this.#reads.tick()
    if (now.monotonic - this.#lastHeartbeat >= timings.heartbeat) this.#heartbeat()
    this.#view.maintain()
    // After a view that is given up here: what it lacked is not pulled any more.
    this.#puller.tick()
  }

  #heartbeat(): void {
    this.#lastHeartbeat = this.#s.now.monotonic
    sayViewHeartbeat(this.#s, this.#leases, [...this.#s.peers.keys()])
    this.#waist.sayHeartbeats()
  }

  /** Members who have deferred us, or a commit that does not come: ground for suspicion. */
  #stuckOn(): readonly Slot[] {
    const { now, timings } = this.#s
    const since = this.#appender.wantingSince
    if (since === 0 || now.monotonic - since <= 4 * timings.suspect) return []
    return this.#appender.turn.missing
  }

  #rememberAcks(): void {
    // The commit index is final: what members have acknowledged up to it they must still hold.
    for (const [slot, acked] of this.#appender.acked) {
      const incarnation = this.#s.view.members.find((m) => m.slot === slot)?.incarnation
      const through = Math.min(acked, this.#s.log.commit)
      if (incarnation) this.#life.remember(slot, incarnation, this.#s.epoch, through)
    }
  }

  #startAnew(): void {
    this.#view.leave()
    this.#life.startAnew()
    this.#reads.abandon()
  }

  // ---- messages -------------------------------------------------------------------------------

  #onMessage(link: LinkId, message: Message): void {
    const slot = this.#tier.current(link)
    if (slot !== undefined) this.#fromPeer(slot, link, message)
    else if (this.#waist.owns(link)) this.#waist.onMessage(link, message)
  }

  #fromPeer(from: Slot, link: LinkId, received: Message): void {
    if (!('installed' in received)) {
      this.#s.outbox.close(link, `${received.type} does not belong on this connection`)
      return
    }
    const message: PeerMessage = received
    const peer = this.#s.peers.get(from)!
    const nonsense = nonsenseIn(message, from) ?? this.#s.absurdIn(message)
    if (nonsense !== null) return this.#s.distrust(from, nonsense)
    if (!this.#s.clock.receive(message.clock)) {
      this.#s.outbox.log('error', 'clock-jump', { peer: from, clock: message.clock })
      this.#s.outbox.close(link, 'a Lamport stamp that jumps absurdly far')
      return
    }
    peer.heard = this.#s.now.monotonic
    this.#s.noteEpoch(message.installed)
    this.#s.noteEpoch(message.promised)
    this.#s.noteIncarnation(from, message.incarnation)
    if (
      compareEpochs(message.installed, this.#s.epoch) > 0 &&
      this.#s.isAbovePromise(message.installed)
    ) {
      this.#view.onHigherView()
    }
    this.#dispatch(from, link, message)
  }

  #dispatch(from: Slot, link: LinkId, message: PeerMessage): void {
    switch (message.type) {
      case 'REQUEST':
      case 'REPLY':
      case 'REPLICATE':
      case 'ACK':
      case 'COMMIT':
      case 'ACTIVE':
        this.#inView.receive(from, link, message)
        return
      case 'VIEW_HEARTBEAT':
        this.#s.peers.get(from)!.heartbeat = message
        if (message.resign > 0) this.#leases.passResign(message.resign)
        this.#inView.heard(from, message)
        this.#view.installation.heard()
        this.#view.maintain()
        return
      case 'PULL':
        this.#puller.onPull(from, message)
        return
      case 'PULLED':
        this.#puller.onPulled(from, message)
        return
      case 'LAST_ASK':
        this.#reads.onLastAsk(from, message)
        return
      case 'LAST_IS':
        this.#reads.onLastIs(from, message)
        return
      case 'RECALL':
        if (this.#life.onRecall(message)) this.#startAnew()
        return
      case 'WHO_AM_I':
        this.#life.onWhoAmI(from)
        return
      case 'YOU_ARE':
        this.#life.onYouAre(from, message)
        return
      default:
        if (this.#s.incarnation.counter > 0) this.#changeView(from, message)
    }
  }

  #changeView(
    from: Slot,
    message: The<
      | 'STALE'
      | 'JOIN'
      | 'JOINING'
      | 'ASK'
      | 'CONSENT'
      | 'PREPARE'
      | 'PROMISE'
      | 'INSTALL'
      | 'INSTALLED'
    >,
  ): void {
    switch (message.type) {
      case 'STALE':
        this.#view.onStale(message)
        return
      case 'JOIN':
        this.#view.joining.onJoin(from, message)
        this.#view.maintain()
        return
      case 'JOINING':
        this.#view.joining.onJoining()
        return
      case 'ASK':
        this.#view.onAsk(from, message)
        return
      case 'CONSENT':
        this.#view.onConsent(from, message)
        return
      case 'PREPARE':
        this.#view.onPrepare(from, message)
        return
      case 'PROMISE':
        this.#life.remember(from, message.incarnation, message.epoch, 0)
        this.#view.onPromise(from, message)
        return
      case 'INSTALL':
        this.#view.onInstall(from, message)
        return
      case 'INSTALLED':
        this.#view.onInstalled(from, message)
    }
  }

  // ---- for people -----------------------------------------------------------------------------

  describe(word: string): string | undefined {
    return describePersistence(word, this.#s, this.#appender, this.#view.proposing)
  }

  durations(): Record<keyof typeof PERSISTENCE_DURATIONS, Durations> {
    return { troca_turn_wait_seconds: this.#appender.turnWaits }
  }

  metrics(): PersistenceMetrics {
    return persistenceMetrics(this.#s, this.#appender, this.#view, this.#feeds.followers)
  }
}
