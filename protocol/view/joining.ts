// Outside a view, a replica that restarted or lost its file asks a member to be taken in. A replica
// that is far behind first catches up on committed entries.

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { maxEpoch } from '../entries/epoch.js'
import type { Puller } from '../persistence/pull.js'
import type { PersistenceContext } from '../persistence/context.js'
import { syncTo } from './sync.js'

export class Joining {
  readonly #context: PersistenceContext
  readonly #puller: Puller
  #lastJoin = -Infinity
  /** When a JOINING last came, or else the first JOIN was sent, monotonic ms. */
  #joinHeard: number | null = null

  constructor(context: PersistenceContext, puller: Puller) {
    this.#context = context
    this.#puller = puller
  }

  /** JOINs have had no answer for so long that this replica proposes a view itself. */
  get unheard(): boolean {
    const { now, timings } = this.#context
    return this.#joinHeard !== null && now.monotonic - this.#joinHeard > 4 * timings.patience
  }

  joined(): void {
    this.#joinHeard = null
  }

  /** Asks a member to be taken in, or first gets nearer to the end of its log. */
  join(): void {
    const { now, timings, peers, log } = this.#context
    if (this.#context.status === 'learner' && this.#context.incarnation.counter === 0) return
    const member = this.#context.reached.find((slot) => peers.get(slot)?.heartbeat?.active)
    if (member === undefined) return
    // Catching up goes on until the replica is a member: under load it would fall behind again.
    const behind = peers.get(member)!.heartbeat!.committed - log.last
    if (behind > 0) this.#catchUp(member)
    if (behind > this.#context.bounds.near) return
    if (now.monotonic - this.#lastJoin < timings.patience) return
    this.#lastJoin = now.monotonic
    this.#joinHeard ??= now.monotonic
    this.#context.send(member, { type: 'JOIN', last: log.last })
  }

  /** A JOIN is newer than the sender's heartbeat; under load that decides between near and far. */
  onJoin(from: Slot, message: The<'JOIN'>): void {
    const peer = this.#context.peers.get(from)
    if (peer?.heartbeat) peer.heartbeat = { ...peer.heartbeat, last: message.last }
    this.#context.send(from, { type: 'JOINING' })
  }

  onJoining(): void {
    this.#joinHeard = this.#context.now.monotonic
  }

  /**
   * Committed entries in stretches, outside the view. `promised` first rises to the source's
   * promise; the source's installed epoch would not be enough. logView stays as it is.
   */
  #catchUp(source: Slot): void {
    this.#puller.ask(source, true, (pulled) => {
      const outside = this.#context.status === 'outside' || this.#context.status === 'learner'
      if (!pulled?.common || !outside) return
      this.#context.promised = maxEpoch(this.#context.promised, pulled.promised)
      const { promised } = this.#context
      const { common, batches } = pulled
      const stretch = { from: source, common, batches }
      syncTo(this.#context, stretch, { promised, commit: pulled.commit }, () => {
        this.#context.durablePromised = maxEpoch(this.#context.durablePromised, promised)
        const still = this.#context.status === 'outside' || this.#context.status === 'learner'
        if (still && batches.length > 0) this.join()
      })
    })
  }
}
