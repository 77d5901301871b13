// What P7 rests on where a view has lost a member, or two of its members do not reach each other: nobody
// there gets every permission, so one who could be in a view of a majority proposes it. Mostly the fault is
// over before anybody waits for long: a cluster that serves in time shows little.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import { bestClique } from '../../../protocol/view/clique.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, turnView, type Check } from './check.js'
import { PerBoot } from './per-boot.js'
import type { Neighbours } from './neighbours.js'

const { suspect, patience } = TIMINGS
/** What failed is over, who was blamed for that may be proposed again, and so one is; milliseconds. */
const PROPOSED_MS = 2 * suspect + 4 * patience
/** Each who comes first has so much longer, milliseconds. */
const RANK_MS = 1.5 * patience
/** Looked at so often, milliseconds. */
const LOOK_MS = 50

/** A persistence replica in its present life. */
interface Member {
  own: The<'VIEW_HEARTBEAT'> | null
  /** Since when it could propose a better view, and nobody has; null: it could not. */
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

  /** Of `slots` stores. */
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
    const fit = this.#isTroubled(host) ? this.#fit(host, member) : null
    if (!fit) return void (member.since = null)
    const since = (member.since ??= now)
    const rank = fit.filter((slot) => slot < host.slot).length
    expect(now - since <= PROPOSED_MS + rank * RANK_MS, 'P7', () => {
      const could = fit.map((slot) => `s${slot}`).join(' ')
      return `${host.name} stays in a view in trouble for ${now - since} ms; it hears ${could}`
    })
  }

  /** Voters that are well and heard, itself included, if a majority of them reach each other. */
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

  /** It stands in a view with a member that is lost, or that another is not reached by. */
  #isTroubled(host: Host): boolean {
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
