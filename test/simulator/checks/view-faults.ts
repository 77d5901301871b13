// P7 rests on this where a view has lost a member, or two of its members do not reach each other.
// No member of such a view gets every permission, so a replica that could be in a view of a
// majority proposes one. The fault mostly ends before anybody waits for long, so the end of a run
// shows little of a breach.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import { bestClique } from '../../../protocol/view/clique.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, turnView, type Check } from './check.js'
import { PerBoot } from './per-boot.js'
import type { Neighbours } from './neighbours.js'

const { suspect, patience } = TIMINGS
/**
 * Milliseconds: time for a failed proposal to end, for its blamed members to be proposable again,
 * and for the next.
 */
const PROPOSED_MS = 2 * suspect + 4 * patience
/** Milliseconds more for each replica that proposes before this one. */
const RANK_MS = 1.5 * patience
/** Milliseconds between two looks. */
const LOOK_MS = 50

/** A persistence replica in its present boot. */
interface Member {
  own: The<'VIEW_HEARTBEAT'> | null
  /** Since when the replica could propose a better view and nobody has; null: it could not. */
  since: number | null
  stepped: number
  looked: number
}

export class ViewFaultCheck implements Check {
  readonly #neighbours: Neighbours
  readonly #majority: number
  readonly #perBoot = new PerBoot<Member>(() => ({
    own: null,
    since: null,
    stepped: 0,
    looked: 0,
  }))

  /** `slots`: number of persistence replicas. */
  constructor(neighbours: Neighbours, slots: number) {
    this.#neighbours = neighbours
    this.#majority = Math.floor(slots / 2) + 1
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  delivered(_from: Host, to: Host, message: Message): void {
    if (message.type === 'ASK' || message.type === 'PREPARE') this.#perBoot.of(to).since = null
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type === 'VIEW_HEARTBEAT') this.#perBoot.of(from).own = message
    if (message.type === 'ASK' || message.type === 'PREPARE') this.#perBoot.of(from).since = null
  }

  stepped(host: Host): void {
    if (host.role !== 'persistence') return
    const member = this.#perBoot.of(host)
    const { steppedAt: now } = host
    if (now - member.stepped > GAP_MS) member.since = null
    member.stepped = now
    if (now - member.looked < LOOK_MS) return
    member.looked = now
    const fit = this.#hasViewFault(host) ? this.#fit(host, member) : null
    if (!fit) return void (member.since = null)
    const since = (member.since ??= now)
    const rank = fit.filter((slot) => slot < host.slot).length
    expect(now - since <= PROPOSED_MS + rank * RANK_MS, 'P7', () => {
      const could = fit.map((slot) => `s${slot}`).join(' ')
      return `${host.name} has a view fault for ${now - since} ms and proposes no other view; it hears ${could}`
    })
  }

  /**
   * The healthy voters that the replica hears, itself included, if a majority of them reach each
   * other.
   */
  #fit(host: Host, { own }: Member): number[] | null {
    const { slot: self, steppedAt } = host
    const others = this.#neighbours.of(host)
    if (own?.writable !== true || own.oldestWrite > 0) return null
    const fit = [self]
    for (const [slot, { heartbeat, at }] of others) {
      const { writable, oldestWrite, status } = heartbeat
      const well = writable && oldestWrite <= suspect && status !== 'learner'
      if (well && steppedAt - at <= suspect / 2) fit.push(slot)
    }
    if (fit.length < this.#majority) return null
    const reaches = (a: number, b: number): boolean =>
      a === self || others.get(a)!.heartbeat.reaches.includes(b)
    return bestClique(self, fit, reaches).length >= this.#majority ? fit : null
  }

  /**
   * Whether the replica is in a view with a lost member, or with a member that does not reach
   * another.
   */
  #hasViewFault(host: Host): boolean {
    if (turnView(host)?.status !== 'normal' || !host.disk!.voter) return false
    const others = this.#neighbours.of(host)
    const members = (host.disk!.file?.view.members ?? []).map(({ slot }) => slot)
    const isFresh = (slot: number): boolean =>
      slot === host.slot || host.steppedAt - (others.get(slot)?.at ?? 0) <= suspect / 2
    return members.some((slot) => {
      if (slot === host.slot) return false
      const other = others.get(slot)
      if (!other || host.steppedAt - other.at > 2 * suspect) return true
      const { status, reaches } = other.heartbeat
      if (status === 'outside' || status === 'learner') return true
      return members.some((member) => !reaches.includes(member) && isFresh(member))
    })
  }
}
