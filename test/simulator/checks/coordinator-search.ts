// C6 rests on this where a coordinator is unknown or known by hearsay alone: a replica that could
// lead, and refuses its clients for want of a coordinator, looks for one. Otherwise its clients
// move on, sooner or later, to a replica that does.

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
/** Milliseconds, some ticks. Refusals further apart are separate waits. */
const NOTICE_MS = 500

/** A processing replica in its present boot. */
interface Seeker {
  /** When the present series of refusals began. */
  since: number
  refusedAt: number
  /**
   * When the replica last looked for a coordinator or heard one; a time in the future: it may not
   * look before then.
   */
  soughtAt: number
  /** A claim of the replica has no answer yet. */
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
    // A replica that resigned offers its id again after so long at the latest.
    const gaveWay = reason === 'a larger part of the ring asks to lead'
    if (stopped && gaveWay) this.#seeks(host, host.steppedAt + 2 * suspect)
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    this.#perBoot.of(host).stepped = host.steppedAt
  }
}
