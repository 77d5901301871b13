// What C6 rests on where a coordinator is known by hearsay, or not at all: a replica that refuses its
// clients for want of one, and could lead, looks for one. Where that fails its clients move on, sooner
// or later, to one that does.

import { ERRORS } from '../../../protocol/errors.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'
import type { HomeChoiceCheck } from './home-choice.js'
import { PerBoot } from './per-boot.js'

const { suspect } = TIMINGS
/** Some ticks, milliseconds. Refusals further apart are not one wait. */
const NOTICE_MS = 500

/** A processing replica in its present life. */
interface Seeker {
  /** Of the refusals that go on. */
  since: number
  refusedAt: number
  /** It has looked for a coordinator, or heard one say so; in the future: it may not look until then. */
  soughtAt: number
  /** Nobody has told it yet whether it leads. */
  claims: boolean
  stepped: number
}

export class CoordinatorSearchCheck implements Check {
  readonly #homes: HomeChoiceCheck
  readonly #perBoot = new PerBoot<Seeker>(() => ({
    ...{ since: 0, refusedAt: -Infinity, soughtAt: -Infinity, claims: false, stepped: 0 },
  }))

  constructor(homes: HomeChoiceCheck) {
    this.#homes = homes
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  delivered(_from: Host, to: Host, message: Message): void {
    const leads = message.type === 'RING_HEARTBEAT' && message.holds > 0
    if (leads || message.type === 'ELECTION') this.#seeks(to)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'ELECTION' || message.type === 'CLAIM') {
      this.#seeks(from)
      this.#perBoot.of(from).claims ||= message.type === 'CLAIM'
    }
    const refuses = message.type === 'ERROR' && message.code === ERRORS.NOT_READY.code
    if (refuses && to.role === 'client') this.#refuses(from)
  }

  #seeks(host: Host, until = host.steppedAt): void {
    const seeker = this.#perBoot.of(host)
    seeker.soughtAt = Math.max(seeker.soughtAt, until)
  }

  #refuses(from: Host): void {
    const seeker = this.#perBoot.of(from)
    const now = from.steppedAt
    const goesOn = now - seeker.refusedAt <= NOTICE_MS && this.#homes.couldLead(from)
    if (!goesOn || now - seeker.stepped > GAP_MS) seeker.since = now
    seeker.refusedAt = now
    const waits = now - Math.max(seeker.since, seeker.soughtAt)
    expect(seeker.claims || waits <= suspect + NOTICE_MS, 'C6', () => {
      return `${from.name} has refused clients for ${waits} ms, and looks for no coordinator`
    })
  }

  logged(host: Host, event: string, { reason }: LogFields): void {
    const stopped = event === 'stopped-coordinating'
    if (stopped || event === 'claim-failed' || event === 'coordinator') {
      this.#perBoot.of(host).claims = false
      this.#seeks(host)
    }
    // Who gave way does not offer its id for so long at most.
    const gaveWay = reason === 'a larger part of the ring asks to lead'
    if (stopped && gaveWay) this.#seeks(host, host.steppedAt + 2 * suspect)
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    this.#perBoot.of(host).stepped = host.steppedAt
  }
}
