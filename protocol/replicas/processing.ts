// A processing replica: ring, order, execution, feed and clients, composed into one machine. Every
// replica executes every command in the coordinator's order; the committed log decides.

import { invariant } from '../assert.js'
import type { Durations } from '../durations.js'
import type { Effect, Input, LinkId, Machine, Now, Peer } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Message, The } from '../messages/catalogue.js'
import { nonsenseIn } from '../messages/validate.js'
import { Coordinator } from '../processing/coordinator.js'
import { Executor } from '../state/executor.js'
import { Home } from '../processing/log-client.js'
import { Leadership } from '../processing/leadership.js'
import { describeProcessing, ringMetrics } from './processing-report.js'
import { Requests } from '../processing/pending-requests.js'
import { RingStanding, type Role } from '../processing/context.js'
import { Cursors } from '../sessions/mark-writer.js'
import { Sessions } from '../sessions/session-router.js'
import { clusterStatus } from './cluster-status.js'
import { Commanding } from './submission.js'
import type { ProcessingConfig } from '../machine/config.js'
import { Following } from './follower.js'
import type { PROCESSING_DURATIONS, ProcessingMetrics } from '../machine/metrics.js'
import { TierLinks } from '../machine/tier-links.js'

export class ProcessingReplica implements Machine {
  readonly #s: RingStanding
  readonly #home: Home
  readonly #executor: Executor
  readonly #coordinator: Coordinator
  readonly #leadership: Leadership
  readonly #requests: Requests
  readonly #sessions: Sessions
  readonly #cursors: Cursors
  readonly #commanding: Commanding
  readonly #following: Following
  readonly #ring: TierLinks<The<'RING_HEARTBEAT'>>
  #lastHeartbeat = -Infinity
  #draining = false
  #saidRole = ''

  constructor(config: ProcessingConfig) {
    this.#s = new RingStanding(config)
    this.#ring = new TierLinks(this.#s)
    this.#executor = new Executor(config.seal, config.readKey)
    const applied = (): number => this.#executor.base.index
    this.#home = new Home(this.#s, applied, {
      entries: (message) => this.#following.onEntries(message),
      appended: (k, runs) => this.#coordinator.onAppended(k, runs),
      claimed: (message) => this.#leadership.onClaimed(message),
      fenced: (term) => {
        this.#leadership.seeTerm(term)
        this.#leadership.stop('fenced')
      },
      resign: (term) => {
        if (term === this.#s.holds) this.#leadership.resign()
      },
      refused: (reason) => {
        invariant(reason !== 'conflict', 'C2: the log holds other bytes for an order of this term')
        this.#leadership.stop(`append ${reason}`)
      },
    })
    this.#coordinator = new Coordinator(this.#s, this.#home, this.#executor, {
      resign: (reason) => this.#leadership.stop(reason),
      rebuild: () => this.#following.rebuild(),
      executed: (executed) => this.#following.vote(executed),
    })
    this.#leadership = new Leadership(this.#s, this.#home, () => this.#executor.base, {
      coordinate: () => this.#coordinator.begin(),
      stopped: () => {
        this.#commanding.stopped()
        this.#executor.dropOverlay()
      },
      coordinator: (slot) => this.#requests.answeredBy(slot),
      refuted: (term) => {
        this.#executor.enterTerm(term)
        this.#requests.enterTerm(term)
      },
    })
    this.#cursors = new Cursors(this.#s, this.#home, this.#executor)
    this.#requests = new Requests(config.self, config.boot)
    this.#sessions = new Sessions(this.#s, this.#home, this.#executor, {
      submit: (session, request, asked, answer, placed) =>
        this.#commanding.submit(session, request, asked, answer, placed),
      marked: (user, mark) => this.#cursors.mark(user, mark),
      status: (request) =>
        clusterStatus(this.#s, this.#home, this.#executor, this.coordinatorSlot, request),
    })
    const parts = {
      standing: this.#s,
      home: this.#home,
      executor: this.#executor,
      requests: this.#requests,
      leadership: this.#leadership,
      coordinator: this.#coordinator,
      sessions: this.#sessions,
    }
    this.#commanding = new Commanding(parts)
    this.#following = new Following(parts)
  }

  /** The live coordinator's slot; 0: none known. */
  get coordinatorSlot(): Slot {
    return this.#leadership.coordinator
  }

  /** Who is logged in on a client's link. */
  userOf(link: LinkId): string | null {
    return this.#sessions.userOf(link)
  }

  get role(): Role {
    return this.#s.role
  }

  /** The term that this replica coordinates; 0: none. */
  get term(): number {
    return this.#s.holds
  }

  get appliedIndex(): number {
    return this.#executor.base.index
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
      case 'computed':
        this.#s.outbox.onComputed(input.token, input.result)
        break
      case 'progress':
        this.#s.outbox.onProgress(input.token, input.text)
        break
      case 'drain':
        this.#draining = true
        this.#sessions.draining = true
        break
      case 'stored':
      case 'read':
        break
    }
    this.#settle()
    return this.#s.outbox.take()
  }

  #settle(): void {
    const vouched = this.#leadership.vouched.slot
    const said = `${this.#s.role} ${this.#s.holds} ${vouched} ${this.#home.serves}`
    if (said !== this.#saidRole) {
      this.#saidRole = said
      this.#heartbeat()
    }
    if (this.#s.role === 'coordinator') this.#coordinator.issue()
    if (this.#draining && this.#requests.size === 0) {
      this.#draining = false
      if (this.#s.role !== 'follower') this.#leadership.stop('stopping')
      this.#s.outbox.stopped()
    }
  }

  // ---- links ----------------------------------------------------------------------------------

  #linkUp(link: LinkId, peer: Peer): void {
    if (peer.role === 'client') {
      this.#sessions.linkUp(link, peer.address)
      return
    }
    if (peer.role === 'persistence') {
      this.#home.linkUp(link, peer.slot, peer.lane)
      return
    }
    if (peer.lane !== 'main') return
    const old = this.#s.peers.get(peer.slot)
    if (old) this.#lose(old.link)
    this.#ring.up(link, peer.slot, peer.boot)
    this.#s.send(peer.slot, this.#ownHeartbeat())
    if (this.#s.role === 'coordinator') this.#coordinator.linked(peer.slot)
  }

  #linkDown(link: LinkId): void {
    if (this.#sessions.has(link)) this.#sessions.linkDown(link)
    else if (this.#home.owns(link)) this.#home.linkDown(link)
    else this.#lose(link)
  }

  #lose(link: LinkId): void {
    const slot = this.#ring.down(link)
    if (slot === undefined) return
    this.#requests.lostCoordinator(slot)
    if (this.#s.role === 'coordinator') this.#coordinator.lost(slot)
    this.#leadership.linkLost()
  }

  // ---- time -----------------------------------------------------------------------------------

  #tick(): void {
    const { now, timings } = this.#s
    if (this.#ring.tick()) this.#home.freshen()
    for (const link of this.#ring.silent) {
      const peer = this.#ring.current(link)!
      this.#s.outbox.close(link, 'silent')
      this.#lose(link)
      this.#s.outbox.log('warn', 'peer-silent', { peer })
    }
    this.#home.tick()
    this.#leadership.maintain()
    if (this.#s.role === 'coordinator') this.#coordinator.tick()
    if (now.monotonic - this.#lastHeartbeat >= timings.heartbeat) this.#heartbeat()
    this.#cursors.tick()
  }

  #ownHeartbeat(): The<'RING_HEARTBEAT'> {
    const { holds, newestTerm, role } = this.#s
    const { slot: vouchesFor, term: vouchedTerm } = this.#leadership.vouched
    const { base } = this.#executor
    return {
      type: 'RING_HEARTBEAT',
      ...{ holds, newestTerm, vouchesFor, vouchedTerm, role },
      applied: base.index,
      committed: base.index,
      reaches: this.#s.live,
      home: this.#home.home,
    }
  }

  #heartbeat(): void {
    this.#lastHeartbeat = this.#s.now.monotonic
    this.#s.broadcast(this.#ownHeartbeat())
    this.#home.sayHeartbeats()
  }

  // ---- messages -------------------------------------------------------------------------------

  #onMessage(link: LinkId, message: Message): void {
    if (this.#sessions.has(link)) {
      this.#sessions.onMessage(link, message)
      return
    }
    if (this.#home.owns(link)) {
      if (this.#isNonsense(this.#home.slotOf(link)!, link, message)) return
      this.#home.onMessage(link, message)
      if (message.type === 'STORE_HEARTBEAT') this.#leadership.maintain()
      return
    }
    const slot = this.#ring.current(link)
    if (slot === undefined || this.#isNonsense(slot, link, message)) return
    this.#s.peers.get(slot)!.heard = this.#s.now.monotonic
    this.#fromRing(slot, link, message)
  }

  #isNonsense(peer: Slot, link: LinkId, message: Message): boolean {
    const reason = nonsenseIn(message, peer)
    if (reason === null) return false
    this.#s.outbox.distrust(link, peer, reason)
    return true
  }

  #fromRing(slot: Slot, link: LinkId, message: Message): void {
    switch (message.type) {
      case 'RING_HEARTBEAT':
        this.#s.peers.get(slot)!.heartbeat = message
        if (this.#s.believes(message.newestTerm)) this.#leadership.seeTerm(message.newestTerm)
        this.#leadership.maintain()
        return
      case 'ELECTION':
        this.#leadership.onElection(message)
        return
      case 'COORDINATOR':
        this.#leadership.onCoordinator(message)
        return
      case 'PASS':
        this.#commanding.onPass(slot, message.commands)
        return
      case 'NOT_TAKEN':
        this.#requests.notTaken(message.requests)
        return
      case 'ORDER':
        this.#following.onOrder(slot, message)
        return
      case 'VOTE':
        if (this.#s.role === 'coordinator') this.#coordinator.onVote(slot, message)
        return
      case 'COMMITTED':
        this.#following.onCommitted(message)
        return
      default:
        this.#s.outbox.close(link, `${message.type} does not belong on this connection`)
    }
  }

  // ---- for people -----------------------------------------------------------------------------

  describe(word: string): string | undefined {
    const { base } = this.#executor
    return describeProcessing(word, this.#s, this.#home, base, this.#leadership)
  }

  durations(): Record<keyof typeof PROCESSING_DURATIONS, Durations> {
    return { troca_order_commit_seconds: this.#coordinator.commitTimes }
  }

  metrics(): ProcessingMetrics {
    return {
      ...ringMetrics(this.#s, this.#home, this.#executor.base, this.#coordinator, this.#leadership),
      troca_requests_pending: this.#requests.size,
      troca_sessions: this.#sessions.size,
      troca_listeners: this.#sessions.delivery.listeners,
    }
  }
}
