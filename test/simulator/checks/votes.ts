// P9: superseded incarnations and learners never count. Which promises count for an INSTALL is found
// anew from what the proposer was sent, and which answers count for a read from who sent them.

import { sameBytes } from '../../../protocol/log/entry.js'
import { compareEpochs, formatEpoch, sameEpoch, type Epoch } from '../../../protocol/log/epoch.js'
import {
  compareIncarnations,
  type Incarnation,
  type Member,
  type Place,
  type WriteBatch,
} from '../../../protocol/log/storage.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'

interface Promised {
  readonly slot: number
  readonly incarnation: Incarnation
  readonly logView: Epoch
  readonly last: Place
  readonly incarnations: readonly Member[]
  readonly learner: boolean
}

/** What a proposer has in hand of one epoch, in the order in which it came. */
interface Ballot {
  readonly promises: Promised[]
  /** What its PREPARE named. */
  named: readonly Member[]
  installed: boolean
}

const same = (a: Incarnation, b: Incarnation): boolean =>
  a.counter === b.counter && a.nonce === b.nonce

const has = (members: readonly Member[], slot: number, incarnation: Incarnation): boolean =>
  members.some((member) => member.slot === slot && same(member.incarnation, incarnation))

/** Of those promises that count. */
function counted(hand: readonly Promised[]): Promised[] {
  const superseded = ({ slot, incarnation }: Promised): boolean =>
    hand.some(({ incarnations }) =>
      incarnations.some(
        (known) => known.slot === slot && compareIncarnations(known.incarnation, incarnation) > 0,
      ),
    )
  return hand.filter((promised) => !promised.learner && !superseded(promised))
}

export class VoteCheck implements Check {
  readonly #majority: number
  readonly #ballots = new Map<string, Ballot>()
  /** By slot: a life that has been told, in this process, that its file was put back. */
  readonly #over = new Map<number, string>()
  /** Questions that each store was asked, as asker and number, and those of a life that is over. */
  readonly #asked = new Map<number, Set<string>>()
  readonly #vain = new Set<string>()

  constructor(slots: number) {
    this.#majority = Math.floor(slots / 2) + 1
  }

  /** What it was told is forgotten; perhaps it catches up before it is told again. */
  started(host: Host): void {
    if (host.role !== 'persistence') return
    this.#over.delete(host.slot)
    this.#asked.delete(host.slot)
    for (const one of this.#vain) if (one.startsWith(`${host.name} `)) this.#vain.delete(one)
  }

  #ballot(epoch: Epoch): Ballot {
    const key = formatEpoch(epoch)
    const known = this.#ballots.get(key)
    if (known) return known
    const ballot: Ballot = { promises: [], named: [], installed: false }
    this.#ballots.set(key, ballot)
    return ballot
  }

  /** The proposer's promise to itself, as its file has it. */
  written(disk: Disk, batch: WriteBatch): void {
    const { promised } = batch
    if (promised?.slot !== disk.slot || batch.view) return
    const { incarnation, incarnations } = disk.file!
    const own = this.#ballot(promised).promises.find(({ slot }) => slot === disk.slot)
    if (own && same(own.incarnation, incarnation)) return
    // A life whose PREPARE nobody had heard has taken its epoch with it: the next may choose it again.
    if (own) this.#ballots.delete(formatEpoch(promised))
    const ballot = this.#ballot(promised)
    const { logView, last: index, chain } = disk.durable
    ballot.named = [...incarnations.values()]
    ballot.promises.push({
      slot: disk.slot,
      incarnation,
      logView,
      last: { index, chain },
      incarnations: ballot.named,
      learner: !disk.voter,
    })
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'RECALL') return this.#recalled(to, message)
    if (message.type === 'READ' || message.type === 'TIP') return this.#question(from, to, message)
    if (message.type !== 'PROMISE' || to.slot !== message.epoch.slot) return
    const { promises } = this.#ballot(message.epoch)
    const again = promises.some(({ slot }) => slot === from.slot)
    if (!again) promises.push({ ...message, slot: from.slot })
  }

  #question(from: Host, to: Host, { request }: The<'READ' | 'TIP'>): void {
    const question = `${from.name} ${from.life} ${request}`
    const asked = this.#asked.get(to.slot) ?? new Set()
    this.#asked.set(to.slot, asked.add(question))
    // Asked once more, of the new life perhaps.
    this.#vain.delete(`${to.name} ${question}`)
  }

  sent(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'PREPARE':
        this.#ballot(message.epoch).named = message.incarnations
        return this.#votes(from, message)
      case 'INSTALL':
        return this.#install(from, message)
      case 'PROMISE':
      case 'LAST_IS':
      case 'YOU_ARE':
        return message.learner ? undefined : this.#votes(from, message)
      case 'ACK':
        return this.#votes(from, message)
      case 'NOT_YET':
        return void this.#answered(from, to, message.request)
      case 'READ_PAGE':
      case 'TIP_IS':
        return this.#answers(from, to, message.request)
    }
  }

  /** What the old life counted towards a majority is no answer of the new one. */
  #answers(from: Host, to: Host, request: number): void {
    const vain = this.#answered(from, to, request)
    expect(!vain, 'P9', () => {
      return `${from.name} answers ${request} of ${to.name}, which it was asked in a life that is over`
    })
  }

  /** True: it was asked in a life that is over. */
  #answered(from: Host, to: Host, request: number): boolean {
    const question = `${to.name} ${to.life} ${request}`
    this.#asked.get(from.slot)?.delete(question)
    return this.#vain.delete(`${from.name} ${question}`)
  }

  /** Told of more than its file holds: that life is over, and knows it from here on. */
  #recalled(host: Host, { about, saidAcked }: The<'RECALL'>): void {
    const file = host.disk?.file
    if (!file?.forgets || !same(file.incarnation, about)) return
    const last = Math.max(file.last.index, turnView(host)?.log.last ?? 0)
    // It may be told more than once.
    if (saidAcked <= last || this.#over.get(host.slot) === about.nonce) return
    this.#over.set(host.slot, about.nonce)
    for (const one of this.#asked.get(host.slot) ?? []) this.#vain.add(`${host.name} ${one}`)
  }

  /** Only a voter speaks as one, and none whose life is over. */
  #votes(from: Host, { type, incarnation }: Extract<Message, { incarnation: Incarnation }>): void {
    const { file, voter } = from.disk!
    const own = voter && same(file!.incarnation, incarnation)
    const counts = own && this.#over.get(from.slot) !== incarnation.nonce
    expect(counts, 'P9', () => `${from.name} says ${type} as a voter, as ${incarnation.counter}`)
  }

  /** Late promises are for the next view: it rests on those that came before some moment. */
  #install(from: Host, message: The<'INSTALL'>): void {
    const { promises, named, installed } = this.#ballot(message.epoch)
    if (installed) return
    this.#ballot(message.epoch).installed = true
    const problems = promises.map((_, i) => this.#problem(message, promises.slice(0, i + 1), named))
    expect(problems.includes(''), 'P9', () => {
      const epoch = formatEpoch(message.epoch)
      return `${from.name} installs ${epoch}: ${problems.at(-1) ?? 'nobody promised'}`
    })
  }

  #problem(message: The<'INSTALL'>, hand: readonly Promised[], named: readonly Member[]): string {
    const { members, last } = message
    const votes = counted(hand)
    if (votes.length < this.#majority) return `${votes.length} promises count`
    const newest = votes.reduce((a, b) =>
      (compareEpochs(a.logView, b.logView) || a.last.index - b.last.index) >= 0 ? a : b,
    )
    const chosen = votes.some(
      (vote) =>
        sameEpoch(vote.logView, newest.logView) &&
        vote.last.index === newest.last.index &&
        vote.last.index === last.index &&
        sameBytes(vote.last.chain, last.chain),
    )
    if (!chosen) return `its log ends at ${last.index}; s${newest.slot}'s should have been taken`
    const stranger = members.find(({ slot, incarnation }) => {
      const promised = hand.find((one) => one.slot === slot && same(one.incarnation, incarnation))
      const letIn = promised?.learner && has(named, slot, incarnation)
      return !promised || !(votes.includes(promised) || letIn)
    })
    return stranger ? `s${stranger.slot} is no member` : ''
  }
}
