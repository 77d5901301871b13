// Ends connections over which nothing comes any more. A replica is asked for a sign of life before;
// clients are told in WELCOME how often to give one.

import type { LinkBounds } from './bounds.js'
import type { Link } from './link.js'
import { encodeFrame } from '../../protocol/wire/frame.js'

const SWEEP_MS = 500

export class SilenceWatch {
  readonly #bounds: LinkBounds
  readonly #links: () => Iterable<Link>
  #swept = performance.now()
  readonly #timer: NodeJS.Timeout

  constructor(bounds: LinkBounds, links: () => Iterable<Link>) {
    this.#bounds = bounds
    this.#links = links
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
    const { peerSilenceMs, clientSilenceMs } = this.#bounds
    for (const link of this.#links()) {
      if (!link.peer) continue
      const silent = now - link.heard
      const bound = link.peer.role === 'client' ? clientSilenceMs : peerSilenceMs
      if (silent > bound) link.destroy(`silent for ${Math.round(silent)} ms`)
      else if (silent > bound / 4 && link.peer.role !== 'client') {
        link.send(encodeFrame({ type: 'PING', nonce: 0 }))
      }
    }
  }
}
