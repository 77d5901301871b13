// P1: in one epoch at most one replica holds the turn. (`history.ts` checks that no index is
// written twice in one epoch, where an entry joins the tree.)

import { formatEpoch, sameEpoch } from '../../../protocol/entries/epoch.js'
import type { Host } from '../host.js'
import { Violation } from '../violation.js'
import { turnView, type Check } from './check.js'

export class TurnCheck implements Check {
  readonly #stores: readonly Host[]

  constructor(stores: readonly Host[]) {
    this.#stores = stores
  }

  stepped(host: Host): void {
    const view = turnView(host)
    if (!view?.holdsTurn) return
    for (const other of this.#stores) {
      const theirs = other === host ? null : turnView(other)
      if (!theirs?.holdsTurn || !sameEpoch(theirs.installedEpoch, view.installedEpoch)) continue
      const epoch = formatEpoch(view.installedEpoch)
      throw new Violation('P1', `${host.name} and ${other.name} hold the turn of ${epoch}`)
    }
  }
}
