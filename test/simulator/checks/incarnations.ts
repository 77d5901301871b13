// P9: a replica speaks as a voter only if it is one, and never for an incarnation of its file that
// has ended. An incarnation ends when its replica is told of more than the file holds: the file was
// put back. A new file is of the history that its replica was started with.

import { sameIncarnation, type Incarnation } from '../../../protocol/entries/incarnation.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Transaction } from '../../../protocol/machine/storage.js'
import type { End } from '../connection.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { ORIGIN } from '../origin.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'

/** A READ or TIP that a persistence replica has not answered yet. */
interface Question {
  readonly from: Host
  readonly request: number
  /**
   * The end of the connection that brought the question, where that is certain; the question goes
   * with it.
   */
  readonly end: End | undefined
  /** The incarnation that was asked has ended since. */
  over: boolean
}

export class IncarnationCheck implements Check {
  /** Nonces of the incarnations that were told, in this boot, that their files had been put back. */
  readonly #over = new Map<Host, string>()
  readonly #asked = new Map<Host, Map<string, Question>>()
  /** Hosts whose incarnation has ended in this step. */
  readonly #ends = new Set<Host>()

  /** A restart forgets what the replica was told; it may catch up before it is told again. */
  started(host: Host): void {
    this.#over.delete(host)
    this.#asked.delete(host)
    this.#ends.delete(host)
  }

  written({ slot }: Disk, { genesis: begun }: Transaction): void {
    if (!begun) return
    const { clusterId, historyId } = begun.genesis
    const same = clusterId === ORIGIN.clusterId && historyId === ORIGIN.historyId
    expect(same, 'P9', () => `s${slot} begins a file of ${clusterId}, history ${historyId}`)
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'RECALL') this.#recalled(to, message)
    if (message.type === 'READ' || message.type === 'TIP') this.#question(from, to, message)
  }

  #question(from: Host, to: Host, { request }: The<'READ' | 'TIP'>): void {
    const asked = this.#asked.get(to) ?? new Map<string, Question>()
    this.#asked.set(to, asked)
    const ends = [...to.ends.values()].filter(({ connection, other }) => {
      return other.host === from && connection.lane === 'bulk'
    })
    const end = ends.length === 1 ? ends[0] : undefined
    asked.set(`${from.name} ${from.bootCount} ${request}`, { from, request, end, over: false })
  }

  /**
   * RECALL tells of more than the file holds: the replica knows from here on that the incarnation
   * has ended.
   */
  #recalled(host: Host, { about, saidAcked }: The<'RECALL'>): void {
    const file = host.disk?.file
    if (!file?.forgets || !sameIncarnation(file.incarnation, about)) return
    const last = Math.max(file.last.index, turnView(host)?.log.last ?? 0)
    // RECALL may come more than once.
    if (saidAcked <= last || this.#over.get(host) === about.nonce) return
    this.#over.set(host, about.nonce)
  }

  /** The replica has found out, by RECALL or by a promise that it does not know of. */
  logged(host: Host, event: string): void {
    if (event !== 'file-rolled-back') return
    this.#ends.add(host)
    for (const question of this.#asked.get(host)?.values() ?? []) question.over = true
  }

  sent(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'PROMISE':
      case 'LAST_IS':
      case 'YOU_ARE':
        return message.learner ? undefined : this.#votes(from, message)
      case 'PREPARE':
      case 'ACK':
        return this.#votes(from, message)
      case 'NOT_YET':
        return void this.#answered(from, to, message.request)
      case 'READ_PAGE':
      case 'TIP_IS':
        return this.#answers(from, to, message.request)
    }
  }

  #votes(from: Host, { type, incarnation }: Extract<Message, { incarnation: Incarnation }>): void {
    const { file, voter } = from.disk!
    const own = voter && sameIncarnation(file!.incarnation, incarnation)
    const counts = own && this.#over.get(from) !== incarnation.nonce
    expect(counts, 'P9', () => `${from.name} says ${type} as a voter, as ${incarnation.counter}`)
  }

  /** Answers that the ended incarnation counted towards a majority do not count for the new one. */
  #answers(from: Host, to: Host, request: number): void {
    const question = this.#answered(from, to, request)
    expect(!question?.over, 'P9', () => {
      return `${from.name} answers ${request} of ${to.name}, which it was asked in an incarnation that has ended`
    })
  }

  #answered(from: Host, to: Host, request: number): Question | undefined {
    const key = `${to.name} ${to.bootCount} ${request}`
    const question = this.#asked.get(from)?.get(key)
    this.#asked.get(from)?.delete(key)
    return question
  }

  /**
   * A replica that waits for an answer of the ended incarnation hears at once that there is none.
   */
  stepped(host: Host): void {
    if (!this.#ends.delete(host)) return
    const ends = new Set(host.ends.values())
    for (const { from, request, end, over } of this.#asked.get(host)?.values() ?? []) {
      const waits = over && end !== undefined && ends.has(end)
      expect(!waits, 'P9', () => {
        return `${host.name}'s incarnation has ended, and ${from.name} still waits for its answer ${request}`
      })
    }
  }
}
