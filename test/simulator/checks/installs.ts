// What P7 rests on where a view is installed: who was told to install it, and has not got as far, asks
// its source for what it lacks until that has answered. Where it does not, the view waits until its
// proposer gives it up; the next one mostly works.

import type { Message } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, turnView, type Check } from './check.js'

/** It gives an answer up after `patience`, and asks again by its next tick; milliseconds. */
const ASKS_AGAIN_MS = TIMINGS.patience + 300

/** A persistence replica that is told to install a view. */
interface Installing {
  readonly source: Host
  /** When it asked last, without an answer so far; null: nothing is open. */
  asked: number | null
}

export class InstallCheck implements Check {
  readonly #known = new Map<Host, Installing>()
  readonly #stepped = new Map<Host, number>()

  started(host: Host): void {
    this.#known.delete(host)
  }

  /** While it is not linked it asks in vain, and nobody sees it. */
  unlinked(host: Host, peer: Host): void {
    if (this.#known.get(host)?.source === peer) this.#known.delete(host)
  }

  delivered(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'INSTALL':
        if (!this.#known.has(to)) this.#known.set(to, { source: from, asked: null })
        return
      case 'PREPARE':
        return void this.#known.delete(to)
      case 'PULLED': {
        const installing = this.#known.get(to)
        if (installing) installing.asked = null
      }
    }
  }

  /** With a promise to its own view it gives the other up, long before PREPARE where its disk is slow. */
  logged(host: Host, event: string): void {
    if (event === 'proposing') this.#known.delete(host)
  }

  sent(from: Host, to: Host, message: Message): void {
    const installing = this.#known.get(from)
    if (message.type !== 'PULL' || message.committedOnly || installing?.source !== to) return
    installing.asked = from.steppedAt
  }

  stepped(host: Host): void {
    const { steppedAt: now } = host
    const installing = this.#known.get(host)
    const gap = now - (this.#stepped.get(host) ?? now) > GAP_MS
    this.#stepped.set(host, now)
    if (!installing) return
    // It stands in the view, or has given it up.
    if (gap || turnView(host)?.status !== 'changing') return void this.#known.delete(host)
    const { asked, source } = installing
    expect(asked === null || now - asked <= ASKS_AGAIN_MS, 'P7', () => {
      return `${host.name} installs a view, and does not ask ${source.name} again: ${now - asked!} ms`
    })
  }
}
