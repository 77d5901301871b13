// Turns the pending appends and claims into stamped entries or into answers, for the holder of the
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
import { KIND, plainMeta, weigh, withChain, type Draft, type Entry } from '../entries/entry.js'
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
   * Entries of one transaction, appended to the log in memory; none: every request was answered.
   */
  takeGroup(): Entry[] {
    const group: Entry[] = []
    let bytes = 0
    for (let pending = this.#queue.peek(); pending; pending = this.#queue.peek()) {
      const size = pending.kind === 'order' ? pending.drafts.reduce((n, d) => n + weigh(d), 0) : 256
      const count = pending.kind === 'order' ? pending.drafts.length : 1
      if (group.length > 0 && (group.length + count > MAX_GROUP || bytes + size > GROUP_BYTES))
        break
      this.#queue.shift()
      const added = pending.kind === 'order' ? this.#takeOrder(pending) : this.#takeClaim(pending)
      group.push(...added)
      bytes += size
    }
    return group
  }

  #stamp(
    draft: Draft,
    place: { term: number; k: number; part: number; parts: number; time: number },
  ): Entry {
    const { log } = this.#context
    const { meta, body } = draft
    const entry = withChain(log.chain, {
      index: log.last + 1,
      epoch: this.#context.epoch,
      lamport: this.#context.clock.tick(),
      meta,
      body,
      ...place,
    })
    log.append([entry])
    return entry
  }

  #takeOrder(order: PendingOrder): Entry[] {
    const { log } = this.#context
    const { id, term, k } = order
    const verdict = admitOrder(log, order)
    switch (verdict.verdict) {
      case 'append': {
        const first = verdict.skip + 1
        const parts = order.drafts.length
        const added = order.drafts
          .slice(verdict.skip)
          .map((draft, i) =>
            this.#stamp(draft, { term, k, part: first + i, parts, time: order.time }),
          )
        this.#queue.answerAt(order, log.last, () => ({ type: 'APPENDED', id, k }))
        return added
      }
      case 'present':
        this.#queue.answerAt(order, verdict.through, () => ({ type: 'APPENDED', id, k }))
        return []
      case 'fenced':
        this.#queue.answerAt(order, this.#fenceThrough, () => {
          // `log.fence` may name a newer TERM that is not committed, hence the committed one.
          return { type: 'FENCED', id, term: log.committedFence.term }
        })
        return []
      case 'gap':
        this.#context.outbox.send(order.link, { type: 'GAP', id, expected: verdict.expected })
        return []
      case 'conflict':
      case 'too-old':
        this.#context.outbox.log('error', `append-${verdict.verdict}`, {
          term,
          k,
          slot: order.slot,
        })
        this.#context.outbox.send(order.link, { type: 'NOT_APPENDED', id, reason: verdict.verdict })
        return []
    }
  }

  #takeClaim(claim: PendingClaim): Entry[] {
    const { log, outbox } = this.#context
    const lease = this.#leases.weight
    const verdict = admitClaim(log, claim, lease)
    if (verdict === 'leased') {
      outbox.send(claim.link, claimed(claim, 'leased', log))
      if (claim.weight > lease) this.#leases.askToResign(log.fence.term)
      return []
    }
    const added: Entry[] = []
    if (verdict === 'append') {
      const owner = { slot: claim.slot, boot: claim.boot, nonce: claim.nonce }
      const draft = { meta: plainMeta(KIND.term), body: encodeTerm(owner) }
      const term = claim.expected + 1
      added.push(this.#stamp(draft, { term, k: 0, part: 1, parts: 1, time: claim.time }))
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
