// A processing replica: ring, order, execution, feed and clients, composed into one machine. Every
// replica executes every command in the coordinator's order; the committed log decides.

import { invariant } from '../assert.js'
import type { Durations } from '../durations.js'
import { RETENTION, SNAPSHOT_BOUNDS, type ProcessingConfig } from '../machine/config.js'
import type { DebugWords, Effect, Input, LinkId, Machine, Now, Peer } from '../machine/machine.js'
import type { PROCESSING_DURATIONS, ProcessingMetrics } from '../machine/metrics.js'
import type { Message } from '../messages/catalogue.js'
import { whyInvalid } from '../messages/validate.js'
import { ProcessingContext, type Role } from '../processing/context.js'
import { Coordinator } from '../processing/coordinator.js'
import { IdleStreams } from '../processing/idle-streams.js'
import { Leadership } from '../processing/leadership.js'
import { LogClient } from '../processing/log-client.js'
import { LogQueries } from '../processing/log-queries.js'
import { LogReplicas } from '../processing/log-replicas.js'
import { LogWrites } from '../processing/log-writes.js'
import { PendingRequests } from '../processing/pending-requests.js'
import { Recovery } from '../processing/recovery.js'
import { Retention } from '../processing/retention.js'
import { Snapshots } from '../processing/snapshots.js'
import { Submission } from '../processing/submission.js'
import { MarkWriter } from '../sessions/mark-writer.js'
import { SessionRouter } from '../sessions/session-router.js'
import type { Slot } from '../slots.js'
import { stateDigest } from '../snapshot/digest.js'
import { Executor } from '../state/executor.js'
import { Follower } from './follower.js'
import { processingWords, ringMetrics, stateMetrics } from './processing-report.js'
import { RingMember } from './ring-member.js'

export class ProcessingReplica implements Machine {
  readonly #context: ProcessingContext
  readonly #ring: RingMember
  readonly #executor: Executor
  readonly #logReplicas: LogReplicas
  readonly #writes: LogWrites
  readonly #queries: LogQueries
  readonly #log: LogClient
  readonly #requests: PendingRequests
  readonly #coordinator: Coordinator
  readonly #leadership: Leadership
  readonly #submission: Submission
  readonly #idleStreams: IdleStreams
  readonly #marks: MarkWriter
  readonly #retention: Retention
  readonly #sessions: SessionRouter
  readonly #follower: Follower
  readonly #snapshots: Snapshots | null
  readonly #recovery: Recovery
  /** There is a snapshot to begin with. */
  readonly #stored: boolean
  #begun = false
  readonly debugWords: DebugWords
  #draining = false

  constructor(config: ProcessingConfig) {
    const context = new ProcessingContext(config)
    const executor = new Executor(config.seal, config.readKey)
    const logReplicas = new LogReplicas(context)
    const writes = new LogWrites(context, logReplicas)
    const queries = new LogQueries(context, logReplicas)
    const log = new LogClient(context, logReplicas, writes, queries, executor)
    const requests = new PendingRequests(config.self, config.boot)
    const coordinator = new Coordinator(
      ...([context, writes, executor, requests] as const),
      (reason) => this.#leadership.stop(reason),
      () => this.#recovery.rebuild(),
    )
    const leadership = new Leadership(context, log, writes, queries, executor, {
      coordinate: () => coordinator.begin(),
      stopped: () => {
        this.#submission.stopped()
        this.#idleStreams.stopped()
        executor.dropOverlay()
      },
      coordinator: (slot) => requests.answeredBy(slot),
      refuted: (term) => {
        executor.enterTerm(term)
        requests.enterTerm(term)
      },
    })
    const submission = new Submission(context, log, requests, leadership, coordinator)
    const marks = new MarkWriter(context, log, writes, executor)
    const retention = new Retention(
      ...([context, executor, queries, submission] as const),
      config.retention ?? RETENTION,
    )
    const { snapshots: kept } = config
    const snapshots = kept ? new Snapshots(context, executor, kept.bounds ?? SNAPSHOT_BOUNDS) : null
    const recovery = new Recovery(context, executor, log, queries, snapshots, {
      placed: () => this.#follower.placed(),
      astray: (reason) => {
        if (context.holds > 0) leadership.stop(reason)
      },
    })
    const parts = { context, log, executor, leadership }
    const sessions = new SessionRouter({
      ...parts,
      ...{ logReplicas, queries, submission, marks, retention },
    })
    this.#context = context
    this.#ring = new RingMember({ ...parts, requests, coordinator })
    this.#executor = executor
    this.#logReplicas = logReplicas
    this.#writes = writes
    this.#queries = queries
    this.#log = log
    this.#requests = requests
    this.#coordinator = coordinator
    this.#leadership = leadership
    this.#submission = submission
    this.#idleStreams = new IdleStreams(context, executor, submission)
    this.#marks = marks
    this.#retention = retention
    this.#sessions = sessions
    this.#follower = new Follower({ ...parts, requests, coordinator, sessions, recovery })
    this.#snapshots = snapshots
    this.#recovery = recovery
    this.#stored = kept?.stored ?? false
    this.debugWords = processingWords(context, logReplicas, executor, leadership)
  }

  /** The live coordinator's slot; 0: none known. */
  get coordinatorSlot(): Slot {
    return this.#leadership.coordinator
  }

  /** The user logged in on a client's link; null: none. */
  userOf(link: LinkId): string | null {
    return this.#sessions.userOf(link)
  }

  get role(): Role {
    return this.#context.role
  }

  /** The term that this replica coordinates; 0: none. */
  get term(): number {
    return this.#context.holds
  }

  get appliedIndex(): number {
    return this.#executor.applied
  }

  /** How far the state has come, while it is loaded or built; null: it is near the log's end. */
  get catchingUp(): string | null {
    const { loaded } = this.#recovery
    if (loaded !== null) return `the snapshot is being loaded: ${loaded} records so far`
    if (this.#log.isNear) return null
    const { index } = this.#executor.base
    if (!this.#executor.placed) return `the log is being asked whether it holds entry ${index}`
    return `the log is being applied: ${index} of ${this.#log.committed} entries`
  }

  /** Digest of the committed state (G1); it takes a time that grows with the state. */
  stateDigest(): string {
    return stateDigest(this.#executor.base)
  }

  get calm(): boolean {
    const { role } = this.#context
    const settled = role === 'coordinator' || (role === 'follower' && this.coordinatorSlot !== 0)
    const work =
      this.#requests.size + this.#coordinator.inFlight + this.#queries.size + this.#marks.size
    return settled && this.#log.commits && work === 0 && this.#writes.idle
  }

  step(input: Input, now: Now): Effect[] {
    this.#context.now = now
    if (!this.#begun) {
      this.#begun = true
      this.#recovery.begin(this.#stored)
    }
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
      case 'again':
        this.#follower.run()
        break
      case 'computed':
        this.#context.outbox.onComputed(input.token, input.result)
        break
      case 'progress':
        this.#context.outbox.onProgress(input.token, input.text)
        break
      case 'drain':
        this.#draining = true
        this.#sessions.draining = true
        break
      case 'resign':
        if (this.#context.holds > 0) this.#leadership.resign('people have asked for it')
        break
      case 'saved':
        this.#context.outbox.onSaved(input.outcome)
        break
      case 'loaded':
        this.#context.outbox.onLoaded(input.part)
        break
      case 'stored':
      case 'read':
        break
    }
    this.#settle()
    return this.#context.outbox.take()
  }

  #settle(): void {
    this.#ring.settle()
    if (this.#context.role === 'coordinator') this.#coordinator.issue()
    const leads = this.#context.role !== 'follower'
    this.#log.settle(leads || this.#requests.size > 0 || this.#sessions.awaitsLog)
    if (this.#draining && this.#requests.size === 0) this.#stop()
    this.#snapshots?.maintain()
  }

  #stop(): void {
    this.#draining = false
    if (this.#context.role !== 'follower') this.#leadership.stop('stopping')
    const stopped = (): void => this.#context.outbox.stopped()
    if (this.#snapshots && this.#recovery.loaded === null) this.#snapshots.finish(stopped)
    else stopped()
  }

  // ---- links ----------------------------------------------------------------------------------

  #linkUp(link: LinkId, peer: Peer): void {
    if (peer.role === 'client') this.#sessions.linkUp(link, peer.address)
    else if (peer.role === 'persistence') this.#log.linkUp(link, peer.slot, peer.lane)
    else this.#ring.linkUp(link, peer)
  }

  #linkDown(link: LinkId): void {
    if (this.#sessions.has(link)) this.#sessions.linkDown(link)
    else if (this.#logReplicas.owns(link)) this.#log.linkDown(link)
    else this.#ring.lose(link)
  }

  // ---- time -----------------------------------------------------------------------------------

  #tick(): void {
    this.#ring.watch()
    this.#log.tick()
    this.#recovery.tick()
    this.#leadership.maintain()
    if (this.#context.role === 'coordinator') this.#coordinate()
    this.#ring.tick()
    this.#marks.tick()
    if (!this.#draining) this.#retention.tick()
  }

  #coordinate(): void {
    this.#coordinator.tick()
    if (!this.#draining) this.#idleStreams.tick()
  }

  // ---- messages -------------------------------------------------------------------------------

  #onMessage(link: LinkId, message: Message): void {
    if (this.#sessions.has(link)) {
      this.#sessions.onMessage(link, message)
      return
    }
    if (this.#logReplicas.owns(link)) {
      const known = this.#follower.recognise(message)
      if (this.#isInvalid(this.#logReplicas.slotOf(link)!, link, known)) return
      this.#fromLogReplica(link, known)
      return
    }
    const slot = this.#ring.slotOf(link)
    if (slot === undefined || this.#isInvalid(slot, link, message)) return
    this.#ring.heard(slot)
    this.#fromRing(slot, link, message)
  }

  #isInvalid(peer: Slot, link: LinkId, message: Message): boolean {
    const reason = whyInvalid(message, peer)
    if (reason === null) return false
    this.#context.outbox.distrust(link, peer, reason)
    return true
  }

  #fromLogReplica(link: LinkId, message: Message): void {
    const from = this.#logReplicas.heard(link)
    if (!from) return
    switch (message.type) {
      case 'STORE_HEARTBEAT':
        this.#logReplicas.get(from.slot)!.heartbeat = message
        this.#log.choose()
        this.#leadership.maintain()
        return
      case 'READ_PAGE':
      case 'TIP_IS':
      case 'SEEK_IS':
        this.#queries.onAnswer(message)
        return
      case 'NOT_YET':
        this.#queries.onNotYet(message)
        return
      case 'RESIGN':
        if (message.term === this.#context.holds)
          this.#leadership.resign('a larger part of the ring asks to lead')
        return
      default:
        // All other messages are the home's: from another replica they date from when it was the
        // home.
        if (from.slot === this.#logReplicas.home && from.lane === 'main') this.#fromHome(message)
    }
  }

  #fromHome(message: Message): void {
    switch (message.type) {
      case 'PLACED':
        this.#recovery.onPlaced(message)
        return
      case 'BATCHES':
        this.#follower.onBatches(message)
        return
      case 'CLAIMED':
        if (this.#writes.onClaimed(message)) this.#leadership.onClaimed(message)
        return
      case 'APPENDED': {
        const k = this.#writes.onAppended(message)
        if (k !== null) this.#coordinator.onAppended(k)
        return
      }
      case 'FENCED':
        if (!this.#writes.has(message.id)) return
        this.#leadership.seeTerm(message.term)
        this.#leadership.stop('fenced')
        return
      case 'GAP':
        this.#writes.onGap(message)
        return
      case 'NOT_APPENDED': {
        const refused = this.#writes.onNotAppended(message)
        invariant(refused !== 'conflict', 'C2: the log holds other bytes for an order of this term')
        if (refused) this.#leadership.stop(`append ${refused}`)
        return
      }
      default:
    }
  }

  #fromRing(slot: Slot, link: LinkId, message: Message): void {
    switch (message.type) {
      case 'RING_HEARTBEAT':
        this.#ring.onHeartbeat(slot, message)
        return
      case 'ELECTION':
        this.#leadership.onElection(message)
        return
      case 'COORDINATOR':
        this.#leadership.onCoordinator(message)
        return
      case 'FORWARD':
        this.#submission.onForward(slot, message.commands)
        return
      case 'REJECTED':
        this.#requests.rejected(message.requests, message.reason)
        return
      case 'ORDER':
        this.#follower.onOrder(slot, message)
        return
      case 'VOTE':
        if (this.#context.role === 'coordinator') this.#coordinator.onVote(slot, message)
        return
      default:
        this.#context.outbox.close(link, `${message.type} does not belong on this connection`)
    }
  }

  // ---- for people -----------------------------------------------------------------------------

  durations(): Record<keyof typeof PROCESSING_DURATIONS, Durations> {
    return { troca_order_commit_seconds: this.#coordinator.commitTimes }
  }

  metrics(): ProcessingMetrics {
    return {
      ...ringMetrics(
        this.#context,
        this.#logReplicas,
        this.#executor.base,
        this.#coordinator,
        this.#leadership,
      ),
      ...stateMetrics(this.#executor),
      ...this.#sessions.metrics(),
      troca_idle_streams_ended_total: this.#idleStreams.ended,
      troca_retention_expired_total: this.#retention.expired,
      troca_snapshot_index: this.#snapshots?.savedIndex ?? 0,
      troca_snapshot_changes: this.#snapshots?.changes ?? 0,
      troca_requests_pending: this.#requests.size,
    }
  }
}
