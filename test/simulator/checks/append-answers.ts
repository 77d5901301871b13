// P7, taken literally: every APPEND and CLAIM that a persistence replica gets is answered, with
// success or failure, once the faults are over, on the connection that brought it.

import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Lane } from '../connection.js'
import type { Host } from '../host.js'
import type { Timeline } from '../timeline.js'
import { Violation } from '../violation.js'
import type { Check } from './check.js'

/** Virtual milliseconds; longer than a view change. */
const PATIENCE_MS = 3_000

const pairOf = (writer: Host, store: Host): string => `${writer.name} ${store.name}`

export class AppendAnswerCheck implements Check {
  readonly #timeline: Timeline
  /**
   * APPENDs and CLAIMs of the present connection without an answer, and when each came, by writer
   * and store.
   */
  readonly #open = new Map<string, Map<string, number>>()

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  linked(host: Host, peer: Host, lane: Lane): void {
    if (host.role === 'persistence' && lane === 'main') this.#open.delete(pairOf(peer, host))
  }

  unlinked(host: Host, peer: Host, lane: Lane): void {
    this.linked(host, peer, lane)
  }

  started(host: Host): void {
    for (const pair of [...this.#open.keys()]) {
      if (pair.split(' ').includes(host.name)) this.#open.delete(pair)
    }
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'APPEND') this.#asked(from, to, `APPEND ${message.id}`)
    if (message.type === 'CLAIM') this.#asked(from, to, `CLAIM ${message.nonce}`)
  }

  #asked(from: Host, to: Host, what: string): void {
    const pair = pairOf(from, to)
    const known = this.#open.get(pair) ?? new Map<string, number>()
    if (!known.has(what)) known.set(what, this.#timeline.now)
    this.#open.set(pair, known)
  }

  sent(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'APPENDED':
      case 'NOT_APPENDED':
      case 'GAP':
      case 'FENCED':
        return void this.#open.get(pairOf(to, from))?.delete(`APPEND ${message.id}`)
      case 'CLAIMED':
        return void this.#open.get(pairOf(to, from))?.delete(`CLAIM ${message.nonce}`)
    }
  }

  ended(): void {
    for (const [pair, asked] of this.#open) {
      const late = [...asked].find(([, at]) => this.#timeline.now - at > PATIENCE_MS)
      const [writer, store] = pair.split(' ')
      if (late) throw new Violation('P7', `${store} never answered ${late[0]} of ${writer}`)
    }
  }
}
