// A persistence replica: the log, the turn, the view and the reads, composed into one machine. It
// only routes inputs: epochs are checked before any part sees a message of the turn or the log.

import { invariant } from '../assert.js'
import type { Durations } from '../durations.js'
import type { DebugWords, Effect, Input, LinkId, Machine, Now, Peer } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Message, The } from '../messages/catalogue.js'
import { whyInvalid } from '../messages/validate.js'
import { compareEpochs, formatEpoch, type Epoch } from '../entries/epoch.js'
import { Appender } from '../persistence/appender.js'
import { Eraser } from '../persistence/eraser.js'
import { Feeds } from '../persistence/feed.js'
import { EpochGate } from '../persistence/epoch-gate.js'
import { Leases } from '../persistence/lease.js'
import { Puller } from '../persistence/pull.js'
import { PendingDrops } from '../persistence/pending-drops.js'
import { Reads } from '../persistence/reads.js'
import type { LogView } from '../persistence/tail.js'
import { LogService } from '../persistence/log-service.js'
import { ViewChange } from '../view/change.js'
import { sayViewHeartbeat } from '../view/heartbeat.js'
import { Incarnations } from '../view/incarnations.js'
import { PersistenceContext, type PeerMessage, type Status } from '../persistence/context.js'
import { DiskProbe } from '../view/disk-probe.js'
import { persistenceWords, persistenceMetrics } from './persistence-report.js'
import type { PersistenceConfig } from '../machine/config.js'
import type { PERSISTENCE_DURATIONS, PersistenceMetrics } from '../machine/metrics.js'
import { TierLinks } from '../machine/tier-links.js'

export class PersistenceReplica implements Machine {
  readonly #context: PersistenceContext
  readonly #tier: TierLinks<The<'VIEW_HEARTBEAT'>>
  readonly #leases: Leases
  readonly #puller: Puller
  readonly #appender: Appender
  readonly #gate: EpochGate
  readonly #incarnations: Incarnations
  readonly #reads: Reads
  readonly #eraser: Eraser
  readonly #feeds: Feeds
  readonly #service: LogService
  readonly #probe: DiskProbe
  readonly #view: ViewChange
  readonly debugWords: DebugWords
  #lastHeartbeat = -Infinity
  /** Acknowledgements up to this commit index are remembered. */
  #remembered = 0
  #draining = false
  /** When somebody last waited for what is committed, monotonic ms. */
  #urgentAt = -Infinity
  #saidStatus = ''

  constructor(config: PersistenceConfig) {
    const context = new PersistenceContext(config)
    const leases = new Leases(context)
    const puller = new Puller(context)
    const pendingDrops = new PendingDrops()
    const reads = new Reads(context, pendingDrops)
    const feeds = new Feeds(context)
    const appender = new Appender(context, leases, puller)
    const gate = new EpochGate(context, appender)
    const incarnations = new Incarnations(context, config.recovered?.remembered ?? [])
    this.#context = context
    this.#tier = new TierLinks(context)
    this.#leases = leases
    this.#puller = puller
    this.#reads = reads
    this.#eraser = new Eraser(context, pendingDrops, reads, config.recovered?.drops ?? [])
    this.#feeds = feeds
    this.#appender = appender
    this.#gate = gate
    this.#incarnations = incarnations
    this.#service = new LogService(context, leases, appender, feeds, reads)
    this.#probe = new DiskProbe(context)
    this.#view = new ViewChange(context, puller, appender, gate, incarnations, reads)
    this.debugWords = persistenceWords(context, appender, this.#view)
    context.onWriteFailed = (result) => {
      context.writable = false
      if (context.status === 'outside' || context.status === 'learner') return
      context.outbox.log('error', 'write-failed', { outcome: result.outcome })
      this.#view.leave()
    }
  }

  get status(): Status {
    return this.#context.status
  }

  get installedEpoch(): Epoch {
    return this.#context.epoch
  }

  get holdsTurn(): boolean {
    return this.#context.serving && this.#appender.turn.holding
  }

  get log(): LogView {
    return this.#context.log
  }

  get calm(): boolean {
    const { turn, queue, untold } = this.#appender
    const idle = queue.waiting + queue.unanswered + this.#context.writing === 0
    const reads = this.#reads.waiting || this.#puller.busy || !this.#feeds.idle
    const said = untold.length === 0 && !turn.wanting
    return this.#view.calm && this.#context.writable && idle && said && !reads
  }

  step(input: Input, now: Now): Effect[] {
    this.#context.now = now
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
        this.#context.outbox.onStored(input.token, input.result)
        break
      case 'read':
        this.#context.outbox.onRead(input.token, input.result)
        break
      case 'drain':
        this.#draining = true
        this.#appender.draining = true
        this.#context.outbox.log('info', 'draining')
        break
      case 'again':
      case 'resign':
      case 'computed':
      case 'progress':
      case 'saved':
      case 'loaded':
        break
    }
    this.#settle()
    return this.#context.outbox.take()
  }

  /** The end of every step: the turn moves on, followers and readers get what is committed. */
  #settle(): void {
    this.#appender.pump()
    this.#eraser.pump()
    this.#feeds.pump()
    this.#reads.pump()
    const { log, status } = this.#context
    if (log.commit !== this.#remembered) {
      this.#remembered = log.commit
      this.#incarnations.rememberAcks(this.#appender.acked)
    }
    invariant(log.commit <= log.last, `log: committed ${log.commit} beyond its end ${log.last}`)
    invariant(
      compareEpochs(this.#context.epoch, this.#context.promised) <= 0,
      'P4: installed above promised',
    )
    this.#noteUrgency()
    const { epoch, writable, urgent, reached } = this.#context
    const leased = this.#leases.ownWeight > 0
    const state = `${status} ${formatEpoch(epoch)} ${writable} ${leased} ${urgent}`
    const said = `${state} ${reached.join()} ${this.#service.heard.join()}`
    if (said !== this.#saidStatus) {
      this.#saidStatus = said
      this.#heartbeat()
    }
    if (this.#draining) this.#drain()
  }

  /** A reader is mostly not the last, so the urgency stays for a while. */
  #noteUrgency(): void {
    const { now, timings } = this.#context
    if (this.#feeds.urgent || this.#reads.waiting) this.#urgentAt = now.monotonic
    this.#context.urgent = now.monotonic - this.#urgentAt <= timings.suspect
  }

  #drain(): void {
    const { turn, queue } = this.#appender
    const done = !this.#context.serving || (queue.unanswered === 0 && this.#context.writing === 0)
    if (!done) return
    if (this.#context.serving && turn.holding) turn.leave()
    this.#draining = false
    this.#context.outbox.stopped()
  }

  // ---- links ----------------------------------------------------------------------------------

  #linkUp(link: LinkId, peer: Peer): void {
    if (peer.role === 'client') {
      this.#context.outbox.close(link, 'clients speak to processing replicas')
      return
    }
    if (peer.role === 'processing') {
      this.#service.linkUp(link, peer.slot, peer.boot, peer.lane)
      return
    }
    if (peer.lane !== 'main') return
    const old = this.#context.peers.get(peer.slot)
    if (old) this.#lose(old.link)
    this.#tier.up(link, peer.slot, peer.boot)
    sayViewHeartbeat(this.#context, this.#leases, [peer.slot])
    this.#incarnations.linked(peer.slot)
    this.#appender.reconnected(peer.slot)
    this.#view.reconnected(peer.slot)
  }

  #linkDown(link: LinkId): void {
    this.#lose(link)
    this.#service.linkDown(link)
  }

  #lose(link: LinkId): void {
    const slot = this.#tier.down(link)
    if (slot === undefined) return
    this.#gate.forget(link)
    this.#puller.lost(slot)
    this.#view.lost(slot)
    this.#view.maintain()
  }

  // ---- time -----------------------------------------------------------------------------------

  #tick(): void {
    const { now, timings } = this.#context
    this.#tier.tick()
    for (const link of this.#tier.silent) {
      this.#context.outbox.close(link, 'silent')
      this.#lose(link)
    }
    this.#probe.tick()
    this.#incarnations.tick()
    this.#reads.tick()
    this.#appender.tick()
    this.#feeds.tick()
    if (now.monotonic - this.#lastHeartbeat >= timings.heartbeat) this.#heartbeat()
    this.#view.maintain()
    // After a view that was given up above, so that its pull does not go on.
    this.#puller.tick()
  }

  #heartbeat(): void {
    this.#lastHeartbeat = this.#context.now.monotonic
    sayViewHeartbeat(this.#context, this.#leases, [...this.#context.peers.keys()])
    this.#service.sayHeartbeats()
  }

  // ---- messages -------------------------------------------------------------------------------

  #onMessage(link: LinkId, message: Message): void {
    const slot = this.#tier.current(link)
    if (slot !== undefined) this.#fromPeer(slot, link, message)
    else if (this.#service.owns(link)) this.#service.onMessage(link, message)
  }

  #fromPeer(from: Slot, link: LinkId, received: Message): void {
    if (!('installed' in received)) {
      this.#context.outbox.close(link, `${received.type} does not belong on this connection`)
      return
    }
    const message: PeerMessage = received
    const peer = this.#context.peers.get(from)!
    const invalid = whyInvalid(message, from) ?? this.#context.invalidCounter(message)
    if (invalid !== null) return this.#context.distrust(from, invalid)
    if (!this.#context.clock.receive(message.clock)) {
      this.#context.outbox.log('error', 'clock-jump', { peer: from, clock: message.clock })
      this.#context.outbox.close(link, 'a Lamport stamp that jumps too far')
      return
    }
    peer.heard = this.#context.now.monotonic
    this.#context.noteEpoch(message.installed)
    this.#context.noteEpoch(message.promised)
    this.#context.noteIncarnation(from, message.incarnation)
    if (
      compareEpochs(message.installed, this.#context.epoch) > 0 &&
      this.#context.isAbovePromise(message.installed)
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
        this.#gate.receive(from, link, message)
        return
      case 'VIEW_HEARTBEAT':
        this.#context.peers.get(from)!.heartbeat = message
        if (message.resign > 0) this.#leases.passResign(message.resign)
        this.#gate.heard(from, message)
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
        if (this.#incarnations.onRecall(message)) this.#view.startAnew()
        return
      case 'WHO_AM_I':
        this.#incarnations.onWhoAmI(from)
        return
      case 'YOU_ARE':
        this.#incarnations.onYouAre(from, message)
        return
      default:
        if (this.#context.incarnation.counter > 0) this.#changeView(from, message)
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
        this.#incarnations.remember(from, message.incarnation, message.epoch, 0)
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

  durations(): Record<keyof typeof PERSISTENCE_DURATIONS, Durations> {
    return { troca_turn_wait_seconds: this.#appender.turnWaits }
  }

  metrics(): PersistenceMetrics {
    return persistenceMetrics(this.#context, this.#appender, this.#view, this.#feeds.followers)
  }
}
