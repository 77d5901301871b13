// How connections are sent away for what the other side did: it is told why where it can be, there is
// a line in the log, and it is counted by reason.

import { errorMessage } from './handshake.js'
import type { Link } from './link.js'
import type { LogFields } from '../log/log.js'
import { SparingLog } from '../log/sparing-log.js'
import type { Traffic } from './traffic.js'
import type { ErrorName } from '../../protocol/errors.js'
import type { LogLevel } from '../../protocol/machine/machine.js'
import { encodeFrame } from '../../protocol/wire/frame.js'

export class Refusals {
  readonly #traffic: Traffic
  readonly #log: (level: LogLevel, event: string, fields: LogFields) => void
  /** For what anybody can cause. */
  readonly #sparing: SparingLog

  constructor(traffic: Traffic, log: (level: LogLevel, event: string, fields: LogFields) => void) {
    this.#traffic = traffic
    this.#log = log
    this.#sparing = new SparingLog(log)
  }

  /** One ERROR, then the end. */
  refuse(link: Link, code: ErrorName, text: string, facts: LogFields = {}): void {
    if (!link.open) return
    this.#traffic.refuse(code)
    this.#sparing.log('warn', 'link-refused', { ...link.otherEnd, code, reason: text, ...facts })
    // Nothing more is taken; and beyond its bound an ERROR more must not count as another overflow.
    link.allow(0, Infinity, false)
    link.send(encodeFrame(errorMessage(code, text)))
    link.end(`${code}: ${text}`)
  }

  /** More waits to be sent than it may hold. */
  overflow(link: Link, user: string | null): void {
    const bytes = link.queuedBytes
    if (link.peer?.role === 'client') {
      const who = user ?? 'nobody logged in'
      const name = `${who} at ${link.peer.address}`
      const text = `${name} reads too slowly: ${bytes} bytes wait; reconnect and read on`
      return this.refuse(link, 'SLOW_READER', text, { user: who, bytes })
    }
    // A replica so far behind gains nothing from what is queued: it asks again on a new link.
    this.#log('warn', 'queue-full', { ...link.otherEnd, bytes })
    this.#traffic.refuse('QUEUE_FULL')
    link.destroy('more was queued than the link may hold')
  }

  /** Nobody is there any more, as far as can be told. */
  silent(link: Link, ms: number): void {
    this.#traffic.refuse('SILENT')
    link.destroy(`silent for ${Math.round(ms)} ms`)
  }

  tlsFailed(address: string, reason: string): void {
    this.#traffic.refuse('TLS')
    this.#sparing.log('info', 'tls-failed', { address, reason })
  }

  /** It had to give way before it said who it is. */
  gaveWay(address: string): void {
    this.#traffic.refuse('HANDSHAKES')
    this.#sparing.log('warn', 'handshakes-full', { address })
  }
}
