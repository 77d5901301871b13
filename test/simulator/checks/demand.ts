// What clients want of each processing replica in its present boot: who is connected, and which
// requests wait for an order.

import { ERRORS } from '../../../protocol/errors.js'
import { BY_NAME, type Message } from '../../../protocol/messages/catalogue.js'
import type { Host } from '../host.js'
import type { Check } from './check.js'
import { PerBoot } from './per-boot.js'

interface Wanted {
  /** Connections of each client. */
  readonly clients: Map<Host, number>
  /** Requests that need an order and have no answer, by client and number. */
  readonly open: Set<string>
  /** When a client was last connected, and when one last waited for an order. */
  clientAt: number
  waitedAt: number
}

const keyOf = (client: Host, request: number): string => `${client.name}/${request}`

/** Notes an answer after the checks that are told of it before this one. */
export class Demand implements Check {
  readonly #perBoot = new PerBoot<Wanted>(() => ({
    ...{ clients: new Map(), open: new Set(), clientAt: -Infinity, waitedAt: -Infinity },
  }))

  of(host: Host): Readonly<Wanted> {
    return this.#perBoot.of(host)
  }

  /** Whether the message is the answer to a request that needs an order. */
  isAnswer(from: Host, to: Host, message: Message): boolean {
    if (to.role !== 'client' || !('request' in message) || message.type === 'PROGRESS') return false
    return this.of(from).open.has(keyOf(to, message.request))
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  linked(host: Host, peer: Host): void {
    const { clients } = this.of(host)
    if (peer.role === 'client') clients.set(peer, (clients.get(peer) ?? 0) + 1)
  }

  unlinked(host: Host, peer: Host): void {
    if (peer.role !== 'client') return
    const wanted = this.#perBoot.of(host)
    const left = wanted.clients.get(peer)! - 1
    if (left > 0) return void wanted.clients.set(peer, left)
    wanted.clients.delete(peer)
    wanted.clientAt = host.steppedAt
    const its = [...wanted.open].filter((key) => key.startsWith(`${peer.name}/`))
    for (const key of its) wanted.open.delete(key)
    if (its.length > 0) wanted.waitedAt = host.steppedAt
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (from.role !== 'client' || !('request' in message)) return
    const { terms } = BY_NAME.get(message.type)!
    if (terms?.ordered === true) this.of(to).open.add(keyOf(from, message.request))
  }

  sent(from: Host, to: Host, message: Message): void {
    if (!this.isAnswer(from, to, message) || !('request' in message)) return
    const wanted = this.#perBoot.of(from)
    wanted.open.delete(keyOf(to, message.request))
    // No replica could store the command: the request counts as never asked.
    const full = message.type === 'ERROR' && message.code === ERRORS.STORAGE_FULL.code
    if (!full) wanted.waitedAt = from.steppedAt
  }
}
