// P8: one INSTALL per epoch, and a replica that gave a view up does not enter it. P6 along
// messages: a replica's stamps are above everything that it heard before, and never below its own
// log.

import { sameBytes } from '../../../protocol/bytes.js'
import { formatEpoch } from '../../../protocol/entries/epoch.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { peerHeader, turnView, type Check } from './check.js'

export class ViewCheck implements Check {
  readonly #installs = new Map<string, The<'INSTALL'>>()
  /** Highest stamp that a replica has said or heard in its present boot. */
  readonly #clocks = new Map<Host, number>()
  readonly #context = new Map<Host, string>()

  started(host: Host): void {
    this.#clocks.delete(host)
    this.#context.delete(host)
  }

  stepped(host: Host): void {
    const status = turnView(host)?.status
    if (status === undefined) return
    const before = this.#context.get(host)
    this.#context.set(host, status)
    const enters = status === 'normal' && before !== 'normal'
    expect(!enters || before === 'changing', 'P8', () => {
      return `${host.name} enters a view that it had given up, from status ${before}`
    })
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type === 'INSTALL') this.#install(from, message)
    const header = peerHeader(message)
    if (!header) return
    const known = Math.max(this.#clocks.get(from) ?? 0, from.disk!.last.lamport)
    expect(header.clock >= known, 'P6', () => {
      return `${from.name} stamps ${message.type} ${header.clock} after ${known}`
    })
    this.#clocks.set(from, header.clock)
  }

  delivered(_from: Host, to: Host, message: Message): void {
    const header = peerHeader(message)
    if (!header) return
    const known = this.#clocks.get(to) ?? 0
    this.#clocks.set(to, Math.max(known, header.clock + 1))
  }

  #install(from: Host, message: The<'INSTALL'>): void {
    const epoch = formatEpoch(message.epoch)
    const known = this.#installs.get(epoch)
    if (!known) return void this.#installs.set(epoch, message)
    const frozen = ({ members, last, commit }: The<'INSTALL'>): string =>
      JSON.stringify([members, last.index, commit])
    const same =
      frozen(known) === frozen(message) && sameBytes(known.last.chain, message.last.chain)
    expect(same, 'P8', () => `${from.name} sends another INSTALL of ${epoch} than before`)
  }
}
