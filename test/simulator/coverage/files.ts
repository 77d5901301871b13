// Situations of files: lost, new, full.

import type { DurableState, Transaction } from '../../../protocol/machine/storage.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import type { LogFields, Reach, Watcher } from './reach.js'

export class FileSituations implements Watcher {
  readonly #reach: Reach
  /** The newest incarnation that each slot's file has begun. */
  readonly #newest = new Map<number, number>()
  /** Slots whose disk was full when they last wrote to it. */
  readonly #full = new Set<number>()

  constructor(reach: Reach) {
    this.#reach = reach
  }

  written({ slot }: Disk, batch: Transaction, before: DurableState): void {
    if (batch.genesis) this.#newest.set(slot, batch.genesis.incarnation.counter)
    if (!batch.view || batch.view.members.length === 0) return
    if (this.#full.delete(slot)) this.#reach('a full disk has room again')
    if (this.#newest.has(slot) && before.logView.counter === 0) this.#reach('a learner is taken in')
  }

  logged(host: Host, event: string, fields: LogFields): void {
    if (event === 'write-failed' && fields['outcome'] === 'full') this.#full.add(host.slot)
  }

  delivered(from: Host, _to: Host, message: Message): void {
    if (message.type !== 'PROMISE') return
    if (message.learner) this.#reach('a learner promises')
    const newest = this.#newest.get(from.slot) ?? 1
    if (message.incarnation.counter < newest) this.#reach('a superseded incarnation promises')
  }
}
