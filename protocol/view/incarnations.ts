// Incarnations of files. A voter is a (slot, incarnation). A replica that comes back without its
// file, or with less in it than its peers remember, is a learner under a new incarnation; promises
// of the old incarnation no longer count (P9).

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { compareEpochs, EPOCH_ZERO, maxEpoch, type Epoch } from '../entries/epoch.js'
import type { Remembered } from '../machine/storage.js'
import { sameIncarnation, type Incarnation } from '../entries/incarnation.js'
import type { PersistenceContext } from '../persistence/context.js'

export class Incarnations {
  readonly #context: PersistenceContext
  /** Promises and ACKs seen from each slot; best effort. */
  readonly #remembered = new Map<Slot, Remembered>()
  /** Answers to WHO_AM_I; null: the own incarnation is known. */
  #answers: Map<Slot, The<'YOU_ARE'>> | null
  #asked = -Infinity
  #asks = 0
  #hasFile: boolean

  constructor(context: PersistenceContext, remembered: readonly Remembered[]) {
    this.#context = context
    for (const one of remembered) this.#remembered.set(one.slot, one)
    this.#answers = context.incarnation.counter === 0 ? new Map() : null
    this.#hasFile = context.incarnation.counter > 0
  }

  get remembered(): readonly Remembered[] {
    return [...this.#remembered.values()]
  }

  /** Notes a promise or a committed ACK that this replica was sent. */
  remember(slot: Slot, incarnation: Incarnation, promised: Epoch, acked: number): void {
    const known = this.#remembered.get(slot)
    const same = known && sameIncarnation(known.incarnation, incarnation)
    this.#remembered.set(slot, {
      slot,
      incarnation,
      promised: same ? maxEpoch(known.promised, promised) : promised,
      acked: same ? Math.max(known.acked, acked) : acked,
    })
  }

  /** The commit index is final: members must still hold what they have acknowledged up to it. */
  rememberAcks(acked: ReadonlyMap<Slot, number>): void {
    const { view, log, epoch } = this.#context
    for (const [slot, through] of acked) {
      const incarnation = view.members.find((member) => member.slot === slot)?.incarnation
      if (incarnation) this.remember(slot, incarnation, epoch, Math.min(through, log.commit))
    }
  }

  linked(peer: Slot): void {
    if (this.#answers) this.#context.send(peer, { type: 'WHO_AM_I' })
    const known = this.#remembered.get(peer)
    if (!known) return
    this.#context.send(peer, {
      type: 'RECALL',
      about: known.incarnation,
      saidPromised: known.promised,
      saidAcked: known.acked,
    })
  }

  /**
   * True: the own file holds less than this incarnation has promised or acknowledged, so the file
   * was rolled back.
   */
  onRecall(message: The<'RECALL'>): boolean {
    if (!sameIncarnation(message.about, this.#context.incarnation)) return false
    return (
      compareEpochs(message.saidPromised, this.#context.promised) > 0 ||
      message.saidAcked > this.#context.log.last
    )
  }

  /** The own incarnation is over: a new one has to be found. */
  startAnew(): void {
    this.#context.outbox.log('error', 'file-rolled-back', { slot: this.#context.self })
    this.#context.incarnation = { counter: 0, nonce: '' }
    // This replica is in no view from here on; its file says so with the new incarnation (P5).
    this.#context.view = { epoch: EPOCH_ZERO, members: [] }
    this.#context.status = 'learner'
    this.#answers = new Map()
    this.#asked = -Infinity
  }

  tick(): void {
    if (!this.#answers) return
    if (this.#context.now.monotonic - this.#asked < this.#context.timings.patience) return
    this.#asked = this.#context.now.monotonic
    this.#context.broadcast([...this.#context.peers.keys()], { type: 'WHO_AM_I' })
    this.#asks++
    // Logged about once a minute: with a majority of files lost, nothing here goes on by itself.
    if (this.#asks % 120 !== 20) return
    const { self: slot, majority: needed } = this.#context
    this.#context.outbox.log('error', 'too-few-files', {
      slot,
      answers: this.#answers.size,
      needed,
    })
  }

  onWhoAmI(from: Slot): void {
    if (this.#context.incarnation.counter === 0) return
    this.#context.send(from, {
      type: 'YOU_ARE',
      clusterId: this.#context.clusterId,
      slots: this.#context.slots,
      newest: this.#context.incarnations.get(from) ?? { counter: 1, nonce: '' },
      learner: !this.#context.votes,
    })
  }

  /**
   * The new counter is one above the highest that a majority of ALL slots recorded, learners not
   * counted.
   */
  onYouAre(from: Slot, message: The<'YOU_ARE'>): void {
    if (!this.#answers || message.learner) return
    if (message.clusterId !== this.#context.clusterId || message.slots !== this.#context.slots)
      return
    this.#answers.set(from, message)
    if (this.#answers.size < this.#context.majority) return
    const own = this.#context.incarnations.get(this.#context.self)?.counter ?? 0
    const newest = [...this.#answers.values()].map((answer) => answer.newest.counter)
    const highest = Math.max(own, ...newest)
    this.#answers = null
    this.#begin({
      counter: highest + 1,
      nonce: Buffer.from(this.#context.entropy(8)).toString('hex'),
    })
  }

  #begin(incarnation: Incarnation): void {
    const { clusterId, historyId, slots, self } = this.#context
    const incarnations = new Map(this.#context.incarnations).set(self, incarnation)
    const batch = {
      genesis: { genesis: { clusterId, historyId, slots }, incarnation },
      incarnations: [...incarnations].map(([slot, one]) => ({ slot, incarnation: one })),
      // A file that was rolled back keeps its log, but belongs to no view any more.
      ...(this.#hasFile && { view: { epoch: EPOCH_ZERO, members: [] } }),
    }
    this.#hasFile = true
    this.#context.persist(batch, (result) => {
      if (result.outcome !== 'written') {
        this.#answers = new Map()
        return
      }
      this.#context.incarnation = incarnation
      this.#context.incarnations.set(self, incarnation)
      this.#context.writable = true
      this.#context.outbox.log('warn', 'new-incarnation', {
        slot: self,
        counter: incarnation.counter,
      })
    })
  }
}
