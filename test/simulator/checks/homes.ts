// P7 and C6 rest on the choice of a home: a processing replica keeps one that can commit wherever
// there is one, does not lead without, and calls disks full only if they are. A breach mostly delays
// others until some replica takes over, so no bound on service shows it: these are the product's
// rules once more, by what stores say in their heartbeats.

import { compareEpochs } from '../../../protocol/entries/epoch.js'
import { ERRORS } from '../../../protocol/errors.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'
import type { Neighbour, Neighbours } from './neighbours.js'
import { PerBoot } from './per-boot.js'

type Store = Neighbour<'STORE_HEARTBEAT'>

/** A processing replica in its present boot. */
interface Client {
  /** Slot of the home, and when it last could commit, or was chosen. */
  home: number
  homeAt: number
  /** Orders without an answer, and when a store last answered one or was first asked. */
  readonly orders: Set<number>
  answeredAt: number
  stepped: number
}

const { suspect, patience, coordinatorPatience } = TIMINGS
/** Milliseconds. The replica notices with its next tick and says so with its next heartbeat. */
const NOTICE_MS = 500

export class HomeCheck implements Check {
  readonly #stores: Neighbours<'STORE_HEARTBEAT'>
  readonly #majority: number
  readonly #perBoot = new PerBoot<Client>(() => ({
    ...{ home: 0, homeAt: 0, orders: new Set<number>(), answeredAt: 0, stepped: 0 },
  }))

  /** `slots`: number of persistence replicas. */
  constructor(stores: Neighbours<'STORE_HEARTBEAT'>, slots: number) {
    this.#stores = stores
    this.#majority = Math.floor(slots / 2) + 1
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  /** By its heartbeat the store is in a view, reaches a majority and hears the replica. */
  #commits({ slot }: Host, { status, hears, reaches }: The<'STORE_HEARTBEAT'>): boolean {
    return status === 'normal' && hears.includes(slot) && reaches.length >= this.#majority
  }

  delivered(_from: Host, to: Host, message: Message): void {
    if (message.type !== 'APPENDED') return
    const client = this.#perBoot.of(to)
    if (client.orders.delete(message.id)) client.answeredAt = to.steppedAt
  }

  sent(from: Host, _to: Host, message: Message): void {
    switch (message.type) {
      case 'APPEND':
        return message.term > 0 ? this.#appends(from, message.id) : undefined
      case 'ELECTION':
        return message.candidate === from.slot ? this.#offers(from) : undefined
      case 'RING_HEARTBEAT':
        return message.holds > 0 ? this.#leads(from) : undefined
      case 'ERROR':
        return message.code === ERRORS.STORAGE_FULL.code ? this.#full(from) : undefined
    }
  }

  #appends(host: Host, id: number): void {
    const client = this.#perBoot.of(host)
    if (client.orders.size === 0) client.answeredAt = host.steppedAt
    client.orders.add(id)
  }

  #offers(host: Host): void {
    const stores = [...this.#stores.of(host).values()]
    const can = stores.some(({ heartbeat }) => this.#commits(host, heartbeat))
    expect(can, 'C6', () => `${host.name} wants to lead, and has no home that can commit`)
  }

  #leads(host: Host): void {
    const { orders, answeredAt, stepped } = this.#perBoot.of(host)
    if (orders.size === 0 || host.steppedAt - stepped > GAP_MS) return
    const ms = host.steppedAt - answeredAt
    expect(ms <= coordinatorPatience + NOTICE_MS, 'P7', () => {
      return `${host.name} leads, and its home has not answered for ${ms} ms`
    })
  }

  /**
   * A store that the home reaches and the replica does not hear counts as having room: the replica
   * does not know that it is full.
   */
  #full(host: Host): void {
    const stores = this.#stores.of(host)
    const heard = [...stores].filter(([, { at }]) => host.steppedAt - at < suspect - 1)
    const home = heard.find(([slot]) => slot === this.#perBoot.of(host).home)?.[1].heartbeat
    const serves =
      home?.hears.includes(host.slot) === true && ['normal', 'changing'].includes(home.status)
    const reached = new Set([...heard.map(([slot]) => slot), ...(serves ? home.reaches : [])])
    const withRoom = [...reached].filter((slot) => stores.get(slot)?.heartbeat.full !== true)
    expect(withRoom.length < this.#majority, 'P7', () => {
      const names = withRoom.map((slot) => `s${slot}`).join(' ')
      return `${host.name} says that the disks are full; ${names} are reached and have room`
    })
  }

  logged(host: Host, event: string, { slot }: LogFields): void {
    const client = this.#perBoot.of(host)
    if (event === 'claiming') this.#offers(host)
    if (event === 'home') Object.assign(client, { home: slot, homeAt: host.steppedAt })
    if (event === 'stopped-coordinating') client.orders.clear()
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const client = this.#perBoot.of(host)
    const { steppedAt: now } = host
    // After a stall of the replica itself its home is not late.
    if (now - client.stepped > GAP_MS) client.answeredAt = now
    client.stepped = now
    this.#keeps(host, client)
  }

  /** A home that could not commit for a while is kept only where no other store can. */
  #keeps(host: Host, client: Client): void {
    const { steppedAt: now } = host
    const stores = this.#stores.of(host)
    const home = stores.get(client.home)
    const isFresh = ({ at }: Store): boolean => now - at <= suspect / 2
    if (!home || !isFresh(home) || this.#commits(host, home.heartbeat)) client.homeAt = now
    if (now - client.homeAt <= patience + NOTICE_MS) return
    const all = [...stores]
    const newest = all
      .map(([, { heartbeat }]) => heartbeat.epoch)
      .reduce((a, b) => (compareEpochs(a, b) < 0 ? b : a))
    const other = all.find(([slot, store]) => {
      const { epoch } = store.heartbeat
      const can = this.#commits(host, store.heartbeat) && compareEpochs(epoch, newest) === 0
      return slot !== client.home && isFresh(store) && can
    })
    expect(other === undefined, 'P7', () => {
      return `${host.name} keeps s${client.home} as its home, which cannot commit; s${other![0]} can`
    })
  }
}
