// Adds a line to the transcript whenever a step has changed a replica's state.

import { formatEpoch } from '../../protocol/entries/epoch.js'
import { turnView, type Check } from './checks/check.js'
import type { Host } from './host.js'
import type { Timeline } from './timeline.js'
import type { Transcript } from './transcript.js'

function standingOf(host: Host): string | undefined {
  const view = turnView(host)
  if (view) {
    const turn = view.holdsTurn ? ', holds the turn' : ''
    return `${view.status} in ${formatEpoch(view.installedEpoch)}${turn}`
  }
  const { machine } = host
  if (!machine || !('role' in machine)) return undefined
  const term = 'term' in machine && machine.term !== 0 ? ` of term ${String(machine.term)}` : ''
  return `${String(machine.role)}${term}`
}

/** The end of the log and its commit index, which change in every other step. */
function logOf(host: Host): string {
  const view = turnView(host)
  return view ? `, log to ${view.log.last}, committed to ${view.log.commit}` : ''
}

export class Narrator implements Check {
  readonly #timeline: Timeline
  readonly #transcript: Transcript
  readonly #known = new Map<Host, string>()

  constructor(timeline: Timeline, transcript: Transcript) {
    this.#timeline = timeline
    this.#transcript = transcript
  }

  started(host: Host): void {
    this.#known.delete(host)
  }

  stepped(host: Host): void {
    const context = standingOf(host)
    if (context === undefined || context === this.#known.get(host)) return
    this.#known.set(host, context)
    const text = `${host.name.padEnd(7)} = ${context}${logOf(host)}`
    this.#transcript.line(this.#timeline.now, text)
  }
}
