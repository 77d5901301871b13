// P7 and C6 as users feel them, by the truth that no replica knows. A replica that is whole, among
// hosts that are, serves its clients, and a scripted writer is answered. A replica that refuses its
// clients for want of a coordinator looks for one. Disks are called full only where they are.

import { ERRORS, type ErrorName } from '../../../protocol/errors.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Writer } from '../workload/writer.js'
import type { Check } from './check.js'
import type { Demand } from './demand.js'
import type { Health } from './health.js'
import { PerBoot } from './per-boot.js'

/**
 * Milliseconds of health after which clients are served. The longest way there is a lost member
 * (1 s to notice) that is blamed in a failed proposal (2 s), while the coordinator waits for
 * persistence (3 s in all), and then an election with the end of a lease (1.5 s).
 */
const SERVED_MS = 6_000
/** Milliseconds after which disks with room are known to have it. */
const ROOM_MS = 4_000
/**
 * Milliseconds of refusals after which a coordinator is looked for: its silence is noticed after
 * 1 s, hearsay is believed for another, and a calm replica's tick may be 125 ms away.
 */
const SOUGHT_MS = 2_500
/** Milliseconds. A client that is refused once more within this time still waits. */
const WAITS_MS = 500

const REFUSALS: readonly ErrorName[] = ['NOT_READY', 'NO_QUORUM', 'UNKNOWN_OUTCOME', 'STORAGE_FULL']

const isError = (message: Message, names: readonly ErrorName[]): boolean =>
  message.type === 'ERROR' && names.some((name) => message.code === ERRORS[name].code)

/** A processing replica in its present boot. */
interface Service {
  /** Since when clients have waited for an order, and when they last did. */
  since: number
  wantedAt: number
  /**
   * When the replica last looked for a coordinator or heard of one; a time in the future: it may not
   * look before then.
   */
  soughtAt: number
  /** A claim of the replica has no answer yet. */
  claims: boolean
  leads: boolean
}

export class ServiceCheck implements Check {
  readonly #health: Health
  readonly #demand: Demand
  readonly #perBoot = new PerBoot<Service>(() => ({
    ...{ since: -Infinity, wantedAt: -Infinity, soughtAt: -Infinity, claims: false, leads: false },
  }))

  constructor(health: Health, demand: Demand) {
    this.#health = health
    this.#demand = demand
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  delivered(_from: Host, to: Host, message: Message): void {
    const leads = message.type === 'RING_HEARTBEAT' && message.holds > 0
    if (leads || message.type === 'ELECTION') this.#seeks(to)
    if (message.type === 'APPENDED') this.#perBoot.of(to).since = to.steppedAt
  }

  #seeks(host: Host, until = host.steppedAt): void {
    const service = this.#perBoot.of(host)
    service.soughtAt = Math.max(service.soughtAt, until)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (this.#demand.isAnswer(from, to, message)) this.#answers(from, message)
    if (message.type === 'CLAIM') this.#perBoot.of(from).claims = true
    if (message.type === 'ELECTION') this.#seeks(from)
  }

  #answers(from: Host, message: Message): void {
    const service = this.#perBoot.of(from)
    if (!isError(message, REFUSALS)) return void (service.since = from.steppedAt)
    this.#waits(from)
    if (isError(message, ['NOT_READY'])) this.#refuses(from, service)
    if (isError(message, ['STORAGE_FULL'])) this.#full(from)
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    // A scripted writer, in place of a processing replica, tells whether an order has no answer.
    const { idle = true } = host.machine as Partial<Writer>
    if (this.#demand.of(host).open.size > 0 || !idle) this.#waits(host)
  }

  #waits(host: Host): void {
    const { steppedAt: now } = host
    const service = this.#perBoot.of(host)
    if (now - service.wantedAt > WAITS_MS) service.since = now
    service.wantedAt = now
    if (now - service.since <= SERVED_MS) return
    const well = this.#health.wellSince(host)
    const able = service.leads ? Math.min(well, this.#health.storedSince(host)) : well
    const waits = now - Math.max(service.since, able)
    expect(waits <= SERVED_MS, 'P7', () => {
      return `${host.name} and what it needs have been well for ${waits} ms, and its clients wait`
    })
  }

  #refuses(host: Host, { since, soughtAt, claims }: Service): void {
    if (claims) return
    const waits = host.steppedAt - Math.max(since, soughtAt, this.#health.storedSince(host))
    expect(waits <= SOUGHT_MS, 'C6', () => {
      return `${host.name} has refused clients for ${waits} ms, and looks for no coordinator`
    })
  }

  #full(host: Host): void {
    const ms = host.steppedAt - this.#health.storedSince(host)
    expect(ms <= ROOM_MS, 'P7', () => {
      return `${host.name} says that the disks are full; a majority has had room for ${ms} ms`
    })
  }

  logged(host: Host, event: string, { reason }: LogFields): void {
    const stopped = event === 'stopped-coordinating'
    if (stopped || event === 'claim-failed' || event === 'coordinator') {
      Object.assign(this.#perBoot.of(host), { claims: false, leads: event === 'coordinator' })
      this.#seeks(host)
    }
    // A replica that resigned for others lets them try for so long.
    const gaveWay = reason === 'a larger part of the ring asks to lead'
    if (stopped && gaveWay) this.#seeks(host, host.steppedAt + SOUGHT_MS)
  }
}
