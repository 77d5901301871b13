// P4: promised and logView never go down. P5: nothing is said before it is on disk. P8: a view is
// installed once. P4 and P5 are read off the file at the moment at which a message leaves.

import {
  compareEpochs,
  formatEpoch,
  sameEpoch,
  type Epoch,
} from '../../../protocol/entries/epoch.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { lastOf } from '../../../protocol/entries/batch.js'
import type { DurableState, Transaction } from '../../../protocol/machine/storage.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { peerHeader, type Check } from './check.js'

function said(host: Host, what: string, epoch: Epoch, disk: Epoch): string {
  return `${host.name} said ${what} ${formatEpoch(epoch)}; its file has ${formatEpoch(disk)}`
}

export class DiskCheck implements Check {
  written(disk: Disk, transaction: Transaction, before: DurableState): void {
    if (transaction.genesis) return
    const after = disk.durable
    for (const name of ['promised', 'logView'] as const) {
      expect(
        compareEpochs(after[name], before[name]) >= 0,
        'P4',
        () =>
          `s${disk.slot}: ${name} from ${formatEpoch(before[name])} to ${formatEpoch(after[name])}`,
      )
    }
    expect(
      compareEpochs(after.promised, after.logView) >= 0,
      'P4',
      () => `s${disk.slot} installs ${formatEpoch(after.logView)} above its promise`,
    )
    const again = transaction.view && sameEpoch(transaction.view.epoch, before.logView)
    expect(!again, 'P8', () => `s${disk.slot} installs ${formatEpoch(before.logView)} twice`)
  }

  sent(from: Host, _to: Host, message: Message): void {
    const header = from.disk && peerHeader(message)
    if (!header) return
    const durable = from.disk!.durable
    expect(compareEpochs(header.promised, durable.promised) <= 0, 'P5', () =>
      said(from, `${message.type} promised`, header.promised, durable.promised),
    )
    expect(compareEpochs(header.installed, durable.logView) <= 0, 'P5', () =>
      said(from, `${message.type} installed`, header.installed, durable.logView),
    )
    switch (message.type) {
      case 'ACK':
        return this.#ack(from, message, durable)
      case 'PROMISE':
        return this.#promise(from, message, durable)
      case 'PULLED':
        return this.#pulled(from, message)
      case 'INSTALLED':
        return expect(compareEpochs(message.epoch, durable.logView) <= 0, 'P5', () =>
          said(from, 'INSTALLED', message.epoch, durable.logView),
        )
      case 'LAST_IS':
        return expect(message.last <= durable.last, 'P5', () => {
          return `${from.name} said LAST_IS ${message.last}; its file ends at ${durable.last}`
        })
    }
  }

  #ack(from: Host, message: The<'ACK'>, durable: DurableState): void {
    const { epoch, last } = message
    expect(sameEpoch(epoch, durable.logView), 'P5', () => said(from, 'ACK', epoch, durable.logView))
    // After a higher promise is on disk, nothing of a lower epoch may leave.
    expect(compareEpochs(durable.promised, epoch) <= 0, 'P5', () =>
      said(from, 'ACK', epoch, durable.promised),
    )
    expect(last <= durable.last, 'P5', () => {
      return `${from.name} said ACK ${last}; its file ends at ${durable.last}`
    })
  }

  /**
   * A replica that takes up a pulled stretch also takes over its source's promise, so the stretch
   * must not be newer than the file.
   */
  #pulled(from: Host, { batches }: The<'PULLED'>): void {
    const last = batches.at(-1)
    if (!last) return
    const there = from.disk!.file?.log[lastOf(last)]?.chain
    expect(!!there && sameBytes(there, last.chain), 'P5', () => {
      return `${from.name} said PULLED with ${lastOf(last)}, not in its file`
    })
  }

  #promise(from: Host, message: The<'PROMISE'>, durable: DurableState): void {
    const { epoch, logView, last } = message
    expect(compareEpochs(epoch, durable.promised) <= 0, 'P5', () =>
      said(from, 'PROMISE', epoch, durable.promised),
    )
    const still = sameEpoch(epoch, durable.promised) && sameEpoch(logView, durable.logView)
    if (!still) return
    const there = from.disk!.file!.log[last.index]?.chain
    expect(
      !!there && sameBytes(there, last.chain),
      'P5',
      () => `${from.name} said PROMISE with ${last.index}, not in its file`,
    )
  }
}
