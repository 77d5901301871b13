// What C6 rests on where owners of the term give way: a claim weighs what it may, who gave way lets the
// others lead, and who asked them to is not overtaken by an election. Where that fails leaders follow
// each other for ever, or just for longer than they need to.

import type { Message, MessageName, The } from '../../../protocol/messages/catalogue.js'
import { ASKED } from '../../../protocol/order/standing.js'
import { TIMINGS } from '../../../protocol/replicas/config.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'

/** A processing replica in its present life. */
interface Candidate {
  /** When a client last asked for something that takes an order. */
  ordered: number
  stepped: number
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
/** Until what was asked has been computed or looked up, and is put as a command; milliseconds. */
const COMPUTED_MS = 5_000

const TAKES_ORDER: ReadonlySet<string> = new Set<MessageName>([
  ...(['REGISTER', 'CHANGE_PASSWORD', 'ROTATE_KEY', 'ADD_KEY', 'DELETE_ACCOUNT'] as const),
  ...(['OPEN_STREAM', 'SEND', 'SEND_SEALED', 'DELETE', 'INVITE', 'BLOCK', 'UNBLOCK'] as const),
])

export class CandidateCheck implements Check {
  /** Of the ring. */
  readonly #slots: number
  readonly #known = new Map<Host, Candidate>()

  constructor(slots: number) {
    this.#slots = slots
  }

  #of(host: Host): Candidate {
    const candidate = this.#known.get(host) ?? {
      ...{ ordered: -Infinity, stepped: 0, gaveWay: -Infinity, leaders: new Set<number>() },
      ...{ failed: 0, failedAt: -Infinity, insists: false, asked: false },
    }
    this.#known.set(host, candidate)
    return candidate
  }

  started(host: Host): void {
    this.#known.delete(host)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'ELECTION') this.#of(to).asked = true
    if (message.type === 'RING_HEARTBEAT') this.#hears(to, from.slot, message)
    if (TAKES_ORDER.has(message.type)) this.#of(to).ordered = to.steppedAt
  }

  #hears(to: Host, slot: number, { holds }: The<'RING_HEARTBEAT'>): void {
    const candidate = this.#of(to)
    if (holds === 0) return void candidate.leaders.delete(slot)
    candidate.leaders.add(slot)
    candidate.insists = false
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type === 'HOME_HEARTBEAT' || message.type === 'CLAIM') {
      this.#weighs(from, message.size)
    }
    if (message.type !== 'ELECTION' || message.candidate !== from.slot) return
    this.#insists(from)
    this.#offers(from)
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

  /** Owners of the term may be giving way to it one after the other: an election would lead to the next. */
  #insists(from: Host): void {
    const candidate = this.#of(from)
    const { failed, failedAt, asked } = candidate
    const soon = from.steppedAt - failedAt < patience
    const insists = soon && candidate.insists && failed < this.#slots
    expect(!insists || asked, 'C6', () => {
      return `${from.name} has claimed ${failed} times, and calls for an election`
    })
    if (!asked) Object.assign(candidate, { failed: 0, insists: false })
  }

  #offers(from: Host): void {
    const since = from.steppedAt - this.#of(from).gaveWay
    expect(since > suspect - 1, 'C6', () => {
      return `${from.name} gave way to a larger part of the ring, and wants to lead after ${since} ms`
    })
  }

  logged(host: Host, event: string, { reason }: LogFields): void {
    if (event === 'claiming') this.#offers(host)
    if (event === 'claim-failed') this.#fails(host, reason !== 'a newer term')
    const gaveWay = reason === 'a larger part of the ring asks to lead'
    if (event === 'stopped-coordinating' && gaveWay) this.#of(host).gaveWay = host.steppedAt
  }

  #fails(host: Host, byOthers: boolean): void {
    const candidate = this.#of(host)
    candidate.failed++
    candidate.insists = byOthers && candidate.leaders.size === 0
    candidate.failedAt = host.steppedAt
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const candidate = this.#of(host)
    candidate.asked = false
    const stalled = host.steppedAt - candidate.stepped
    // What was asked before a stall is still being computed after it.
    if (stalled > GAP_MS) candidate.ordered += stalled
    candidate.stepped = host.steppedAt
  }
}
