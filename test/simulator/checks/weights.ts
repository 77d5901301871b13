// What C6 rests on where a claim is weighed: what clients ask weighs while they are there, those that have
// just left weigh less, and who only reads weighs least of all. Or who is of no use to anybody topples a
// coordinator that others need, or keeps its lease from them.

import { ERRORS, type ErrorName } from '../../../protocol/errors.js'
import type { Message, MessageName, The } from '../../../protocol/messages/catalogue.js'
import {
  WEIGHT_ASKING,
  WEIGHT_LEFT,
  WEIGHT_CONNECTED,
} from '../../../protocol/processing/context.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'
import { Lives } from './lives.js'

/** A client of a processing replica. */
interface Asker {
  connections: number
  /** Requests unanswered that are put as commands once all is computed, whenever that is. */
  readonly computing: Set<number>
  /** All else that it asked and that takes an order was put by then; and before the last of that. */
  until: number
  before: number
}

/** What clients want of a processing replica in its present life. */
interface Demand {
  readonly askers: Map<Host, Asker>
  /** When a client was last connected here. */
  clientAt: number
  /** When it last weighed as one whose clients had asked for no order lately. */
  lightAt: number
  /** When it last refused what a client had asked it for and takes an order. */
  refusedAt: number
  stepped: number
}

const { suspect, coordinatorPatience } = TIMINGS

const COMPUTED: ReadonlySet<string> = new Set<MessageName>([
  ...(['REGISTER', 'CHANGE_PASSWORD', 'ROTATE_KEY', 'ADD_KEY', 'DELETE_ACCOUNT'] as const),
])
const PUT_AT_ONCE: ReadonlySet<string> = new Set<MessageName>([
  ...(['OPEN_STREAM', 'SEND', 'SEND_SEALED', 'DELETE', 'INVITE', 'BLOCK', 'UNBLOCK'] as const),
])

const isError = (message: Message, name: ErrorName): message is The<'ERROR'> =>
  message.type === 'ERROR' && message.code === ERRORS[name].code

export class WeightCheck implements Check {
  readonly #lives = new Lives<Demand>(() => ({
    ...{ askers: new Map<Host, Asker>(), clientAt: -Infinity, lightAt: -Infinity },
    ...{ refusedAt: -Infinity, stepped: 0 },
  }))

  started(host: Host): void {
    this.#lives.over(host)
  }

  #asker(host: Host, client: Host): Asker {
    const { askers } = this.#lives.of(host)
    const begun = {
      connections: 0,
      computing: new Set<number>(),
      until: -Infinity,
      before: -Infinity,
    }
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
    if (!('request' in message) || from.role !== 'client') return
    if (COMPUTED.has(message.type)) this.#asker(to, from).computing.add(message.request)
    if (!PUT_AT_ONCE.has(message.type)) return
    const asker = this.#asker(to, from)
    Object.assign(asker, { before: asker.until, until: to.steppedAt })
  }

  #put(asker: Asker, requests: readonly number[], now: number): void {
    for (const request of requests) if (asker.computing.delete(request)) asker.until = now
  }

  sent(from: Host, to: Host, message: Message): void {
    if (to.role === 'client' && 'request' in message && message.type !== 'PROGRESS') {
      this.#answered(from, this.#asker(from, to), message)
    }
    if (message.type === 'HOME_HEARTBEAT' || message.type === 'CLAIM') {
      this.#weighs(from, message.weight)
    }
  }

  #answered(from: Host, asker: Asker, message: Message & { readonly request: number }): void {
    if (!isError(message, 'STORAGE_FULL')) this.#put(asker, [message.request], from.steppedAt)
    // What nobody could store counts as never asked.
    else if (!asker.computing.delete(message.request)) asker.until = asker.before
    // Only where a command is put just now does the text say what can be reached.
    const refused = isError(message, 'NOT_READY') && message.text.includes('reachable')
    if (refused) this.#lives.of(from).refusedAt = from.steppedAt
  }

  #weighs(from: Host, size: number): void {
    const demand = this.#lives.of(from)
    const { askers, clientAt, lightAt, refusedAt, stepped } = demand
    const now = from.steppedAt
    if (size >= WEIGHT_CONNECTED && size < WEIGHT_ASKING) demand.lightAt = now
    if (now - stepped > GAP_MS) return
    const all = [...askers.values()]
    const alone = all.some(({ connections }) => connections > 0) ? 0 : now - clientAt
    expect(size < WEIGHT_CONNECTED || alone < suspect + 1, 'C6', () => {
      return `${from.name} weighs ${size}, and for ${alone} ms no client has been connected`
    })
    const refused = now - refusedAt
    expect(size >= WEIGHT_LEFT || refused > coordinatorPatience - 1, 'C6', () => {
      return `${from.name} weighs ${size}; ${refused} ms ago it refused what a client wanted ordered`
    })
    if (size < WEIGHT_LEFT || (size >= WEIGHT_CONNECTED && size < WEIGHT_ASKING)) return
    const until = Math.max(...all.map((asker) => (asker.computing.size > 0 ? now : asker.until)))
    const waits = now - until
    expect(
      waits < coordinatorPatience + 1 && (size < WEIGHT_ASKING || until >= lightAt),
      'C6',
      () => {
        return `${from.name} weighs ${size}; ${waits} ms ago all that clients had asked it for was put`
      },
    )
  }

  stepped(host: Host): void {
    if (host.role === 'processing') this.#lives.of(host).stepped = host.steppedAt
  }
}
