// What C6 rests on where owners of the term give way: a claim weighs what it may, who gave way lets the
// others lead, and who asked them to is not overtaken by an election. Where that fails leaders follow
// each other for ever, or just for longer than they need to.

import { ERRORS } from '../../../protocol/errors.js'
import type { Message, MessageName, The } from '../../../protocol/messages/catalogue.js'
import { ASKED, LEFT, WANTED } from '../../../protocol/order/standing.js'
import { TIMINGS } from '../../../protocol/replicas/config.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'
import { Lives } from './lives.js'

/** A client of a processing replica. */
interface Asker {
  connections: number
  /** Requests unanswered that are put as commands once all is computed, whenever that is. */
  readonly computing: Set<number>
  /** All else that it asked and that takes an order was put by then. */
  until: number
}

/** A processing replica in its present life. */
interface Candidate {
  readonly askers: Map<Host, Asker>
  /** When a client was last connected here. */
  clientAt: number
  /** When it last weighed as one whose clients had asked for no order lately. */
  lightAt: number
  /** When it last refused what a client had asked it for and takes an order. */
  refusedAt: number
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
const COMPUTED: ReadonlySet<string> = new Set<MessageName>([
  ...(['REGISTER', 'CHANGE_PASSWORD', 'ROTATE_KEY', 'ADD_KEY', 'DELETE_ACCOUNT'] as const),
])
const PUT_AT_ONCE: ReadonlySet<string> = new Set<MessageName>([
  ...(['OPEN_STREAM', 'SEND', 'SEND_SEALED', 'DELETE', 'INVITE', 'BLOCK', 'UNBLOCK'] as const),
])

/** A command that was put just now, and no coordinator could be reached: that text alone says what can be. */
const isRefused = (message: Message): boolean =>
  message.type === 'ERROR' &&
  message.code === ERRORS.NOT_READY.code &&
  message.text.includes('reachable')

export class CandidateCheck implements Check {
  /** Of the ring. */
  readonly #slots: number
  readonly #lives = new Lives<Candidate>(() => ({
    ...{
      askers: new Map<Host, Asker>(),
      clientAt: -Infinity,
      lightAt: -Infinity,
      refusedAt: -Infinity,
      stepped: 0,
      gaveWay: -Infinity,
    },
    ...{ leaders: new Set<number>(), failed: 0, failedAt: -Infinity },
    ...{ insists: false, asked: false },
  }))

  constructor(slots: number) {
    this.#slots = slots
  }

  started(host: Host): void {
    this.#lives.over(host)
  }

  #asker(host: Host, client: Host): Asker {
    const { askers } = this.#lives.of(host)
    const begun = { connections: 0, computing: new Set<number>(), until: -Infinity }
    const asker = askers.get(client) ?? begun
    askers.set(client, asker)
    return asker
  }

  linked(host: Host, peer: Host): void {
    if (peer.role === 'client') this.#asker(host, peer).connections++
  }

  unlinked(host: Host, peer: Host): void {
    if (peer.role !== 'client') return
    const asker = this.#asker(host, peer)
    asker.connections--
    if (asker.connections === 0) this.#put(asker, [...asker.computing], host.steppedAt)
    this.#lives.of(host).clientAt = host.steppedAt
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'ELECTION') this.#lives.of(to).asked = true
    if (message.type === 'RING_HEARTBEAT') this.#hears(to, from.slot, message)
    if (!('request' in message) || from.role !== 'client') return
    if (COMPUTED.has(message.type)) this.#asker(to, from).computing.add(message.request)
    if (PUT_AT_ONCE.has(message.type)) this.#asker(to, from).until = to.steppedAt
  }

  #put(asker: Asker, requests: readonly number[], now: number): void {
    for (const request of requests) if (asker.computing.delete(request)) asker.until = now
  }

  #hears(to: Host, slot: number, { holds }: The<'RING_HEARTBEAT'>): void {
    const candidate = this.#lives.of(to)
    if (holds === 0) return void candidate.leaders.delete(slot)
    candidate.leaders.add(slot)
    candidate.insists = false
  }

  sent(from: Host, to: Host, message: Message): void {
    if (to.role === 'client' && 'request' in message && message.type !== 'PROGRESS') {
      this.#put(this.#asker(from, to), [message.request], from.steppedAt)
      if (isRefused(message)) this.#lives.of(from).refusedAt = from.steppedAt
    }
    if (message.type === 'HOME_HEARTBEAT' || message.type === 'CLAIM') {
      this.#weighs(from, message.size)
    }
    if (message.type !== 'ELECTION' || message.candidate !== from.slot) return
    this.#insists(from)
    this.#offers(from)
  }

  /** Who only reads, or has left for good, needs no coordinator, and must not topple one that others need. */
  #weighs(from: Host, size: number): void {
    const candidate = this.#lives.of(from)
    const { askers, clientAt, lightAt, refusedAt, stepped } = candidate
    const now = from.steppedAt
    if (size >= WANTED && size < ASKED) candidate.lightAt = now
    if (now - stepped > GAP_MS) return
    const all = [...askers.values()]
    const alone = all.some(({ connections }) => connections > 0) ? 0 : now - clientAt
    expect(size < WANTED || alone < suspect + 1, 'C6', () => {
      return `${from.name} weighs ${size}, and for ${alone} ms no client has been connected`
    })
    const refused = now - refusedAt
    expect(size >= LEFT || refused > coordinatorPatience - 1, 'C6', () => {
      return `${from.name} weighs ${size}; ${refused} ms ago it refused what a client wanted ordered`
    })
    if (size < LEFT || (size >= WANTED && size < ASKED)) return
    const until = Math.max(...all.map((asker) => (asker.computing.size > 0 ? now : asker.until)))
    const waits = now - until
    expect(waits < coordinatorPatience + 1 && (size < ASKED || until >= lightAt), 'C6', () => {
      return `${from.name} weighs ${size}; ${waits} ms ago all that clients had asked it for was put`
    })
  }

  /** Owners of the term may be giving way to it one after the other: an election would lead to the next. */
  #insists(from: Host): void {
    const candidate = this.#lives.of(from)
    const { failed, failedAt, asked } = candidate
    const soon = from.steppedAt - failedAt < patience
    const insists = soon && candidate.insists && failed < this.#slots
    expect(!insists || asked, 'C6', () => {
      return `${from.name} has claimed ${failed} times, and calls for an election`
    })
    if (!asked) Object.assign(candidate, { failed: 0, insists: false })
  }

  #offers(from: Host): void {
    const since = from.steppedAt - this.#lives.of(from).gaveWay
    expect(since > suspect - 1, 'C6', () => {
      return `${from.name} gave way to a larger part of the ring, and wants to lead after ${since} ms`
    })
  }

  logged(host: Host, event: string, { reason }: LogFields): void {
    if (event === 'claiming') this.#offers(host)
    if (event === 'claim-failed') this.#fails(host, reason !== 'a newer term')
    const gaveWay = reason === 'a larger part of the ring asks to lead'
    if (event === 'stopped-coordinating' && gaveWay) this.#lives.of(host).gaveWay = host.steppedAt
  }

  #fails(host: Host, byOthers: boolean): void {
    const candidate = this.#lives.of(host)
    candidate.failed++
    candidate.insists = byOthers && candidate.leaders.size === 0
    candidate.failedAt = host.steppedAt
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const candidate = this.#lives.of(host)
    candidate.asked = false
    candidate.stepped = host.steppedAt
  }
}
