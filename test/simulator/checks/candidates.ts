// C6 rests on this where owners of a term resign for a larger part of the ring: a replica that
// resigned lets the others lead, and a replica that asked them to resign calls no election over it.
// Otherwise leaders follow each other for ever, or for longer than needed.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { LogFields } from '../coverage/reach.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import { PerBoot } from './per-boot.js'

/** A processing replica in its present boot. */
interface Candidate {
  /** When the replica resigned for a larger part of the ring. */
  gaveWay: number
  /** Neighbours that lead, by their last heartbeats. */
  readonly leaders: Set<number>
  /** Claims that failed since the replica called an election, and when the last one did. */
  failed: number
  failedAt: number
  /** The last claim was refused by others, and no leader has been heard of since. */
  insists: boolean
  /** An ELECTION has arrived in this step. */
  asked: boolean
}

const { suspect, patience } = TIMINGS

export class CandidateCheck implements Check {
  /** Number of replicas in the ring. */
  readonly #slots: number
  readonly #perBoot = new PerBoot<Candidate>(() => ({
    ...{ gaveWay: -Infinity, leaders: new Set<number>(), failed: 0, failedAt: -Infinity },
    ...{ insists: false, asked: false },
  }))

  constructor(slots: number) {
    this.#slots = slots
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'ELECTION') this.#perBoot.of(to).asked = true
    if (message.type === 'RING_HEARTBEAT') this.#hears(to, from.slot, message)
  }

  #hears(to: Host, slot: number, { holds }: The<'RING_HEARTBEAT'>): void {
    const candidate = this.#perBoot.of(to)
    if (holds === 0) return void candidate.leaders.delete(slot)
    candidate.leaders.add(slot)
    candidate.insists = false
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type !== 'ELECTION' || message.candidate !== from.slot) return
    this.#insists(from)
    this.#offers(from)
  }

  /**
   * Owners of the term may be resigning for this replica one after the other: an election would let
   * the next of them lead.
   */
  #insists(from: Host): void {
    const candidate = this.#perBoot.of(from)
    const { failed, failedAt, asked } = candidate
    const soon = from.steppedAt - failedAt < patience
    const insists = soon && candidate.insists && failed < this.#slots
    expect(!insists || asked, 'C6', () => {
      return `${from.name} has claimed ${failed} times, and calls for an election`
    })
    if (!asked) Object.assign(candidate, { failed: 0, insists: false })
  }

  #offers(from: Host): void {
    const since = from.steppedAt - this.#perBoot.of(from).gaveWay
    expect(since > suspect - 1, 'C6', () => {
      return `${from.name} resigned for a larger part of the ring, and wants to lead after ${since} ms`
    })
  }

  logged(host: Host, event: string, { reason }: LogFields): void {
    if (event === 'claiming') this.#offers(host)
    if (event === 'claim-failed') this.#fails(host, reason !== 'a newer term')
    const gaveWay = reason === 'a larger part of the ring asks to lead'
    if (event === 'stopped-coordinating' && gaveWay) this.#perBoot.of(host).gaveWay = host.steppedAt
  }

  #fails(host: Host, byOthers: boolean): void {
    const candidate = this.#perBoot.of(host)
    candidate.failed++
    candidate.insists = byOthers && candidate.leaders.size === 0
    candidate.failedAt = host.steppedAt
  }

  stepped(host: Host): void {
    if (host.role === 'processing') this.#perBoot.of(host).asked = false
  }
}
