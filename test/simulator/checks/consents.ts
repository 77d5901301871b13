// P7 rests on this where a member could not install its view, cannot serve and asks for another
// view: a replica that has heard of a member without the view does not refuse that as healthy.
// Otherwise the member stays out until something else happens.

import type { Message } from '../../../protocol/messages/catalogue.js'
import { compareEpochs, formatEpoch } from '../../../protocol/entries/epoch.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'
import { PerBoot } from './per-boot.js'
import type { Neighbours } from './neighbours.js'

export class ConsentCheck implements Check {
  readonly #neighbours: Neighbours<'VIEW_HEARTBEAT'>
  /** Epochs that a replica was asked for while it knew of a member without its view. */
  readonly #owed = new PerBoot(() => new Set<string>())

  constructor(neighbours: Neighbours<'VIEW_HEARTBEAT'>) {
    this.#neighbours = neighbours
  }

  started(host: Host): void {
    this.#owed.forget(host)
  }

  delivered(_from: Host, to: Host, message: Message): void {
    if (message.type !== 'ASK') return
    const [others, owed] = [this.#neighbours.of(to), this.#owed.of(to)]
    const { status, installedEpoch } = turnView(to)!
    const members = to.disk!.file?.view.members ?? []
    const lacks = members.some(({ slot }) => {
      const other = others.get(slot)
      return other && compareEpochs(other.heartbeat.installed, installedEpoch) < 0
    })
    // The same epoch may be asked for again once all members have the view.
    const epoch = formatEpoch(message.epoch)
    if (status === 'normal' && lacks) owed.add(epoch)
    else owed.delete(epoch)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type !== 'CONSENT' || message.reason !== 'the view is healthy') return
    expect(!this.#owed.of(from).has(formatEpoch(message.epoch)), 'P7', () => {
      return `${from.name} refuses ${to.name} a view: it calls its own healthy, which a member has not installed`
    })
  }
}
