// Ends connections for what the other side did: sends an ERROR where possible, writes a log line,
// and counts by reason.

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
  /** For events that strangers can cause. */
  readonly #sparing: SparingLog

  constructor(traffic: Traffic, log: (level: LogLevel, event: string, fields: LogFields) => void) {
    this.#traffic = traffic
    this.#log = log
    this.#sparing = new SparingLog(log)
  }

  /** Sends one ERROR and ends the link. */
  refuse(link: Link, code: ErrorName, text: string, facts: LogFields = {}): void {
    if (!link.open) return
    this.#traffic.refuse(code)
    this.#sparing.log('warn', 'link-refused', { ...link.otherEnd, code, reason: text, ...facts })
    // No frame is accepted any more, and the ERROR itself must not overflow a full queue again.
    link.allow(0, Infinity, false)
    link.send(encodeFrame(errorMessage(code, text)))
    link.end(`${code}: ${text}`)
  }

  /** Ends a link on which more bytes wait to be sent than it may queue. */
  overflow(link: Link, user: string | null): void {
    const bytes = link.queuedBytes
    if (link.peer?.role === 'client') {
      const who = user ?? 'a client without log-in'
      const name = `${who} at ${link.peer.address}`
      const text = `${name} reads too slowly: ${bytes} bytes wait; reconnect and read on`
      return this.refuse(link, 'SLOW_READER', text, { user: who, bytes })
    }
    // A queue for a replica so far behind is useless: the replica asks again on a new link.
    this.#log('warn', 'queue-full', { ...link.otherEnd, bytes })
    this.#traffic.refuse('QUEUE_FULL')
    link.destroy('more was queued than the link may hold')
  }

  /** Ends a link whose peer counts as dead after this silence. */
  silent(link: Link, ms: number): void {
    this.#traffic.refuse('SILENT')
    link.destroy(`silent for ${Math.round(ms)} ms`)
  }

  tlsFailed(address: string, reason: string): void {
    this.#traffic.refuse('TLS')
    this.#sparing.log('info', 'tls-failed', { address, reason })
  }

  /** Counts a connection that was closed in handshake to make room for another. */
  gaveWay(address: string): void {
    this.#traffic.refuse('HANDSHAKES')
    this.#sparing.log('warn', 'handshakes-full', { address })
  }
}
