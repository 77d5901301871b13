// Checks of the turn's holder before an append, against its complete log and all appends in flight:
// terms (C1), gapless k (C7), equal bytes (C2). Pure functions, no state.

import type { LinkId } from '../machine/machine.js'
import type { Slot } from '../slots.js'
import type { Message } from '../messages/catalogue.js'
import { bodyHashOf, type Draft } from '../entries/entry.js'
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
  /** All entries of the order. */
  readonly drafts: readonly Draft[]
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
  readonly time: number
  readonly since: number
}

export type Pending = PendingOrder | PendingClaim

export type Verdict =
  /** Append the drafts from `skip` on: the earlier ones are in the log already. */
  | { readonly verdict: 'append'; readonly skip: number }
  /** All parts are in the log, the last of them at `through`. */
  | { readonly verdict: 'present'; readonly through: number }
  | { readonly verdict: 'fenced' }
  | { readonly verdict: 'gap'; readonly expected: number }
  | { readonly verdict: 'conflict' | 'too-old' }

/** Indices of the parts of (term, k); undefined: they may lie before the entries in memory. */
function findParts(log: LogTail, term: number, k: number): Map<number, number> | undefined {
  const parts = new Map<number, number>()
  for (let index = log.last; index >= log.first; index--) {
    const entry = log.at(index)!
    if (entry.term === 0) continue
    if (entry.term < term || entry.k < k) return parts
    if (entry.k === k) parts.set(entry.part, index)
  }
  return log.first === 1 ? parts : undefined
}

export function admitOrder(log: LogTail, order: PendingOrder): Verdict {
  if (order.term === 0) return { verdict: 'append', skip: 0 }
  const { term, owner, k, part, parts } = log.fence
  if (order.term !== term || order.slot !== owner?.slot || order.boot !== owner.boot) {
    return { verdict: 'fenced' }
  }
  const whole = part === parts
  const expectedK = whole ? k + 1 : k
  if (order.k > expectedK) return { verdict: 'gap', expected: expectedK }
  if (whole && order.k === expectedK) return { verdict: 'append', skip: 0 }
  return admitRepeated(log, order)
}

/** An order that is in the log in part or whole: it was sent again because no answer came. */
function admitRepeated(log: LogTail, order: PendingOrder): Verdict {
  const there = findParts(log, order.term, order.k)
  if (!there) return { verdict: 'too-old' }
  for (const [part, index] of there) {
    const draft = order.drafts[part - 1]
    const entry = log.at(index)!
    const equal =
      draft !== undefined &&
      entry.parts === order.drafts.length &&
      sameBytes(draft.meta, entry.meta) &&
      sameBytes(bodyHashOf(draft), bodyHashOf(entry))
    if (!equal) return { verdict: 'conflict' }
  }
  if (there.size === order.drafts.length) {
    return { verdict: 'present', through: Math.max(...there.values()) }
  }
  return { verdict: 'append', skip: there.size }
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
