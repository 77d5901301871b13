// Turns the pending appends and claims into stamped batches or into answers, for the holder of the
// turn. Each is checked against the holder's log, which is complete and includes all that is in
// flight (C1, C2, C7).

import { MAX_GROUP } from '../schema/shared.js'
import type { PersistenceContext } from './context.js'
import {
  admitClaim,
  admitOrder,
  claimed,
  type PendingClaim,
  type PendingOrder,
} from './admission.js'
import {
  countOf,
  packDrafts,
  weighBatch,
  withChain,
  type Batch,
  type Contents,
} from '../entries/batch.js'
import { KIND, plainMeta } from '../entries/entry.js'
import type { Leases } from './lease.js'
import { encodeTerm } from '../entries/fence.js'
import type { AppendQueue } from './append-queue.js'

const GROUP_BYTES = 1024 * 1024

export class Sequencer {
  readonly #context: PersistenceContext
  readonly #leases: Leases
  readonly #queue: AppendQueue

  constructor(context: PersistenceContext, leases: Leases, queue: AppendQueue) {
    this.#context = context
    this.#leases = leases
    this.#queue = queue
  }

  /**
   * Batches of one transaction, appended to the log in memory; none: every request was answered.
   */
  takeGroup(): Batch[] {
    const group: Batch[] = []
    let bytes = 0
    let count = 0
    for (let pending = this.#queue.peek(); pending; pending = this.#queue.peek()) {
      const order = pending.kind === 'order' ? pending : null
      bytes += order ? weighBatch(order.contents) : 256
      count += order ? countOf(order.contents) : 1
      if (group.length > 0 && (count > MAX_GROUP || bytes > GROUP_BYTES)) break
      this.#queue.shift()
      const added = order ? this.#takeOrder(order) : this.#takeClaim(pending as PendingClaim)
      if (added) group.push(added)
    }
    return group
  }

  #stamp(contents: Contents, place: { term: number; k: number; time: number }): Batch {
    const { log } = this.#context
    const batch = withChain(log.chain, {
      first: log.last + 1,
      epoch: this.#context.epoch,
      lamport: this.#context.clock.tick(),
      ...contents,
      ...place,
    })
    log.append([batch])
    return batch
  }

  #takeOrder(order: PendingOrder): Batch | null {
    const { log } = this.#context
    const { id, term, k } = order
    const verdict = admitOrder(log, order)
    switch (verdict.verdict) {
      case 'append': {
        const batch = this.#stamp(order.contents, { term, k, time: order.time })
        this.#queue.answerAt(order, log.last, () => ({ type: 'APPENDED', id, k }))
        return batch
      }
      case 'present':
        this.#queue.answerAt(order, verdict.through, () => ({ type: 'APPENDED', id, k }))
        return null
      case 'fenced':
        this.#queue.answerAt(order, this.#fenceThrough, () => {
          // `log.fence` may name a newer TERM that is not committed, hence the committed one.
          return { type: 'FENCED', id, term: log.committedFence.term }
        })
        return null
      case 'gap':
        this.#context.outbox.send(order.link, { type: 'GAP', id, expected: verdict.expected })
        return null
      case 'conflict':
      case 'too-old':
        this.#context.outbox.log('error', `append-${verdict.verdict}`, {
          term,
          k,
          slot: order.slot,
        })
        this.#context.outbox.send(order.link, { type: 'NOT_APPENDED', id, reason: verdict.verdict })
        return null
    }
  }

  #takeClaim(claim: PendingClaim): Batch | null {
    const { log, outbox } = this.#context
    const lease = this.#leases.weight
    const verdict = admitClaim(log, claim, lease)
    if (verdict === 'leased') {
      outbox.send(claim.link, claimed(claim, 'leased', log))
      if (claim.weight > lease) this.#leases.askToResign(log.fence.term)
      return null
    }
    let added: Batch | null = null
    if (verdict === 'append') {
      const owner = { slot: claim.slot, boot: claim.boot, nonce: claim.nonce }
      const draft = { meta: plainMeta(KIND.term), body: encodeTerm(owner) }
      const term = claim.expected + 1
      added = this.#stamp(packDrafts([draft]), { term, k: 0, time: log.fence.time })
    }
    const through = verdict === 'append' ? log.last : this.#fenceThrough
    this.#queue.answerAt(claim, through, () =>
      claimed(
        claim,
        log.committedFence.owner?.nonce === claim.nonce ? 'won' : 'lost',
        log,
        through,
      ),
    )
    return added
  }

  /** The newest TERM is committed once this index is. */
  get #fenceThrough(): number {
    const { log } = this.#context
    return log.committedFence.term === log.fence.term ? log.commit : log.last
  }
}
