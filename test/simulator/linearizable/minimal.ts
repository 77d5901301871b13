// The smallest part of a history that is still wrong, for a person to look at. Delta debugging
// (Zeller & Hildebrandt 2002): first in large pieces, then one by one until no operation can go.

import type { Operation } from './linearize.js'

type History<What> = readonly Operation<What>[]

/** A history without some of its operations; a right history must stay right. */
export type Without<What> = (
  history: History<What>,
  gone: ReadonlySet<Operation<What>>,
) => History<What>

export function minimal<What>(
  history: History<What>,
  isWrong: (history: History<What>) => boolean,
  without: Without<What> = (all, gone) => all.filter((one) => !gone.has(one)),
): History<What> {
  let left = history
  for (let size = Math.ceil(left.length / 2); ;) {
    const before = left.length
    // Removes from the end first: operations after the mistake mostly have no part in it.
    for (let end = left.length; end > 0; end = Math.min(end - size, left.length)) {
      const gone = new Set(left.slice(Math.max(0, end - size), end))
      const rest = without(left, gone)
      if (isWrong(rest)) left = rest
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (left.length === before) return left
  }
}
