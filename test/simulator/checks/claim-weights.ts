// C6 rests on the weight of a claim: requests of clients count while the clients are connected,
// clients that have just left count less, and clients that only read count least. Where that fails,
// a replica that is of no use to anybody topples a coordinator that others need, or keeps its lease
// from them.

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
import { PerBoot } from './per-boot.js'

/** A client of a processing replica. */
interface Asker {
  connections: number
  /** Unanswered requests that become commands once their computation ends, whenever that is. */
  readonly computing: Set<number>
  /**
   * The latest time by which all other requests that take an order were submitted; and the value of
   * `until` before the last of them.
   */
  until: number
  before: number
}

/** What clients want of a processing replica in its present boot. */
interface Demand {
  readonly askers: Map<Host, Asker>
  /** When a client was last connected here. */
  clientAt: number
  /**
   * When the replica last claimed the weight of one whose clients had lately asked for no order.
   */
  lightAt: number
  /** When the replica last refused a client's request that takes an order. */
  refusedAt: number
  stepped: number
}

const { suspect, coordinatorPatience } = TIMINGS

const COMPUTED: ReadonlySet<string> = new Set<MessageName>([
  ...(['REGISTER', 'CHANGE_PASSWORD', 'ROTATE_KEY', 'ADD_KEY', 'DELETE_ACCOUNT'] as const),
])
const PUT_AT_ONCE: ReadonlySet<string> = new Set<MessageName>([
  ...([
    'OPEN_STREAM',
    'CLOSE_STREAM',
    'SEND',
    'SEND_SEALED',
    'DELETE',
    'INVITE',
    'BLOCK',
    'UNBLOCK',
  ] as const),
])

const isError = (message: Message, name: ErrorName): message is The<'ERROR'> =>
  message.type === 'ERROR' && message.code === ERRORS[name].code

export class ClaimWeightCheck implements Check {
  readonly #perBoot = new PerBoot<Demand>(() => ({
    ...{ askers: new Map<Host, Asker>(), clientAt: -Infinity, lightAt: -Infinity },
    ...{ refusedAt: -Infinity, stepped: 0 },
  }))

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  #asker(host: Host, client: Host): Asker {
    const { askers } = this.#perBoot.of(host)
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
    this.#perBoot.of(host).clientAt = host.steppedAt
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
    // A request that was refused for full disks counts as never asked.
    else if (!asker.computing.delete(message.request)) asker.until = asker.before
    // NOT_READY names what is reachable only for a command that is being submitted.
    const refused = isError(message, 'NOT_READY') && message.text.includes('reachable')
    if (refused) this.#perBoot.of(from).refusedAt = from.steppedAt
  }

  #weighs(from: Host, weight: number): void {
    const demand = this.#perBoot.of(from)
    const { askers, clientAt, lightAt, refusedAt, stepped } = demand
    const now = from.steppedAt
    if (weight >= WEIGHT_CONNECTED && weight < WEIGHT_ASKING) demand.lightAt = now
    if (now - stepped > GAP_MS) return
    const all = [...askers.values()]
    const alone = all.some(({ connections }) => connections > 0) ? 0 : now - clientAt
    expect(weight < WEIGHT_CONNECTED || alone < suspect + 1, 'C6', () => {
      return `${from.name} weighs ${weight}, and no client has been connected for ${alone} ms`
    })
    const refused = now - refusedAt
    expect(weight >= WEIGHT_LEFT || refused > coordinatorPatience - 1, 'C6', () => {
      return `${from.name} weighs ${weight}; ${refused} ms ago it refused a client's command`
    })
    if (weight < WEIGHT_LEFT || (weight >= WEIGHT_CONNECTED && weight < WEIGHT_ASKING)) return
    const until = Math.max(...all.map((asker) => (asker.computing.size > 0 ? now : asker.until)))
    const waits = now - until
    expect(
      waits < coordinatorPatience + 1 && (weight < WEIGHT_ASKING || until >= lightAt),
      'C6',
      () => {
        return `${from.name} weighs ${weight}; ${waits} ms ago all its clients' requests were submitted`
      },
    )
  }

  stepped(host: Host): void {
    if (host.role === 'processing') this.#perBoot.of(host).stepped = host.steppedAt
  }
}
