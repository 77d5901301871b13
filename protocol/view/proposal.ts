// A proposer's attempt at an epoch: ASK, PREPARE, fetching entries that the own log lacks,
// INSTALL, ACTIVE. The new log is the one with the highest (logView, last) among promises that
// count, from a majority of ALL slots; superseded incarnations and learners do not count (P9).

import { invariant } from '../assert.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { lastOf } from '../entries/batch.js'
import { compareEpochs, sameEpoch, type Epoch } from '../entries/epoch.js'
import type { Puller } from '../persistence/pull.js'
import type { DurableState } from '../machine/storage.js'
import type { Place } from '../entries/place.js'
import {
  compareIncarnations,
  sameIncarnation,
  type Incarnation,
  type Member,
} from '../entries/incarnation.js'
import type { PersistenceContext } from '../persistence/context.js'
import { syncTo } from './sync.js'

export interface ProposalPort {
  promise(then: (durable: DurableState) => void): void
  install(message: The<'INSTALL'>): void
  done(last: number): void
  failed(reason: string, blamed: readonly Slot[], backOffMs: number): void
}

interface Promised {
  readonly incarnation: Incarnation
  readonly logView: Epoch
  readonly last: Place
  readonly commit: number
  readonly incarnations: readonly Member[]
  readonly learner: boolean
}

export class Proposal {
  readonly epoch: Epoch
  phase: 'asking' | 'preparing' | 'fetching' | 'installing' | 'over' = 'asking'
  readonly #context: PersistenceContext
  readonly #puller: Puller
  readonly #port: ProposalPort
  #target: Slot[]
  #since: number
  readonly #consents = new Set<Slot>()
  readonly #promises = new Map<Slot, Promised>()
  readonly #installedBy = new Set<Slot>()
  /** Incarnations that PREPARE named: a learner may be a member only if it is among them. */
  #named: readonly Member[] = []
  #install: The<'INSTALL'> | null = null

  constructor(
    context: PersistenceContext,
    puller: Puller,
    epoch: Epoch,
    target: readonly Slot[],
    port: ProposalPort,
  ) {
    this.#context = context
    this.#puller = puller
    this.epoch = epoch
    this.#target = [...target]
    this.#port = port
    this.#since = context.now.monotonic
  }

  get #others(): Slot[] {
    return this.#target.filter((slot) => slot !== this.#context.self)
  }

  begin(): void {
    const { epoch } = this
    this.#context.broadcast(this.#others, { type: 'ASK', epoch, members: this.#target })
    this.#prepareIfConsented()
  }

  drop(): void {
    this.phase = 'over'
  }

  fail(reason: string, blamed: readonly Slot[], backOffMs: number): void {
    if (this.phase === 'over') return
    this.phase = 'over'
    this.#port.failed(reason, blamed, backOffMs)
  }

  tick(): void {
    const { now, timings } = this.#context
    const waited = now.monotonic - this.#since
    if (waited <= timings.patience) return
    if (this.phase === 'asking') {
      this.fail(
        'no consent',
        this.#others.filter((slot) => !this.#consents.has(slot)),
        50,
      )
    } else if (this.phase === 'preparing') {
      this.#choose(this.#others.filter((slot) => !this.#promises.has(slot)))
    } else if (waited > 4 * timings.patience) {
      const missing = this.#members.filter((slot) => !this.#installedBy.has(slot))
      this.fail(
        `${this.phase} took too long`,
        missing.filter((s) => s !== this.#context.self),
        50,
      )
    }
  }

  get #members(): Slot[] {
    return this.#install?.members.map((member) => member.slot) ?? []
  }

  onConsent(from: Slot, message: The<'CONSENT'>): void {
    if (this.phase !== 'asking' || !sameEpoch(message.epoch, this.epoch)) return
    if (!message.granted) {
      this.fail(`s${from}: ${message.reason}`, [], 40)
      return
    }
    this.#consents.add(from)
    this.#prepareIfConsented()
  }

  #prepareIfConsented(): void {
    if (!this.#others.every((slot) => this.#consents.has(slot))) return
    const { epoch } = this
    // This replica may have promised a higher epoch to another proposer meanwhile.
    if (!this.#context.isAbovePromise(epoch)) {
      this.fail('a higher epoch is promised', [], 40)
      return
    }
    this.phase = 'preparing'
    this.#since = this.#context.now.monotonic
    this.#named = this.#context.incarnationList
    this.#port.promise((durable) => {
      if (this.phase !== 'preparing') return
      const { logView, last, chain, commit } = durable
      this.#promises.set(this.#context.self, {
        incarnation: this.#context.incarnation,
        logView,
        last: { index: last, chain },
        commit,
        incarnations: this.#named,
        learner: false,
      })
      this.#context.broadcast(this.#others, { type: 'PREPARE', epoch, incarnations: this.#named })
      this.#chooseIfComplete()
    })
  }

  onPromise(from: Slot, message: The<'PROMISE'>): void {
    if (this.phase !== 'preparing' || !sameEpoch(message.epoch, this.epoch)) return
    this.#promises.set(from, message)
    this.#chooseIfComplete()
  }

  #chooseIfComplete(): void {
    if (this.#target.every((slot) => this.#promises.has(slot))) this.#choose([])
  }

  /** A promise counts only if no promise at hand records a newer incarnation of its slot. */
  #counts(slot: Slot, promised: Promised): boolean {
    if (promised.learner) return false
    return [...this.#promises.values()].every((other) => {
      const recorded = other.incarnations.find((member) => member.slot === slot)?.incarnation
      return !recorded || compareIncarnations(recorded, promised.incarnation) <= 0
    })
  }

  #choose(silent: readonly Slot[]): void {
    const counted = [...this.#promises].filter(([slot, promised]) => this.#counts(slot, promised))
    if (counted.length < this.#context.majority || !this.#promises.has(this.#context.self)) {
      // The same members would fail the same way, while others whose promises count may be live.
      const counts = (slot: Slot): boolean => counted.some(([one]) => one === slot)
      const idle = [...this.#promises.keys()].filter(
        (slot) => slot !== this.#context.self && !counts(slot),
      )
      this.fail('no majority promised', [...silent, ...idle], 50)
      return
    }
    const [source, best] = counted.reduce((a, b) => {
      const order = compareEpochs(a[1].logView, b[1].logView) || a[1].last.index - b[1].last.index
      return order >= 0 ? a : b
    })
    this.phase = 'fetching'
    this.#since = this.#context.now.monotonic
    this.#fetch(source, best.last)
  }

  /** Brings the own log to `last`, so that the members can pull it from here. */
  #fetch(source: Slot, last: Place): void {
    if (this.phase !== 'fetching') return
    if (this.#context.log.has(last) === true) {
      this.#sendInstall(last)
      return
    }
    this.#puller.ask(source, false, (pulled) => {
      if (this.phase !== 'fetching') return
      if (!pulled?.common) {
        this.fail('the source of the log vanished', [source], 0)
        return
      }
      const batches = pulled.batches.filter((batch) => lastOf(batch) <= last.index)
      const require = { promised: this.epoch }
      const stretch = { from: source, common: pulled.common, batches }
      syncTo(this.#context, stretch, { require }, () => this.#fetch(source, last))
    })
  }

  #sendInstall(last: Place): void {
    const members: Member[] = []
    for (const slot of this.#target) {
      const promised = this.#promises.get(slot)
      if (!promised) continue
      const named = this.#named.some(
        (m) => m.slot === slot && sameIncarnation(m.incarnation, promised.incarnation),
      )
      if (this.#counts(slot, promised) || (promised.learner && named)) {
        members.push({ slot, incarnation: promised.incarnation })
      }
    }
    if (members.length < this.#context.majority) {
      this.fail('too few members', [], 50)
      return
    }
    const commit = Math.max(...[...this.#promises.values()].map((promised) => promised.commit))
    invariant(commit <= last.index, `P3: ${commit} is committed, the new log ends at ${last.index}`)
    this.phase = 'installing'
    this.#since = this.#context.now.monotonic
    this.#install = {
      type: 'INSTALL',
      clock: this.#context.clock.now,
      installed: this.#context.epoch,
      promised: this.#context.durablePromised,
      incarnation: this.#context.incarnation,
      epoch: this.epoch,
      members,
      last,
      commit,
      incarnations: this.#context.incarnationList,
    }
    this.#context.broadcast(
      this.#members.filter((slot) => slot !== this.#context.self),
      this.#install,
    )
    this.#port.install(this.#install)
  }

  onInstalled(from: Slot, epoch: Epoch): void {
    if (this.phase !== 'installing' || !sameEpoch(epoch, this.epoch)) return
    this.#installedBy.add(from)
    if (!this.#members.every((slot) => this.#installedBy.has(slot))) return
    this.phase = 'over'
    const last = this.#install!.last.index
    const others = this.#members.filter((slot) => slot !== this.#context.self)
    this.#context.broadcast(others, { type: 'ACTIVE', epoch, last })
    this.#port.done(last)
  }

  reconnected(peer: Slot): void {
    const { epoch } = this
    if (!this.#target.includes(peer)) return
    if (this.phase === 'asking') {
      this.#context.send(peer, { type: 'ASK', epoch, members: this.#target })
    } else if (this.phase === 'preparing' && !this.#promises.has(peer)) {
      if (!this.#promises.has(this.#context.self)) return
      this.#context.send(peer, { type: 'PREPARE', epoch, incarnations: this.#named })
    } else if (this.phase === 'installing' && this.#install) {
      const awaited = this.#members.includes(peer) && !this.#installedBy.has(peer)
      if (awaited) this.#context.send(peer, this.#install)
    }
  }

  /** The loss of a link is known at once, without the time-out. */
  lost(peer: Slot): void {
    if (!this.#target.includes(peer)) return
    if (this.phase === 'asking') this.fail(`s${peer} lost`, [], 0)
    else if (this.phase === 'preparing' && !this.#promises.has(peer)) {
      this.#target = this.#target.filter((slot) => slot !== peer)
      if (this.#promises.has(this.#context.self)) this.#chooseIfComplete()
    } else if (this.phase === 'installing' && this.#members.includes(peer)) {
      this.fail(`s${peer} lost`, [], 0)
    }
  }
}
