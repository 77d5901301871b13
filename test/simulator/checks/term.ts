// C1 at its source. One replica coordinates a term; a replica that stopped coordinating a term, for
// whatever reason, never gives another order in it; no replica stops for a term that is not
// committed.

import type { Machine } from '../../../protocol/machine/machine.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Host } from '../host.js'
import type { History } from '../history.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

function termOf(host: Host): number {
  const { machine } = host
  return machine && 'term' in machine ? (machine as Machine & { term: number }).term : 0
}

export class TermCheck implements Check {
  /** The one boot that coordinates or has coordinated each term. */
  readonly #owners = new Map<number, string>()
  readonly #stopped = new Set<number>()
  readonly #held = new Map<Host, number>()
  /** Newest term that stores have named to each host in this step. */
  readonly #named = new Map<Host, number>()
  readonly #history: History

  constructor(history: History) {
    this.#history = history
  }

  started(host: Host): void {
    this.#named.delete(host)
    this.#stop(host)
  }

  #stop(host: Host): void {
    const held = this.#held.get(host)
    if (held) this.#stopped.add(held)
    this.#held.delete(host)
  }

  stepped(host: Host): void {
    this.#names(host)
    if (host.role !== 'processing') return
    const term = termOf(host)
    if (term === (this.#held.get(host) ?? 0)) return
    this.#stop(host)
    if (term === 0) return
    expect(!this.#stopped.has(term), 'C1', () => `${host.name} goes on in term ${term}`)
    this.#own(host, term)
    this.#held.set(host, term)
  }

  #own(host: Host, term: number): void {
    const boot = `${host.name}/${host.boot}`
    const owner = this.#owners.get(term) ?? boot
    expect(owner === boot, 'C1', () => `${boot} and ${owner} coordinate term ${term}`)
    this.#owners.set(term, boot)
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type === 'FENCED') this.#named.set(from, message.term)
    if (message.type === 'CLAIMED') this.#named.set(from, message.term)
    if (message.type !== 'ORDER') return
    this.#own(from, message.term)
    expect(!this.#stopped.has(message.term), 'C1', () => {
      return `${from.name} gives an order in term ${message.term}, which it had given up`
    })
  }

  /**
   * A term in FENCED or CLAIMED is committed: otherwise its TERM entry could still be taken back.
   */
  #names(host: Host): void {
    const term = this.#named.get(host) ?? 0
    this.#named.delete(host)
    const newest = this.#history.committed.fence.term
    expect(term <= newest, 'C1', () => `${host.name} names term ${term}; committed is ${newest}`)
  }
}
