// What P7 rests on where two members of a view do not reach each other: neither gets the other's
// permission, so who reaches both proposes a view without one of them. Mostly the fault is over before
// anybody waits for long: a cluster that serves in time shows little.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { TIMINGS } from '../../../protocol/replicas/config.js'
import type { Lane } from '../connection.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, turnView, type Check } from './check.js'
import { Lives } from './lives.js'

const { suspect, patience } = TIMINGS
/** Until one of the lowest rank has proposed, milliseconds. */
const PROPOSED_MS = 2 * suspect + 4 * patience

type Heartbeat = The<'VIEW_HEARTBEAT'>

/** A persistence replica in its present life. */
interface Middle {
  /** What others last said, by slot, and when. */
  readonly others: Map<number, { readonly heartbeat: Heartbeat; readonly at: number }>
  own: Heartbeat | null
  /** Since when it has been between two that are apart; null: it is not. */
  since: number | null
  stepped: number
}

/** For clusters of three: whom to leave out is no question of more than one. */
export class ApartCheck implements Check {
  readonly #lives = new Lives<Middle>(() => ({
    others: new Map(),
    own: null,
    since: null,
    stepped: 0,
  }))

  started(host: Host): void {
    this.#lives.over(host)
  }

  unlinked(host: Host, peer: Host, lane: Lane): void {
    if (lane === 'main' && peer.role === 'persistence')
      this.#lives.of(host).others.delete(peer.slot)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type !== 'VIEW_HEARTBEAT') return
    this.#lives.of(to).others.set(from.slot, { heartbeat: message, at: to.steppedAt })
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type === 'VIEW_HEARTBEAT') this.#lives.of(from).own = message
    if (message.type === 'PREPARE') this.#lives.of(from).since = null
  }

  stepped(host: Host): void {
    if (host.role !== 'persistence') return
    const middle = this.#lives.of(host)
    const { steppedAt: now } = host
    if (now - middle.stepped > GAP_MS || !this.#isBetween(host, middle)) middle.since = null
    else middle.since ??= now
    middle.stepped = now
    const { since } = middle
    expect(since === null || now - since <= PROPOSED_MS, 'P7', () => {
      return `${host.name} stays in a view whose others do not reach each other: ${now - since!} ms`
    })
  }

  /** All three are in one view, well and heard, and the two others do not reach each other. */
  #isBetween(host: Host, { others, own }: Middle): boolean {
    const members = host.disk!.file?.view.members ?? []
    const status = turnView(host)?.status
    if (status !== 'normal' || members.length !== 3 || own?.writable !== true) return false
    if (own.oldestWrite > 0 || others.size !== 2) return false
    const all = [...others.values()]
    const well = all.every(({ heartbeat: { reaches, writable, oldestWrite, status }, at }) => {
      const here = host.steppedAt - at <= suspect / 2 && reaches.includes(host.slot)
      return here && writable && oldestWrite <= suspect && status === 'normal'
    })
    return well && all.some(({ heartbeat }) => heartbeat.reaches.length < 3)
  }
}
