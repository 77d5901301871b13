// P7 for scripted writers, in clusters of the persistence tier alone: while a writer waits and is
// whole, among hosts that are, some order of some writer is committed within the bound.

import type { Timeline } from '../timeline.js'
import type { History } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import type { Health } from './health.js'
import { SERVED_MS } from './service.js'

export class CommitCheck implements Check {
  readonly #health: Health
  readonly #timeline: Timeline
  /** Since when each writer has waited for an answer. */
  readonly #waits = new Map<Host, number>()
  #committedAt = 0

  constructor(health: Health, history: History, timeline: Timeline) {
    this.#health = health
    this.#timeline = timeline
    history.onCommit(() => {
      this.#committedAt = timeline.now
    })
  }

  started(host: Host): void {
    this.#waits.delete(host)
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    if (host.machine!.metrics()['unanswered'] === 0) return void this.#waits.delete(host)
    const { now } = this.#timeline
    const since = this.#waits.get(host) ?? now
    this.#waits.set(host, since)
    if (now - Math.max(since, this.#committedAt) <= SERVED_MS) return
    const well = now - this.#health.wellSince(host)
    expect(well <= SERVED_MS, 'P7', () => {
      return `${host.name} waits for an order; its neighbours have been well for ${well} ms`
    })
  }
}
