// What P7 rests on where a member could not install its view: it cannot serve, and asks for another. Who
// has heard that it lacks the view does not call that view healthy, or it stays out until something else
// happens.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { compareEpochs, formatEpoch } from '../../../protocol/log/epoch.js'
import type { Lane } from '../connection.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'
import { Lives } from './lives.js'

/** A persistence replica in its present life. */
interface Member {
  /** What others last said over the present connection, by slot. */
  readonly others: Map<number, The<'VIEW_HEARTBEAT'>>
  /** Epochs that it was asked for when it knew of a member without its view. */
  readonly owed: Set<string>
}

export class ConsentCheck implements Check {
  readonly #lives = new Lives<Member>(() => ({ others: new Map(), owed: new Set() }))

  started(host: Host): void {
    this.#lives.over(host)
  }

  linked(host: Host, peer: Host, lane: Lane): void {
    this.#forget(host, peer, lane)
  }

  unlinked(host: Host, peer: Host, lane: Lane): void {
    this.#forget(host, peer, lane)
  }

  #forget(host: Host, peer: Host, lane: Lane): void {
    if (peer.role !== 'persistence' || lane !== 'main') return
    this.#lives.of(host).others.delete(peer.slot)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'VIEW_HEARTBEAT') this.#lives.of(to).others.set(from.slot, message)
    if (message.type !== 'ASK') return
    const { others, owed } = this.#lives.of(to)
    const { status, installedEpoch } = turnView(to)!
    const members = to.disk!.file?.view.members ?? []
    const lacks = members.some(({ slot }) => {
      const heartbeat = others.get(slot)
      return heartbeat && compareEpochs(heartbeat.installed, installedEpoch) < 0
    })
    // The same may be asked again, when all have the view.
    const epoch = formatEpoch(message.epoch)
    if (status === 'normal' && lacks) owed.add(epoch)
    else owed.delete(epoch)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type !== 'CONSENT' || message.reason !== 'the view is healthy') return
    expect(!this.#lives.of(from).owed.has(formatEpoch(message.epoch)), 'P7', () => {
      return `${from.name} refuses ${to.name} a view: its own is healthy, though a member lacks it`
    })
  }
}
