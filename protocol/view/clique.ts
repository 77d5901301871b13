// Chooses the members of a view: the most replicas that all reach each other, and among equally
// many the lowest slots. A member that cannot reach the others would make views alternate for ever.

import type { Slot } from '../slots.js'

/**
 * The best clique that contains `self`. `reaches(a, b)`: a has a live link to b. There are at most
 * nine slots, so trying every subset is the simplest correct way.
 */
export function bestClique(
  self: Slot,
  candidates: readonly Slot[],
  reaches: (a: Slot, b: Slot) => boolean,
): Slot[] {
  const others = candidates.filter((slot) => slot !== self).sort((a, b) => a - b)
  let best: Slot[] = [self]
  for (let mask = 0; mask < 1 << others.length; mask++) {
    const subset = [self, ...others.filter((_, i) => mask & (1 << i))].sort((a, b) => a - b)
    if (subset.length < best.length || !isClique(subset, reaches)) continue
    if (subset.length > best.length || isLower(subset, best)) best = subset
  }
  return best
}

function isClique(slots: readonly Slot[], reaches: (a: Slot, b: Slot) => boolean): boolean {
  return slots.every((a) => slots.every((b) => a === b || reaches(a, b)))
}

function isLower(a: readonly Slot[], b: readonly Slot[]): boolean {
  const i = a.findIndex((slot, at) => slot !== b[at])
  return i >= 0 && a[i]! < b[i]!
}
