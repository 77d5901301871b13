// What is waited for on a connection that is up, and for how long: a sign of life, the rest of a frame,
// a log-in. A replica is asked for a sign of life before; clients are told in WELCOME how often to
// give one.

import type { LinkBounds } from './bounds.js'
import type { Link } from './link.js'
import type { ErrorName } from '../../protocol/errors.js'
import { encodeFrame } from '../../protocol/wire/frame.js'

const SWEEP_MS = 500

export interface DeadlinesEvents {
  links(): Iterable<Link>
  /** Somebody has logged in there. */
  isLoggedIn(link: Link): boolean
  silent(link: Link, ms: number): void
  /** It is there, but what it has to do has not come. */
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
    // After the poll phase: what has arrived meanwhile counts as heard.
    this.#timer = setInterval(() => setImmediate(() => this.#sweep()), SWEEP_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sweep(): void {
    const now = performance.now()
    const stalled = now - this.#swept > 2 * SWEEP_MS
    this.#swept = now
    // After a stall of our own nobody is to blame for silence.
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
    // Nothing is read from it just now: it cannot be heard.
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
