// Checks of the turn's holder before an append, against its complete log and all appends in flight:
// terms (C1), gapless k (C7), equal bytes (C2). Pure functions, no state.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Message } from '../messages/catalogue.js'
import { lastOf, type Batch, type Contents } from '../entries/batch.js'
import { sameBytes } from '../bytes.js'
import type { LogTail } from './tail.js'

/** An APPEND of a processing replica, waiting for the turn or for its commit. */
export interface PendingOrder {
  readonly kind: 'order'
  readonly link: LinkId
  readonly slot: Slot
  readonly boot: string
  readonly id: number
  readonly term: number
  readonly k: number
  readonly time: number
  readonly contents: Contents
  /** When it arrived, monotonic ms. */
  readonly since: number
}

export interface PendingClaim {
  readonly kind: 'claim'
  readonly link: LinkId
  readonly slot: Slot
  readonly boot: string
  readonly nonce: string
  readonly expected: number
  readonly weight: number
  readonly since: number
}

export type Pending = PendingOrder | PendingClaim

export type Verdict =
  | { readonly verdict: 'append' | 'fenced' }
  /** The order is in the log, its last entry at `through`. */
  | { readonly verdict: 'present'; readonly through: number }
  | { readonly verdict: 'gap'; readonly expected: number }
  | { readonly verdict: 'conflict' | 'too-old' }

/** The batch of (term, k); undefined: it may lie before the batches in memory. */
function findOrder(log: LogTail, term: number, k: number): Batch | undefined {
  for (const batch of log.backwards()) {
    if (batch.term === 0) continue
    if (batch.term < term || batch.k < k) return undefined
    if (batch.k === k) return batch
  }
  return undefined
}

export function admitOrder(log: LogTail, order: PendingOrder): Verdict {
  if (order.term === 0) return { verdict: 'append' }
  const { term, owner, k } = log.fence
  if (order.term !== term || order.slot !== owner?.slot || order.boot !== owner.boot) {
    return { verdict: 'fenced' }
  }
  if (order.k > k + 1) return { verdict: 'gap', expected: k + 1 }
  if (order.k === k + 1) return { verdict: 'append' }
  // The order is in the log: it was sent again because no answer came.
  const there = findOrder(log, order.term, order.k)
  if (!there) return { verdict: 'too-old' }
  if (!sameBytes(there.head, order.contents.head)) return { verdict: 'conflict' }
  return { verdict: 'present', through: lastOf(there) }
}

export type ClaimVerdict = 'append' | 'won' | 'lost' | 'leased'

/**
 * Compare-and-set. `lease` is the weight that the owner of the newest term stated, 0 if it is
 * silent.
 */
export function admitClaim(log: LogTail, claim: PendingClaim, lease: number): ClaimVerdict {
  const { term, owner } = log.fence
  if (owner && owner.nonce === claim.nonce) return 'won'
  if (term !== claim.expected) return 'lost'
  const own = owner !== null && owner.slot === claim.slot && owner.boot === claim.boot
  return lease > 0 && !own ? 'leased' : 'append'
}

/** The answer to a claim, with the newest committed term. */
export function claimed(
  claim: PendingClaim,
  outcome: 'won' | 'lost' | 'leased' | 'not-serving',
  log: LogTail,
  index = 0,
): Message {
  const { term } = log.committedFence
  return {
    type: 'CLAIMED',
    nonce: claim.nonce,
    outcome,
    term,
    index,
  }
}
