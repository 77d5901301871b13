// Deadlines of connections that are up: silence, an incomplete frame, a missing log-in. A replica
// gets PINGs before its silence counts; a client learns from WELCOME how often to send signs of
// life.

import type { LinkBounds } from './bounds.js'
import type { Link } from './link.js'
import type { ErrorName } from '../../protocol/errors.js'
import { encodeFrame } from '../../protocol/wire/frame.js'

const SWEEP_MS = 500

export interface DeadlinesEvents {
  links(): Iterable<Link>
  /** Whether a user is logged in on this link. */
  isLoggedIn(link: Link): boolean
  silent(link: Link, ms: number): void
  /** The peer is alive, but a frame or a log-in missed its deadline. */
  late(link: Link, code: ErrorName, text: string): void
}

export class LinkDeadlines {
  readonly #bounds: LinkBounds
  readonly #events: DeadlinesEvents
  #swept = performance.now()
  readonly #timer: NodeJS.Timeout

  constructor(bounds: LinkBounds, events: DeadlinesEvents) {
    this.#bounds = bounds
    this.#events = events
    // setImmediate runs after the poll phase, so bytes that have arrived meanwhile count as heard.
    this.#timer = setInterval(() => setImmediate(() => this.#sweep()), SWEEP_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sweep(): void {
    const now = performance.now()
    const stalled = now - this.#swept > 2 * SWEEP_MS
    this.#swept = now
    // After a stall of this process, silence says nothing about the peers.
    if (stalled) return
    for (const link of this.#events.links()) {
      if (!link.open || !link.peer) continue
      if (link.peer.role === 'client') this.#client(link, now)
      else this.#replica(link, now - link.heard)
    }
  }

  #replica(link: Link, silent: number): void {
    const { peerSilenceMs } = this.#bounds
    if (silent > peerSilenceMs) this.#events.silent(link, silent)
    else if (silent > peerSilenceMs / 4) link.send(encodeFrame({ type: 'PING', nonce: 0 }))
  }

  #client(link: Link, now: number): void {
    const { clientSilenceMs, frameMs, loginMs } = this.#bounds
    // A held link is not read, so its client cannot be heard.
    if (link.held) return
    const silent = now - link.heard
    if (silent > clientSilenceMs) return this.#events.silent(link, silent)
    if (link.partialSince !== null && now - link.partialSince > frameMs) {
      const text = `a frame that was not complete within ${frameMs} ms`
      return this.#events.late(link, 'TOO_SLOW', text)
    }
    if (now - link.spoke > loginMs && !this.#events.isLoggedIn(link)) {
      const text = `no log-in, and no request, within ${loginMs} ms`
      this.#events.late(link, 'LOGIN_TIMEOUT', text)
    }
  }
}
