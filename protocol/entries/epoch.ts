// An epoch numbers a view: (counter, slot of its proposer), ordered lexicographically. Two
// proposers can never make the same one.

export interface Epoch {
  readonly counter: number
  readonly slot: number
}

/** Genesis: the view without members that every intact file starts from. */
export const EPOCH_ZERO: Epoch = { counter: 0, slot: 0 }

/** Negative, 0 or positive as a is below, equal to or above b. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.counter - b.counter || a.slot - b.slot
}

export function sameEpoch(a: Epoch, b: Epoch): boolean {
  return a.counter === b.counter && a.slot === b.slot
}

export function maxEpoch(a: Epoch, b: Epoch): Epoch {
  return compareEpochs(a, b) >= 0 ? a : b
}

export function formatEpoch(epoch: Epoch): string {
  return `${epoch.counter}.${epoch.slot}`
}
