// P9: only a voter speaks as one, and nobody whose life is over. A life ends when it is told of more
// than its file holds: the file was put back.

import { sameIncarnation, type Incarnation } from '../../../protocol/entries/incarnation.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { End } from '../connection.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'

/** A read that a store has not answered yet. */
interface Question {
  readonly from: Host
  readonly request: number
  /** By which it came, if that is certain: with it the question goes. */
  readonly end: End | undefined
  /** It came before the end of the life that it came to. */
  over: boolean
}

export class IncarnationCheck implements Check {
  /** PerBoot that have been told, in this process, that their files were put back: their nonces. */
  readonly #over = new Map<Host, string>()
  readonly #asked = new Map<Host, Map<string, Question>>()
  /** Its life has ended in this step. */
  readonly #ends = new Set<Host>()

  /** What it was told is forgotten; perhaps it catches up before it is told again. */
  started(host: Host): void {
    this.#over.delete(host)
    this.#asked.delete(host)
    this.#ends.delete(host)
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
    asked.set(`${from.name} ${from.life} ${request}`, { from, request, end, over: false })
  }

  /** Told of more than its file holds: that life is over, and knows it from here on. */
  #recalled(host: Host, { about, saidAcked }: The<'RECALL'>): void {
    const file = host.disk?.file
    if (!file?.forgets || !sameIncarnation(file.incarnation, about)) return
    const last = Math.max(file.last.index, turnView(host)?.log.last ?? 0)
    // It may be told more than once.
    if (saidAcked <= last || this.#over.get(host) === about.nonce) return
    this.#over.set(host, about.nonce)
  }

  /** It has found out, by that or by a promise that it does not know of. */
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

  /** What the old life counted towards a majority is no answer of the new one. */
  #answers(from: Host, to: Host, request: number): void {
    const question = this.#answered(from, to, request)
    expect(!question?.over, 'P9', () => {
      return `${from.name} answers ${request} of ${to.name}, which it was asked in a life that is over`
    })
  }

  #answered(from: Host, to: Host, request: number): Question | undefined {
    const key = `${to.name} ${to.life} ${request}`
    const question = this.#asked.get(from)?.get(key)
    this.#asked.get(from)?.delete(key)
    return question
  }

  /** Who is owed an answer of the old life hears at once that there is none. */
  stepped(host: Host): void {
    if (!this.#ends.delete(host)) return
    const ends = new Set(host.ends.values())
    for (const { from, request, end, over } of this.#asked.get(host)?.values() ?? []) {
      const waits = over && end !== undefined && ends.has(end)
      expect(!waits, 'P9', () => {
        return `${host.name}'s life is over, and ${from.name} still waits for its answer ${request}`
      })
    }
  }
}
