// P7 rests on this where a view is installed: a replica that was told to install a view asks the
// source for the entries that it lacks until they have come. Otherwise the view waits until its
// proposer gives it up, and the next view mostly works.

import type { Message } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, turnView, type Check } from './check.js'

/** Milliseconds. A replica gives up waiting after `patience` and asks again by its next tick. */
const ASKS_AGAIN_MS = TIMINGS.patience + 300

/** A persistence replica that is told to install a view. */
interface Installing {
  readonly source: Host
  /** When the replica last asked without an answer so far; null: no PULL is open. */
  asked: number | null
}

export class InstallCheck implements Check {
  readonly #known = new Map<Host, Installing>()
  readonly #stepped = new Map<Host, number>()

  started(host: Host): void {
    this.#known.delete(host)
  }

  /** PULLs over a connection that is down are not seen here. */
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

  /**
   * A replica that proposes a view gives up this one, long before it sends PREPARE where its disk
   * is slow.
   */
  logged(host: Host, event: string): void {
    if (event === 'view-proposed') this.#known.delete(host)
  }

  /** A replica may have proposed the next view before INSTALL came; its PULLs are then for that. */
  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'PREPARE') this.#known.delete(from)
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
    // The replica has installed the view or has given it up.
    if (gap || turnView(host)?.status !== 'changing') return void this.#known.delete(host)
    const { asked, source } = installing
    expect(asked === null || now - asked <= ASKS_AGAIN_MS, 'P7', () => {
      return `${host.name} installs a view, and has not asked ${source.name} again for ${now - asked!} ms`
    })
  }
}
