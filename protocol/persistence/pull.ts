// PULL and PULLED: a stretch of another replica's log after the last place in common. A member that
// is behind pulls, a proposer and its members do around INSTALL, and so does a replica that catches
// up outside the view (committed entries only).

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { PersistenceContext } from './context.js'
import { CHAIN_ZERO, lastOf, type Batch } from '../entries/batch.js'
import { sameBytes } from '../bytes.js'
import type { Place } from '../entries/place.js'
import { stretch } from './frames.js'

interface PendingPull {
  readonly id: number
  readonly to: Slot
  readonly since: number
  readonly then: (pulled: The<'PULLED'> | null) => void
}

export class Puller {
  readonly #context: PersistenceContext
  #next = 0
  /** End of the last stretch pulled: the next one begins there if the own log has that place. */
  #reached: Place | null = null
  /** Only one pull is pending at a time: another caller asks again at its next occasion. */
  #pending: PendingPull | null = null

  constructor(context: PersistenceContext) {
    this.#context = context
  }

  get busy(): boolean {
    return this.#pending !== null
  }

  /** `then(null)`: the source vanished or does not answer. Does nothing while busy. */
  ask(to: Slot, committedOnly: boolean, then: (pulled: The<'PULLED'> | null) => void): void {
    if (this.#pending) return
    const id = ++this.#next
    this.#pending = { id, to, since: this.#context.now.monotonic, then }
    const places = this.#context.log.probes()
    const reached = this.#reached
    // Probes lie ever further apart; with the end of the last stretch, a long gap is closed stretch
    // by stretch.
    if (reached && this.#context.log.has(reached) === true) {
      places.push(reached)
      places.sort((a, b) => b.index - a.index)
    }
    this.#context.send(to, { type: 'PULL', id, committedOnly, places })
  }

  onPulled(from: Slot, message: The<'PULLED'>): void {
    if (this.#pending?.id !== message.id || this.#pending.to !== from) return
    if (message.batches.some(({ absent }) => absent.length > 0)) {
      this.#context.erasedThrough = Math.max(this.#context.erasedThrough, message.commit)
    }
    const end = message.batches.at(-1)
    if (end) this.#reached = { index: lastOf(end), chain: end.chain }
    this.#end(message)
  }

  lost(peer: Slot): void {
    if (this.#pending?.to === peer) this.#end(null)
  }

  tick(): void {
    const asked = this.#pending
    if (asked && this.#context.now.monotonic - asked.since > this.#context.timings.patience)
      this.#end(null)
  }

  /** The pending pull is not wanted any more. */
  cancel(): void {
    this.#pending = null
  }

  #end(pulled: The<'PULLED'> | null): void {
    const then = this.#pending!.then
    this.#pending = null
    then(pulled)
  }

  /** Serves a peer from memory, or from the file where memory does not reach back far enough. */
  onPull(from: Slot, message: The<'PULL'>): void {
    const { votes, status } = this.#context
    if (!votes) return
    // Outside a view, catch-up may change the log: only committed entries are certain.
    if (status === 'outside' && !message.committedOnly) return
    const { log } = this.#context
    const limit = this.#limit(message)
    const places = message.places.filter((place) => place.index <= limit)
    const known = places.find((place) => log.has(place) === true && place.index >= log.first - 1)
    const unsure = places.filter((place) => log.has(place) === undefined)
    if (known || unsure.length === 0) {
      const common = known ?? { index: 0, chain: CHAIN_ZERO }
      this.#serve(from, message, common)
      return
    }
    const link = this.#context.peers.get(from)?.link
    const indices = unsure.map((place) => place.index)
    this.#context.outbox.read({ kind: 'places', indices }, (result) => {
      if (result.kind !== 'places' || this.#context.peers.get(from)?.link !== link) return
      const common = unsure.find((place) =>
        result.places.some((p) => p.index === place.index && sameBytes(p.chain, place.chain)),
      )
      this.#serve(from, message, common ?? { index: 0, chain: CHAIN_ZERO })
    })
  }

  /**
   * Only entries on disk here are served: on disk with them is the promise that they rest on, which
   * the answer's header names (P3). Entries still being written may rest on a higher one.
   */
  #limit({ committedOnly }: The<'PULL'>): number {
    const { durable, commit } = this.#context.log
    return committedOnly ? Math.min(commit, durable) : durable
  }

  #serve(from: Slot, message: The<'PULL'>, common: Place): void {
    const { log, outbox } = this.#context
    if (common.index + 1 >= log.first) {
      this.#answer(from, message, common, log.after(common.index))
      return
    }
    const link: LinkId | undefined = this.#context.peers.get(from)?.link
    const query = {
      kind: 'batches',
      after: common.index,
      limit: this.#context.bounds.stretch,
      maxBytes: this.#context.bounds.frameBytes,
    } as const
    outbox.read(query, (result) => {
      if (result.kind !== 'batches' || this.#context.peers.get(from)?.link !== link) return
      this.#answer(from, message, common, result.batches)
    })
  }

  #answer(to: Slot, message: The<'PULL'>, common: Place, batches: readonly Batch[]): void {
    const { log, bounds } = this.#context
    const limit = this.#limit(message)
    const served = stretch(
      batches.filter((batch) => lastOf(batch) <= limit),
      { entries: bounds.stretch, bytes: bounds.frameBytes },
    )
    const { durable: last, commit } = log
    this.#context.send(to, {
      type: 'PULLED',
      id: message.id,
      common,
      batches: served,
      last,
      commit,
    })
  }
}
