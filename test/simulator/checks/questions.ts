// What P7 rests on where a processing replica asks the other tier: a question that could not be put goes
// to the next store that can be asked. TIP and READ are numbered as they arise, so one that is never
// put leaves a gap; who waits for it is put off for seconds, and the cluster may serve all the same.

import type { Message } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/replicas/config.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'

/** Some ticks, milliseconds. */
const NOTICE_MS = 500
/** So old it is given up, milliseconds. */
const GIVEN_UP_MS = 4 * TIMINGS.readPatience

/** Of a processing replica in its present life. */
interface Asker {
  /** The highest number put so far, and when: what is not put by now is not older. */
  highest: number
  at: number
  /** Lower numbers, never put so far. */
  readonly gaps: Map<number, { readonly notOlderThan: number }>
  /** Stores that were asked and can be ever since: since when, and when they were last heard. */
  readonly askable: Map<Host, { readonly since: number; heard: number }>
  stepped: number
}

export class QuestionCheck implements Check {
  readonly #known = new Map<Host, Asker>()

  #of(host: Host): Asker {
    const asker = this.#known.get(host) ?? {
      ...{ highest: 0, at: host.steppedAt, stepped: host.steppedAt },
      ...{ gaps: new Map<number, { notOlderThan: number }>(), askable: new Map() },
    }
    this.#known.set(host, asker)
    return asker
  }

  started(host: Host): void {
    this.#known.delete(host)
  }

  /** Questions go by the bulk lane; a store is heard on the main one. */
  unlinked(host: Host, peer: Host): void {
    this.#of(host).askable.delete(peer)
  }

  delivered(from: Host, to: Host): void {
    const store = this.#of(to).askable.get(from)
    if (store) store.heard = to.steppedAt
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type !== 'TIP' && message.type !== 'READ') return
    const asker = this.#of(from)
    const { gaps, highest, at, askable } = asker
    const { request } = message
    const now = from.steppedAt
    if (!askable.has(to)) askable.set(to, { since: now, heard: now })
    gaps.delete(request)
    if (request <= highest) return
    for (let gap = highest + 1; gap < request; gap++) gaps.set(gap, { notOlderThan: at })
    Object.assign(asker, { highest: request, at: now })
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const asker = this.#of(host)
    const { steppedAt: now } = host
    const { gaps, askable, stepped } = asker
    asker.stepped = now
    for (const [store, { heard }] of askable) {
      if (now - stepped > GAP_MS || now - heard > TIMINGS.suspect / 2) askable.delete(store)
    }
    if (gaps.size === 0) return
    const since = Math.min(...[...askable.values()].map((store) => store.since))
    for (const [request, { notOlderThan }] of gaps) {
      if (now - notOlderThan >= GIVEN_UP_MS) gaps.delete(request)
      else {
        expect(now - since < NOTICE_MS, 'P7', () => {
          return `${host.name} has never put its question ${request}; it could for ${now - since} ms`
        })
      }
    }
  }
}
