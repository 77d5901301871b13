// Situations of views, turns and the log.

import { lastOf, type Batch } from '../../../protocol/entries/batch.js'
import { compareEpochs, sameEpoch, type Epoch } from '../../../protocol/entries/epoch.js'
import type { DurableState, ReadQuery, Transaction } from '../../../protocol/machine/storage.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { turnView } from '../checks/check.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import type { Reach, Watcher } from './reach.js'

export class ViewSituations implements Watcher {
  readonly #reach: Reach
  /** The epoch of an INSTALL that each slot got or sent and whose view is not written yet. */
  readonly #installing = new Map<number, Epoch>()
  /** Slots that have promised in their present boot. */
  readonly #promised = new Set<number>()
  /** Slots that have started again and have been in no view since. */
  readonly #restarted = new Set<number>()
  /** Stamp of the last REQUEST, by asking and asked slot. */
  readonly #requests = new Map<string, number>()
  /** First index of a read of the file whose answer has not been sent. */
  readonly #reading = new Map<Host, number>()
  /** The id of each slot's last PULL of committed entries. */
  readonly #catchingUp = new Map<number, number>()

  constructor(reach: Reach) {
    this.#reach = reach
  }

  started(host: Host): void {
    if (!host.disk) return
    this.#installing.delete(host.slot)
    this.#promised.delete(host.slot)
    this.#reading.delete(host)
    if (host.bootCount > 0) this.#restarted.add(host.slot)
  }

  moved(host: Host, from: string, to: string): void {
    const view = turnView(host)
    if (from !== 'holding' || to === 'normal' || !view) return
    if (view.log.last > view.log.commit) {
      this.#reach('the holder leaves its view with entries in flight')
    }
  }

  written({ slot }: Disk, transaction: Transaction, before: DurableState): void {
    const installing = this.#installing.get(slot)
    if (transaction.promised && transaction.incarnations) {
      this.#promised.add(slot)
      if (installing && compareEpochs(transaction.promised, installing) > 0) {
        this.#reach('INSTALL interrupted by a higher promise')
        this.#installing.delete(slot)
      }
    }
    if (!transaction.view) return
    this.#installing.delete(slot)
    if ((transaction.truncateAfter ?? Infinity) < before.last) this.#reach('a view drops entries')
    const member = transaction.view.members.some((one) => one.slot === slot)
    if (member && this.#restarted.delete(slot)) this.#reach('a restarted replica is taken in')
  }

  read(host: Host, query: ReadQuery): void {
    if (query.kind === 'places') this.#reach('a place in common is looked for in the file')
    if (query.kind === 'batches') this.#reading.set(host, query.after)
  }

  sent(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'REQUEST':
        this.#requests.set(`${from.slot}>${to.slot}`, message.stamp)
        return
      case 'INSTALL':
        this.#installing.set(from.slot, message.epoch)
        return
      case 'PULL':
        if (message.committedOnly) this.#catchingUp.set(from.slot, message.id)
        return
      case 'PULLED':
        return this.#pulled(from, to, message)
      case 'BATCHES':
        if (this.#fromFile(from, message.batches)) this.#reach('the feed is served from the file')
    }
  }

  #pulled(from: Host, to: Host, { id, batches, commit }: The<'PULLED'>): void {
    if (this.#catchingUp.get(to.slot) !== id) return
    const last = batches.at(-1)
    if (last && lastOf(last) < commit) this.#reach('catch-up takes several PULLED')
    if (this.#fromFile(from, batches)) this.#reach('catch-up is served from the file')
  }

  #fromFile(host: Host, batches: readonly Batch[]): boolean {
    const after = this.#reading.get(host)
    if (after === undefined || batches[0]?.first !== after + 1) return false
    return this.#reading.delete(host)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (!to.disk) return
    const { durable } = to.disk
    switch (message.type) {
      case 'INSTALL':
        return this.#install(to, message.epoch, durable)
      case 'PREPARE':
        if (sameEpoch(message.epoch, durable.promised)) this.#reach('PREPARE comes twice')
        return
      case 'REQUEST': {
        const coming = compareEpochs(message.epoch, durable.logView) > 0
        if (coming && sameEpoch(message.epoch, durable.promised)) {
          this.#reach('REQUEST overtakes INSTALL')
        }
        return
      }
      case 'REPLY': {
        const asked = this.#requests.get(`${to.slot}>${from.slot}`)
        const over = compareEpochs(message.epoch, durable.promised) < 0
        if (over || message.stamp !== asked) this.#reach('REPLY comes late')
        return
      }
      case 'ACK':
        if (compareEpochs(message.epoch, durable.promised) < 0) this.#reach('ACK comes late')
        return
      case 'REPLICATE':
        return this.#replicate(to, message, durable)
    }
  }

  #install(to: Host, epoch: Epoch, { promised, logView }: DurableState): void {
    if (sameEpoch(epoch, logView)) this.#reach('INSTALL comes twice')
    else if (!sameEpoch(epoch, promised)) return
    else if (this.#promised.has(to.slot)) this.#installing.set(to.slot, epoch)
    else this.#reach('INSTALL resumed after a restart is ignored')
  }

  #replicate(
    to: Host,
    { batches, previous, epoch }: The<'REPLICATE'>,
    durable: DurableState,
  ): void {
    if (!sameEpoch(epoch, durable.logView)) return
    const last = Math.max(0, ...batches.map(lastOf))
    if (last <= durable.last) this.#reach('REPLICATE comes again')
    const end = turnView(to)?.log.last ?? Infinity
    if (previous.index > end) this.#reach('a member is behind the holder')
  }
}
