// P7 rests on the choice of a home: a processing replica works with a persistence replica that
// hears it, keeps one that can commit wherever there is one, and does not lead without. Where that
// fails, another replica mostly takes over sooner or later, so the end of a run shows little of it.

import { compareEpochs } from '../../../protocol/entries/epoch.js'
import { ERRORS } from '../../../protocol/errors.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { Lane } from '../connection.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'
import { PerBoot } from './per-boot.js'

/** What a persistence replica has said over the present connection. */
interface Store {
  heartbeat: The<'STORE_HEARTBEAT'>
  /** When the heartbeat came; the connection may have ended since. */
  at: number
  /** Since when the store cannot commit; null: it can. */
  idleSince: number | null
}

/** A processing replica in its present boot. */
interface Homes {
  readonly stores: Map<number, Store>
  /** Slot of the chosen home, and when it was chosen. */
  home: number
  chosen: number
  /** Orders that the home has not answered, and when the home last answered or was first asked. */
  readonly open: Set<number>
  answered: number
  stepped: number
}

const { suspect, patience, coordinatorPatience } = TIMINGS
/** Milliseconds. The replica notices with its next tick and says so with its next heartbeat. */
const NOTICE_MS = 500

export class HomeChoiceCheck implements Check {
  readonly #majority: number
  readonly #perBoot = new PerBoot<Homes>(() => ({
    ...{ stores: new Map<number, Store>(), home: 0, chosen: 0 },
    ...{ open: new Set<number>(), answered: 0, stepped: 0 },
  }))

  /** `slots`: number of persistence replicas. */
  constructor(slots: number) {
    this.#majority = Math.floor(slots / 2) + 1
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  linked(host: Host, peer: Host, lane: Lane): void {
    if (peer.role === 'persistence' && lane === 'main')
      this.#perBoot.of(host).stores.delete(peer.slot)
  }

  unlinked(host: Host, peer: Host, lane: Lane): void {
    const store = this.#perBoot.of(host).stores.get(peer.slot)
    if (store && peer.role === 'persistence' && lane === 'main') store.at = -Infinity
  }

  /** By its heartbeat the store is in a view, reaches a majority and hears the replica. */
  #commits({ slot }: Host, { status, hears, reaches }: The<'STORE_HEARTBEAT'>): boolean {
    return status === 'normal' && hears.includes(slot) && reaches.length >= this.#majority
  }

  /** Slot of a store that can commit, as far as the replica can tell at this moment. */
  #best(host: Host): number | undefined {
    const { stores } = this.#perBoot.of(host)
    const here = [...stores].filter(([, { at }]) => host.steppedAt - at < suspect / 2)
    const newer = (one: Store): boolean =>
      [...stores.values()].some(
        ({ heartbeat }) => compareEpochs(heartbeat.epoch, one.heartbeat.epoch) > 0,
      )
    return here.find(([, one]) => this.#commits(host, one.heartbeat) && !newer(one))?.[0]
  }

  /**
   * Whether a linked store, heard within so many milliseconds, could answer now or after a view
   * change.
   */
  couldAsk(host: Host, within: number): boolean {
    return [...this.#perBoot.of(host).stores.values()].some((store) => {
      return this.#works(host, store, within) && store.heartbeat.reaches.length >= this.#majority
    })
  }

  #works(host: Host, { heartbeat, at }: Store, within: number): boolean {
    const works = heartbeat.status === 'normal' || heartbeat.status === 'changing'
    return works && heartbeat.hears.includes(host.slot) && host.steppedAt - at < within
  }

  /** Whether the replica hears a store whose view can commit. */
  couldLead(host: Host): boolean {
    return this.#best(host) !== undefined
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'STORE_HEARTBEAT') this.#heard(from, to, message)
    if (message.type !== 'APPENDED') return
    const homes = this.#perBoot.of(to)
    if (homes.open.delete(message.id)) homes.answered = to.steppedAt
  }

  #heard(from: Host, to: Host, heartbeat: The<'STORE_HEARTBEAT'>): void {
    const { stores } = this.#perBoot.of(to)
    const { steppedAt: at } = to
    const before = stores.get(from.slot)?.idleSince
    const idleSince = this.#commits(to, heartbeat) ? null : (before ?? at)
    stores.set(from.slot, { heartbeat, at, idleSince })
  }

  sent(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'APPEND':
        if (message.term > 0) this.#asks(from, message.id)
        return this.#isHome(from, to, message)
      case 'CLAIM':
        return this.#isHome(from, to, message)
      case 'ELECTION':
        return message.candidate === from.slot ? this.#offers(from) : undefined
      case 'RING_HEARTBEAT':
        return message.holds > 0 ? this.#leads(from) : undefined
      case 'ERROR':
        return message.code === ERRORS.STORAGE_FULL.code ? this.#full(from) : undefined
    }
  }

  /**
   * A store that the home reaches and the replica does not hear counts as having room: the replica
   * does not know that it is full.
   */
  #full(from: Host): void {
    const { stores, home } = this.#perBoot.of(from)
    const heard = [...stores].filter(([, { at }]) => from.steppedAt - at < suspect - 1)
    const its = stores.get(home)
    const overHome = its && this.#works(from, its, suspect - 1) ? its.heartbeat.reaches : []
    const reached = [...new Set([...heard.map(([slot]) => slot), ...overHome])]
    const withRoom = reached.filter((slot) => stores.get(slot)?.heartbeat.full !== true)
    expect(withRoom.length < this.#majority, 'P7', () => {
      const names = withRoom.map((slot) => `s${slot}`).join(' ')
      return `${from.name} says that the disks are full; ${names} are reached and have room`
    })
  }

  #asks(from: Host, id: number): void {
    const homes = this.#perBoot.of(from)
    if (homes.open.size === 0) homes.answered = from.steppedAt
    homes.open.add(id)
  }

  #isHome(from: Host, to: Host, { type }: Message): void {
    const store = this.#perBoot.of(from).stores.get(to.slot)
    expect(store?.heartbeat.hears.includes(from.slot) === true, 'P7', () => {
      return `${from.name} sends ${type} to ${to.name}, which has not said that it hears ${from.name}`
    })
  }

  #offers(from: Host): void {
    const { stores } = this.#perBoot.of(from)
    const can = [...stores.values()].some(({ heartbeat }) => this.#commits(from, heartbeat))
    expect(can, 'C6', () => `${from.name} wants to lead, and has no home that can commit`)
  }

  #leads(from: Host): void {
    const { open, answered, stepped } = this.#perBoot.of(from)
    if (open.size === 0 || from.steppedAt - stepped > GAP_MS) return
    const waits = from.steppedAt - answered
    expect(waits <= coordinatorPatience + NOTICE_MS, 'P7', () => {
      return `${from.name} leads, and its home has not answered for ${waits} ms`
    })
  }

  logged(host: Host, event: string, { slot }: LogFields): void {
    if (event === 'claiming') this.#offers(host)
    if (event === 'home')
      Object.assign(this.#perBoot.of(host), { home: slot, chosen: host.steppedAt })
    if (event === 'stopped-coordinating') this.#perBoot.of(host).open.clear()
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const homes = this.#perBoot.of(host)
    const { steppedAt } = host
    // After a stall of the replica itself its home is not late.
    if (steppedAt - homes.stepped > GAP_MS) homes.answered = steppedAt
    homes.stepped = steppedAt
    this.#keeps(host, homes)
  }

  /** A home that could not commit for a while is kept only where no other store can. */
  #keeps(host: Host, { home, chosen, stores }: Homes): void {
    const { idleSince, at } = stores.get(home) ?? { idleSince: null, at: -Infinity }
    const silent = host.steppedAt - at > suspect / 2
    if (idleSince === null || silent) return
    if (host.steppedAt - Math.max(idleSince, chosen) <= patience + NOTICE_MS) return
    const best = this.#best(host)
    expect(best === undefined || best === home, 'P7', () => {
      return `${host.name} keeps s${home} as its home, which cannot commit; s${best} can`
    })
  }
}
