// State that the parts of a persistence replica (turn, log, view change, reads) share: the
// incarnation of its file, its promise, its view, its log and its links.

import {
  sameIncarnation,
  compareIncarnations,
  type Incarnation,
  type Member,
  type View,
} from '../entries/incarnation.js'
import { LamportClock, MAX_JUMP } from '../clocks/lamport.js'
import type { Now } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Entropy } from '../entropy.js'
import type { Message, The } from '../messages/catalogue.js'
import { compareEpochs, EPOCH_ZERO, maxEpoch, sameEpoch, type Epoch } from '../entries/epoch.js'
import type { Recovered, TailBounds, Transaction, WriteResult } from '../machine/storage.js'
import type { Place } from '../entries/place.js'
import { LogTail } from './tail.js'
import {
  LOG_BOUNDS,
  type LogBounds,
  type PersistenceConfig,
  type Timings,
} from '../machine/config.js'
import { Outbox } from '../machine/effects.js'
import type { TierPeer } from '../machine/tier-links.js'

export type Status = 'normal' | 'changing' | 'outside' | 'learner'

/** Messages between persistence replicas: all messages that open with clock and epochs. */
export type PeerMessage = Extract<Message, { readonly installed: Epoch }>
type WithoutHeader<M> = M extends unknown
  ? Omit<M, 'clock' | 'installed' | 'promised' | 'incarnation'>
  : never
export type Body = WithoutHeader<PeerMessage>

const NOBODY: Incarnation = { counter: 0, nonce: '' }

export class PersistenceContext {
  readonly self: Slot
  readonly slots: number
  readonly majority: number
  readonly clusterId: string
  readonly historyId: string
  readonly entropy: Entropy
  readonly timings: Timings
  readonly bounds: LogBounds
  readonly outbox = new Outbox()
  readonly clock: LamportClock
  readonly peers = new Map<Slot, TierPeer<The<'VIEW_HEARTBEAT'>>>()
  log: LogTail
  status: Status = 'learner'
  now: Now = { monotonic: 0, wall: 0 }

  /** Incarnation of the own file; counter 0 while none is known (the file is missing). */
  incarnation: Incarnation
  /** Newest incarnation known of each slot. */
  readonly incarnations = new Map<Slot, Incarnation>()
  /** Highest promise that has been queued for the file; never goes down (P4). */
  promised: Epoch
  /** The part of `promised` that is on disk: only this may be said (P5). */
  durablePromised: Epoch
  /**
   * Highest promise of this process: after a restart, no INSTALL of an earlier promise is applied.
   */
  promisedSinceStart: Epoch | null = null
  /** The view last installed; its epoch is logView. */
  view: View
  /** Highest epoch counter seen anywhere, for choosing one above it. */
  seen: Epoch
  /** A write has worked since start (or since the disk was full). */
  writable = false
  /** The last write found no room. */
  full = false
  /**
   * Pulled entries may lack bodies that drops through this index have erased: until the log reaches
   * the index, a page would show the state of no single moment.
   */
  erasedThrough = 0
  /** A view has been installed since this process started. */
  active = false
  /** A reader or follower waits here for what is committed, or has lately. */
  urgent = false
  /** Monotonic ms at which each write that is not finished was queued, oldest first. */
  readonly #writes: number[] = []
  /** Place of the file's end, as the last answer to a write said. */
  #file: Place
  /** Unanswered writes of the log. A write that failed makes memory and file differ. */
  #logWrites = 0
  #spoiled = false
  /** Told of a write that failed: the replica leaves the view as if restarted. */
  onWriteFailed: (result: WriteResult) => void = () => {}

  constructor(config: PersistenceConfig) {
    this.self = config.self
    this.slots = config.slots
    this.majority = Math.floor(config.slots / 2) + 1
    this.clusterId = config.clusterId
    this.historyId = config.historyId
    this.entropy = config.entropy
    this.timings = config.timings
    this.bounds = config.logBounds ?? LOG_BOUNDS
    const recovered = config.recovered
    this.log = recovered ? tailOf(recovered, this.bounds.tail) : LogTail.empty(this.bounds.tail)
    this.clock = new LamportClock(recovered?.lamport ?? 0)
    this.incarnation = recovered?.incarnation ?? NOBODY
    this.promised = recovered?.durable.promised ?? EPOCH_ZERO
    this.durablePromised = this.promised
    this.view = recovered?.view ?? { epoch: EPOCH_ZERO, members: [] }
    this.#file = this.log.place
    this.seen = maxEpoch(this.promised, this.view.epoch)
    for (const known of recovered?.incarnations ?? []) {
      this.incarnations.set(known.slot, known.incarnation)
    }
    if (this.incarnation.counter > 0) this.incarnations.set(this.self, this.incarnation)
    this.standOutside()
  }

  standOutside(): void {
    this.status = this.votes ? 'outside' : 'learner'
  }

  /** A voter: its file exists since genesis, or a view that it has installed names it. */
  get votes(): boolean {
    if (this.incarnation.counter === 1) return true
    return this.view.members.some(
      (m) => m.slot === this.self && sameIncarnation(m.incarnation, this.incarnation),
    )
  }

  get epoch(): Epoch {
    return this.view.epoch
  }

  get memberSlots(): Slot[] {
    return this.view.members.map((member) => member.slot)
  }

  get otherMembers(): Slot[] {
    return this.memberSlots.filter((slot) => slot !== this.self)
  }

  isMember(slot: Slot): boolean {
    return this.view.members.some((member) => member.slot === slot)
  }

  /** In the installed view with nothing higher promised: may take part in turn and log. */
  get serving(): boolean {
    return this.status === 'normal' && sameEpoch(this.promised, this.view.epoch)
  }

  /** Has a live link and was heard within the bound. */
  hears(slot: Slot): boolean {
    if (slot === this.self) return true
    const peer = this.peers.get(slot)
    return peer !== undefined && this.now.monotonic - peer.heard <= this.timings.suspect
  }

  /** Slots heard, this one included. */
  get reached(): Slot[] {
    const slots: Slot[] = []
    for (let slot = 1; slot <= this.slots; slot++) if (this.hears(slot)) slots.push(slot)
    return slots
  }

  send(to: Slot, body: Body): void {
    this.broadcast([to], body)
  }

  distrust(peer: Slot, reason: string): void {
    const link = this.peers.get(peer)?.link
    if (link !== undefined) this.outbox.distrust(link, peer, reason)
  }

  /** All receivers get the same message object, so that the shell encodes it once. */
  broadcast(to: readonly Slot[], body: Body): void {
    const message = {
      ...body,
      clock: this.clock.tick(),
      installed: this.view.epoch,
      promised: this.durablePromised,
      incarnation: this.incarnation,
    } as PeerMessage
    for (const slot of to) {
      const peer = this.peers.get(slot)
      if (peer) this.outbox.send(peer.link, message)
    }
  }

  persist(transaction: Transaction, then: (result: WriteResult) => void): void {
    const ofLog = transaction.batches !== undefined || transaction.truncateAfter !== undefined
    this.#writes.push(this.now.monotonic)
    if (ofLog) this.#logWrites++
    this.outbox.persist(transaction, (result) => {
      this.#writes.shift()
      if (ofLog) this.#logWrites--
      if (result.outcome !== 'stale') this.full = result.outcome === 'full'
      if (result.outcome !== 'full') {
        this.#file = { index: result.durable.last, chain: result.durable.chain }
      }
      const failed = result.outcome === 'full' || (ofLog && result.outcome === 'stale')
      if (failed) this.onWriteFailed(result)
      if (failed && ofLog) this.#spoiled = true
      if (this.#logWrites === 0) this.#compareWithFile()
      then(result)
    })
  }

  /** No write of the log is under way: if one has failed, memory returns to what the file holds. */
  #compareWithFile(): void {
    if (this.#spoiled) this.log.resetTo(this.#file)
    else this.log.settled()
    this.#spoiled = false
  }

  /** Age in ms of the oldest write that is not finished; 0: none. */
  get oldestWrite(): number {
    const oldest = this.#writes[0]
    return oldest === undefined ? 0 : Math.max(0, Math.floor(this.now.monotonic - oldest))
  }

  get writing(): number {
    return this.#writes.length
  }

  /** Counters that jump too far: one bad peer must not use up all epochs, or all incarnations. */
  invalidCounter(message: PeerMessage): string | null {
    const { installed, promised, incarnation } = message
    const epochs = 'epoch' in message ? [installed, promised, message.epoch] : [installed, promised]
    if (epochs.some(({ counter }) => counter > this.seen.counter + MAX_JUMP)) {
      return 'an epoch counter that jumps too far'
    }
    const named = 'incarnations' in message ? message.incarnations : []
    const incarnations = [incarnation, ...named.map((member) => member.incarnation)]
    return incarnations.some(({ counter }) => counter > MAX_JUMP)
      ? 'an incarnation counter that is too high'
      : null
  }

  noteEpoch(epoch: Epoch): void {
    this.seen = maxEpoch(this.seen, epoch)
  }

  /** Records a newer incarnation of a slot. */
  noteIncarnation(slot: Slot, incarnation: Incarnation): void {
    const known = this.incarnations.get(slot)
    const newer = !known || compareIncarnations(incarnation, known) > 0
    // Counter 0: the replica does not know its own incarnation yet.
    if (newer && incarnation.counter > 0) {
      this.incarnations.set(slot, incarnation)
    }
  }

  get incarnationList(): Member[] {
    return [...this.incarnations]
      .sort(([a], [b]) => a - b)
      .map(([slot, incarnation]) => ({ slot, incarnation }))
  }

  /** 0 <= x < 1. */
  random(): number {
    return Buffer.from(this.entropy(4)).readUInt32BE(0) / 2 ** 32
  }

  isAbovePromise(epoch: Epoch): boolean {
    return compareEpochs(epoch, this.promised) > 0
  }
}

function tailOf(recovered: Recovered, keep: TailBounds): LogTail {
  const { last, chain, commit } = recovered.durable
  const { tail, fence } = recovered
  return new LogTail(tail, { index: last, chain }, commit, fence, keep)
}
