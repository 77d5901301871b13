// P7 and C6, by the truth that no replica knows, of replicas that are of no use and in the way of
// others. A home that cannot commit is not kept where another store can. A replica that reaches no
// store, or that no store answers, neither leads nor asks to lead.

import type { Message } from '../../../protocol/messages/catalogue.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, turnView, type Check } from './check.js'
import type { Health } from './health.js'
import { PerBoot } from './per-boot.js'

/** Milliseconds: 1 s for the home to notice, 1 s for its client, 0.5 s of patience. */
const KEPT_MS = 3_000
/** Milliseconds where the home itself says that it is in no view: 0.5 s of patience. */
const TOLD_MS = 1_500
/** Milliseconds after which a store that can commit is known: some heartbeats. */
const HEARD_MS = 500
/** Milliseconds without a store, or its answers: 1 s to notice, 3 s of patience. */
const LED_MS = 4_500
/** Milliseconds without a store: 1 s to notice. */
const ASKED_MS = 2_000
/** Milliseconds after which a heartbeat of a store tells what may not be true any more. */
const STALE_MS = 500
/** Milliseconds between two looks at a home. */
const LOOK_MS = 100

/** A processing replica in its present boot. */
interface Client {
  /** The home, and when it last could commit, or was chosen; when that was looked at. */
  home: Host | null
  homeAt: number
  lookedAt: number
  /**
   * When the last heartbeat came that was long under way, or the last connection to a store, which
   * may not have noticed yet that it is alone.
   */
  misledAt: number
  /** Orders without an answer, and when a store last answered one or was first asked. */
  readonly orders: Set<number>
  answeredAt: number
}

export class HomeCheck implements Check {
  readonly #health: Health
  readonly #stores: readonly Host[]
  /** When each heartbeat of a store was sent. */
  readonly #saidAt = new WeakMap<Message, number>()
  readonly #perBoot = new PerBoot<Client>(() => ({
    ...{ home: null, homeAt: 0, lookedAt: 0, misledAt: -Infinity },
    ...{ orders: new Set<number>(), answeredAt: 0 },
  }))

  constructor(health: Health, stores: readonly Host[]) {
    this.#health = health
    this.#stores = stores
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  linked(host: Host, peer: Host): void {
    if (peer.role === 'persistence') this.#perBoot.of(host).misledAt = host.steppedAt
  }

  delivered(_from: Host, to: Host, message: Message): void {
    const client = this.#perBoot.of(to)
    const { steppedAt: now } = to
    if (now - (this.#saidAt.get(message) ?? now) > STALE_MS) client.misledAt = now
    const answered = message.type === 'APPENDED' && client.orders.delete(message.id)
    if (answered) client.answeredAt = now
  }

  sent(from: Host, _to: Host, message: Message): void {
    switch (message.type) {
      case 'STORE_HEARTBEAT':
        return void this.#saidAt.set(message, from.steppedAt)
      case 'APPEND':
        return message.term > 0 ? this.#appends(from, message.id) : undefined
      case 'ELECTION':
        return message.candidate === from.slot ? this.#reaches(from, ASKED_MS) : undefined
      case 'RING_HEARTBEAT':
        return message.holds > 0 ? this.#leads(from) : undefined
    }
  }

  #appends(host: Host, id: number): void {
    const client = this.#perBoot.of(host)
    if (client.orders.size === 0) client.answeredAt = host.steppedAt
    client.orders.add(id)
  }

  #reaches(host: Host, within: number): void {
    const since = Math.max(this.#health.usefulAt(host), this.#perBoot.of(host).misledAt)
    const ms = host.steppedAt - since
    expect(ms <= within, 'C6', () => {
      return `${host.name} leads or asks to lead, and has reached no store for ${ms} ms`
    })
  }

  #leads(host: Host): void {
    this.#reaches(host, LED_MS)
    const { orders, answeredAt, lookedAt } = this.#perBoot.of(host)
    const { steppedAt: now } = host
    if (orders.size === 0 || now - lookedAt > GAP_MS) return
    expect(now - answeredAt <= LED_MS, 'P7', () => {
      return `${host.name} leads, and no store has answered it for ${now - answeredAt} ms`
    })
  }

  logged(host: Host, event: string, { slot }: LogFields): void {
    const client = this.#perBoot.of(host)
    if (event === 'claiming') this.#reaches(host, ASKED_MS)
    if (event === 'stopped-coordinating') client.orders.clear()
    if (event !== 'home') return
    client.home = this.#stores[Number(slot) - 1]!
    client.homeAt = host.steppedAt
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const client = this.#perBoot.of(host)
    const { steppedAt: now } = host
    const gap = now - client.lookedAt
    if (gap < LOOK_MS) return
    client.lookedAt = now
    // After a stall of the replica itself no store is late.
    if (gap > GAP_MS) Object.assign(client, { homeAt: now, answeredAt: now })
    this.#keeps(host, client)
  }

  #keeps(host: Host, client: Client): void {
    const { home } = client
    if (!home) return
    const { steppedAt: now } = host
    const isInView = turnView(home)?.status === 'normal'
    if (isInView && this.#health.isUseful(host, home)) client.homeAt = now
    const told = !isInView && now - this.#health.connectedSince(host, home) > TOLD_MS
    const other = now - this.#health.storedSince(host)
    const ms = now - client.homeAt
    expect(ms <= (told ? TOLD_MS : KEPT_MS) || other <= HEARD_MS, 'P7', () => {
      return `${host.name} keeps ${home.name}, which cannot commit for ${ms} ms; another can`
    })
  }
}
