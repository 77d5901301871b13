// P1, by what its proof rests on: the holder of the turn has a REPLY from every other member to
// exactly its last REQUEST, and has not answered that member's REQUEST since.

import { formatEpoch, sameEpoch, type Epoch } from '../../../protocol/entries/epoch.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'

interface Asked {
  readonly epoch: Epoch
  /** Stamp of the last REQUEST, by the slot that was asked. */
  readonly stamps: Map<number, number>
  readonly granted: Set<number>
}

export class PermissionCheck implements Check {
  readonly #asked = new Map<Host, Asked>()

  started(host: Host): void {
    this.#asked.delete(host)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'REPLY') this.#asked.get(from)?.granted.delete(to.slot)
    if (message.type !== 'REQUEST') return
    const { epoch, stamp } = message
    const known = this.#asked.get(from)
    const asked =
      known && sameEpoch(known.epoch, epoch)
        ? known
        : { epoch, stamps: new Map<number, number>(), granted: new Set<number>() }
    this.#asked.set(from, asked)
    asked.stamps.set(to.slot, stamp)
    asked.granted.delete(to.slot)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type !== 'REPLY') return
    const asked = this.#asked.get(to)
    if (!asked || !sameEpoch(asked.epoch, message.epoch)) return
    if (asked.stamps.get(from.slot) === message.stamp) asked.granted.add(from.slot)
  }

  stepped(host: Host): void {
    const view = turnView(host)
    const file = view?.holdsTurn && host.disk!.file
    if (!file || !sameEpoch(file.view.epoch, view.installedEpoch)) return
    const asked = this.#asked.get(host)
    const granted = asked && sameEpoch(asked.epoch, view.installedEpoch) ? asked.granted : null
    for (const { slot } of file.view.members) {
      expect(slot === host.slot || granted?.has(slot) === true, 'P1', () => {
        const epoch = formatEpoch(view.installedEpoch)
        return `${host.name} holds the turn of ${epoch} without the permission of s${slot}`
      })
    }
  }
}
