// P7 rests on this where a processing replica sends TIP, READ or SEEK: a query that could not be sent
// goes to the next store that can be asked, and a query that no store can answer is given up soon.
// Requests are numbered as they arise, so a query that is never sent leaves a gap in the numbers. A
// breach delays clients by seconds, and the cluster may serve all the same.

import type { Message } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'
import type { Neighbours } from './neighbours.js'
import { PerBoot } from './per-boot.js'

/** Milliseconds, some ticks. */
const NOTICE_MS = 500
const { suspect, readPatience } = TIMINGS
/** Milliseconds after which a query is given up; after `readPatience` where no store can answer. */
const GIVEN_UP_MS = 4 * readPatience

/** A processing replica in its present boot. */
interface Asker {
  /** The highest number sent so far, and when: numbers sent later are not older than that. */
  highest: number
  at: number
  /** Lower numbers that were never sent so far. */
  readonly gaps: Map<number, { readonly notOlderThan: number }>
  /** When each query was first sent that is neither answered nor given up. */
  readonly open: Map<number, number>
  /** When a store could last answer, and when last none had been heard lately. */
  toldAt: number
  forsakenAt: number
  /** Stores that can be asked without a break since `since`, and when each was last heard. */
  readonly askable: Map<Host, { readonly since: number; heard: number }>
  stepped: number
}

export class LogQueryCheck implements Check {
  readonly #stores: Neighbours<'STORE_HEARTBEAT'>
  readonly #majority: number
  readonly #perBoot = new PerBoot<Asker>((host) => ({
    ...{ highest: 0, at: host.steppedAt, stepped: host.steppedAt },
    ...{ gaps: new Map<number, { notOlderThan: number }>(), open: new Map<number, number>() },
    ...{ askable: new Map(), toldAt: host.steppedAt, forsakenAt: -Infinity },
  }))

  /** `slots`: number of persistence replicas. */
  constructor(stores: Neighbours<'STORE_HEARTBEAT'>, slots: number) {
    this.#stores = stores
    this.#majority = Math.floor(slots / 2) + 1
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  /** Queries go over the bulk lane; heartbeats of a store come over the main lane. */
  unlinked(host: Host, peer: Host): void {
    this.#perBoot.of(host).askable.delete(peer)
  }

  delivered(from: Host, to: Host, message: Message): void {
    const { askable, open } = this.#perBoot.of(to)
    const store = askable.get(from)
    if (store) store.heard = to.steppedAt
    const { type } = message
    if (type === 'TIP_IS' || type === 'READ_PAGE' || type === 'SEEK_IS')
      open.delete(message.request)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type !== 'TIP' && message.type !== 'READ' && message.type !== 'SEEK') return
    const asker = this.#perBoot.of(from)
    const { gaps, highest, at, askable } = asker
    const { request } = message
    const now = from.steppedAt
    if (!askable.has(to)) askable.set(to, { since: now, heard: now })
    gaps.delete(request)
    this.#repeats(from, request)
    if (request <= highest) return
    for (let gap = highest + 1; gap < request; gap++) gaps.set(gap, { notOlderThan: at })
    Object.assign(asker, { highest: request, at: now })
  }

  #repeats(from: Host, request: number): void {
    const { open, toldAt, stepped } = this.#perBoot.of(from)
    const now = from.steppedAt
    if (now - stepped > GAP_MS) return
    const since = open.get(request) ?? now
    open.set(request, since)
    const nobody = now - toldAt >= NOTICE_MS
    expect(!nobody || now - since <= readPatience + NOTICE_MS, 'P7', () => {
      return `${from.name} sends its query ${request} for ${now - since} ms; no store can answer`
    })
  }

  #told(host: Host, asker: Asker): void {
    if (this.#couldAsk(host, Infinity)) asker.toldAt = host.steppedAt
    if (!this.#couldAsk(host, suspect / 2)) asker.forsakenAt = host.steppedAt
  }

  /** Whether a store, heard within so many milliseconds, could answer now or after a view change. */
  #couldAsk(host: Host, within: number): boolean {
    return [...this.#stores.of(host).values()].some(
      ({ at, heartbeat: { status, hears, reaches } }) => {
        const works = status === 'normal' || status === 'changing'
        const heard = host.steppedAt - at < within
        return works && heard && hears.includes(host.slot) && reaches.length >= this.#majority
      },
    )
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const asker = this.#perBoot.of(host)
    const { steppedAt: now } = host
    const { gaps, askable, stepped } = asker
    asker.stepped = now
    this.#told(host, asker)
    for (const [request, since] of asker.open) {
      if (now - since > GIVEN_UP_MS || now - stepped > GAP_MS) asker.open.delete(request)
    }
    for (const [store, { heard }] of askable) {
      if (now - stepped > GAP_MS || now - heard > suspect / 2) askable.delete(store)
    }
    if (gaps.size === 0) return
    const { forsakenAt } = asker
    const since = Math.min(...[...askable.values()].map((store) => store.since))
    for (const [request, { notOlderThan }] of gaps) {
      const isOver = forsakenAt - notOlderThan >= readPatience
      if (isOver || now - notOlderThan >= GIVEN_UP_MS) gaps.delete(request)
      else {
        expect(now - since < NOTICE_MS, 'P7', () => {
          return `${host.name} has never put its question ${request}; it could for ${now - since} ms`
        })
      }
    }
  }
}
