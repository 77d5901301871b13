// What C6 and P7 rest on in the processing tier: a coordinator, or who would be one, asks a home that
// hears it, gives way where that does not answer, and lets those lead to whom it has given way. Where
// that fails somebody else mostly takes over sooner or later: a cluster that serves in time shows little.

import { compareEpochs } from '../../../protocol/log/epoch.js'
import type { Message, MessageName, The } from '../../../protocol/messages/catalogue.js'
import { ASKED } from '../../../protocol/order/standing.js'
import { TIMINGS } from '../../../protocol/replicas/config.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import type { Sizes } from '../setting.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

/** What a store has said over the present connection. */
interface Store {
  heartbeat: The<'STORE_HEARTBEAT'>
  /** When it said so; the connection may be over since. */
  at: number
  /** Since when it has not been one that can commit; null: it is. */
  idleSince: number | null
}

/** A processing replica in its present life. */
interface Leading {
  /** Slot of the store that it has chosen. */
  home: number
  /** When it chose it. */
  chosen: number
  readonly stores: Map<number, Store>
  /** Orders that its home has not answered, and when it last answered or was first asked. */
  readonly open: Set<number>
  answered: number
  stepped: number
  /** When a client last asked for something that takes an order. */
  ordered: number
  /** When it gave way to a larger part of the ring. */
  gaveWay: number
  /** Neighbours that lead, as their last heartbeats say. */
  readonly leaders: Set<number>
  /** Claims that failed since it called for an election, and when the last did. */
  failed: number
  failedAt: number
  /** It has heard of no leader since. */
  insists: boolean
  /** An ELECTION has come in this step. */
  asked: boolean
}

const { suspect, patience, coordinatorPatience } = TIMINGS
/** Longer between two steps, and it was not running; milliseconds. */
const GAP_MS = 200
/** It notices with its next tick, and says so with its next heartbeat. */
const NOTICE_MS = 500

/** Until what was asked has been computed or looked up, and is put as a command. */
const COMPUTED_MS = 5_000

const TAKES_ORDER: ReadonlySet<string> = new Set<MessageName>([
  ...(['REGISTER', 'CHANGE_PASSWORD', 'ROTATE_KEY', 'ADD_KEY', 'DELETE_ACCOUNT'] as const),
  ...(['OPEN_STREAM', 'SEND', 'SEND_SEALED', 'DELETE', 'INVITE', 'BLOCK', 'UNBLOCK'] as const),
])

export class LeadingCheck implements Check {
  /** Of the ring. */
  readonly #slots: number
  readonly #majority: number
  readonly #known = new Map<Host, Leading>()

  constructor({ processing, persistence }: Sizes) {
    this.#slots = processing
    this.#majority = Math.floor(persistence / 2) + 1
  }

  #of(host: Host): Leading {
    const leading = this.#known.get(host) ?? {
      ...{ home: 0, chosen: 0, stores: new Map<number, Store>(), open: new Set<number>() },
      ...{ answered: 0, stepped: 0, ordered: -Infinity, gaveWay: -Infinity },
      ...{
        leaders: new Set<number>(),
        failed: 0,
        failedAt: -Infinity,
        insists: false,
        asked: false,
      },
    }
    this.#known.set(host, leading)
    return leading
  }

  started(host: Host): void {
    this.#known.delete(host)
  }

  linked(host: Host, peer: Host): void {
    if (peer.role === 'persistence') this.#of(host).stores.delete(peer.slot)
  }

  unlinked(host: Host, peer: Host): void {
    const store = this.#of(host).stores.get(peer.slot)
    if (store && peer.role === 'persistence') store.at = -Infinity
  }

  /** In a view, and it reaches enough others: so says the store to a replica that it hears. */
  #commits({ slot }: Host, { status, hears, reaches }: The<'STORE_HEARTBEAT'>): boolean {
    return status === 'normal' && hears.includes(slot) && reaches.length >= this.#majority
  }

  /** One that can commit, as far as its replica can tell just now. */
  #best(host: Host): number | undefined {
    const { stores } = this.#of(host)
    const here = [...stores].filter(([, { at }]) => host.steppedAt - at < suspect / 2)
    const newer = (one: Store): boolean =>
      [...stores.values()].some(
        ({ heartbeat }) => compareEpochs(heartbeat.epoch, one.heartbeat.epoch) > 0,
      )
    return here.find(([, one]) => this.#commits(host, one.heartbeat) && !newer(one))?.[0]
  }

  #heard(from: Host, to: Host, heartbeat: The<'STORE_HEARTBEAT'>): void {
    const { stores } = this.#of(to)
    const { steppedAt: at } = to
    const before = stores.get(from.slot)?.idleSince
    const idleSince = this.#commits(to, heartbeat) ? null : (before ?? at)
    stores.set(from.slot, { heartbeat, at, idleSince })
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'STORE_HEARTBEAT') this.#heard(from, to, message)
    if (message.type === 'ELECTION') this.#of(to).asked = true
    if (message.type === 'RING_HEARTBEAT') this.#hearsOf(to, from.slot, message)
    if (TAKES_ORDER.has(message.type)) this.#of(to).ordered = to.steppedAt
    if (message.type !== 'APPENDED') return
    const leading = this.#of(to)
    if (leading.open.delete(message.id)) leading.answered = to.steppedAt
  }

  #hearsOf(to: Host, slot: number, { holds }: The<'RING_HEARTBEAT'>): void {
    const leading = this.#of(to)
    if (holds === 0) return void leading.leaders.delete(slot)
    leading.leaders.add(slot)
    leading.insists = false
  }

  sent(from: Host, to: Host, message: Message): void {
    if (from.role !== 'processing') return
    switch (message.type) {
      case 'APPEND':
        if (message.term > 0) this.#asks(from, message.id)
        return this.#isHome(from, to, message)
      case 'HOME_HEARTBEAT':
        return this.#weighs(from, message.size)
      case 'CLAIM':
        this.#weighs(from, message.size)
        return this.#isHome(from, to, message)
      case 'ELECTION':
        if (message.candidate !== from.slot) return
        this.#insists(from)
        return this.#offers(from)
      case 'RING_HEARTBEAT':
        return message.holds > 0 ? this.#leads(from) : undefined
    }
  }

  /** Who only reads needs no coordinator, and must not topple one that others need. */
  #weighs(from: Host, size: number): void {
    const { ordered, stepped } = this.#of(from)
    if (from.steppedAt - stepped > GAP_MS) return
    const waits = from.steppedAt - ordered
    expect(size < ASKED || waits <= coordinatorPatience + COMPUTED_MS, 'C6', () => {
      return `${from.name} weighs ${size}, and for ${waits} ms nobody has asked it for an order`
    })
  }

  #asks(from: Host, id: number): void {
    const leading = this.#of(from)
    if (leading.open.size === 0) leading.answered = from.steppedAt
    leading.open.add(id)
  }

  #isHome(from: Host, to: Host, { type }: Message): void {
    const store = this.#of(from).stores.get(to.slot)
    expect(store?.heartbeat.hears.includes(from.slot) === true, 'P7', () => {
      return `${from.name} sends ${type} to ${to.name}, which has not said that it hears it`
    })
  }

  /** A home that has not been able to commit for a while is kept only where no other can. */
  #keeps(host: Host): void {
    const { home, chosen, stores } = this.#of(host)
    const { idleSince, at } = stores.get(home) ?? { idleSince: null, at: -Infinity }
    const silent = host.steppedAt - at > suspect / 2
    if (idleSince === null || silent) return
    if (host.steppedAt - Math.max(idleSince, chosen) <= patience + NOTICE_MS) return
    const best = this.#best(host)
    expect(best === undefined || best === home, 'P7', () => {
      return `${host.name} keeps s${home} as its home, which cannot commit; s${best} can`
    })
  }

  /** Owners of the term may be giving way to it one after the other: an election would lead to the next. */
  #insists(from: Host): void {
    const leading = this.#of(from)
    const { failed, failedAt, asked } = leading
    const soon = from.steppedAt - failedAt < patience
    const insists = soon && leading.insists && failed < this.#slots
    expect(!insists || asked, 'C6', () => {
      return `${from.name} has claimed ${failed} times, and calls for an election`
    })
    if (!asked) Object.assign(leading, { failed: 0, insists: false })
  }

  #offers(from: Host): void {
    const { gaveWay, stores } = this.#of(from)
    const since = from.steppedAt - gaveWay
    expect(since > suspect - 1, 'C6', () => {
      return `${from.name} gave way to a larger part of the ring, and wants to lead after ${since} ms`
    })
    const can = [...stores.values()].some(({ heartbeat }) => this.#commits(from, heartbeat))
    expect(can, 'C6', () => `${from.name} wants to lead, and has no home that can commit`)
  }

  #leads(from: Host): void {
    const { open, answered, stepped } = this.#of(from)
    if (open.size === 0 || from.steppedAt - stepped > GAP_MS) return
    const waits = from.steppedAt - answered
    expect(waits <= coordinatorPatience + NOTICE_MS, 'P7', () => {
      return `${from.name} leads, and its home has not answered for ${waits} ms`
    })
  }

  logged(host: Host, event: string, { reason, slot }: LogFields): void {
    if (event === 'claiming') this.#offers(host)
    if (event === 'claim-failed') this.#fails(host, reason !== 'a newer term')
    if (event === 'home') Object.assign(this.#of(host), { home: slot, chosen: host.steppedAt })
    if (event !== 'stopped-coordinating') return
    const leading = this.#of(host)
    leading.open.clear()
    if (reason === 'a larger part of the ring asks to lead') leading.gaveWay = host.steppedAt
  }

  #fails(host: Host, byOthers: boolean): void {
    const leading = this.#of(host)
    leading.failed++
    leading.insists = byOthers && leading.leaders.size === 0
    leading.failedAt = host.steppedAt
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const leading = this.#of(host)
    leading.asked = false
    const { steppedAt } = host
    const stalled = steppedAt - leading.stepped
    // After a stall of its own nobody else is late, and what it had begun goes on.
    if (stalled > GAP_MS) {
      leading.answered = steppedAt
      leading.ordered += stalled
    }
    leading.stepped = steppedAt
    this.#keeps(host)
  }
}
