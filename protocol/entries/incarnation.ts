// A voter is a (slot, incarnation): a replica that lost its file comes back as another voter (P9).

import type { Epoch } from './epoch.js'

/** A voter is a (slot, incarnation): a replica that lost its file comes back as another one. */
export interface Incarnation {
  readonly counter: number
  /** Random, hex. Genesis: empty. */
  readonly nonce: string
}

/**
 * Below 0: `a` is superseded by `b`. Two incarnations may get the same counter if the first was
 * lost before a majority had recorded it; then the nonces decide, for all replicas in the same way.
 */
export function compareIncarnations(a: Incarnation, b: Incarnation): number {
  if (a.counter !== b.counter) return a.counter - b.counter
  return a.nonce < b.nonce ? -1 : a.nonce > b.nonce ? 1 : 0
}

export interface Member {
  readonly slot: number
  readonly incarnation: Incarnation
}

export interface View {
  readonly epoch: Epoch
  readonly members: readonly Member[]
}

export function sameIncarnation(a: Incarnation, b: Incarnation): boolean {
  return a.counter === b.counter && a.nonce === b.nonce
}
