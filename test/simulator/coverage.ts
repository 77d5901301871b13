// Which states and transitions a run has reached: event names that machines log, statuses that
// they pass through, kinds of messages sent, faults injected.

import type { Message } from '../../protocol/messages/catalogue.js'
import { turnView, type Check } from './checks/check.js'
import type { Host } from './host.js'

export class Coverage implements Check {
  readonly reached = new Map<string, number>()
  readonly #status = new Map<Host, string>()

  reach(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1)
  }

  sent(_from: Host, _to: Host, message: Message): void {
    if (message.type === 'CLAIMED') this.reach(`CLAIMED ${message.outcome}`)
    else if (message.type === 'NOT_APPENDED') this.reach(`NOT_APPENDED ${message.reason}`)
    else this.reach(message.type)
  }

  started(host: Host): void {
    this.#status.delete(host)
  }

  stepped(host: Host): void {
    const view = turnView(host)
    if (!view) return
    const now = view.holdsTurn ? `${view.status}, holding` : view.status
    const known = this.#status.get(host)
    if (known === now) return
    this.#status.set(host, now)
    this.reach(`${known ?? 'start'} → ${now}`)
  }

  addTo(total: Map<string, number>): void {
    for (const [what, count] of this.reached) total.set(what, (total.get(what) ?? 0) + count)
  }
}
