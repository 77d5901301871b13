// P9: superseded incarnations and learners never count. The check finds anew, from what the
// proposer was sent, which promises count for an INSTALL.

import { sameBytes } from '../../../protocol/bytes.js'
import {
  compareEpochs,
  formatEpoch,
  sameEpoch,
  type Epoch,
} from '../../../protocol/entries/epoch.js'
import type { Transaction } from '../../../protocol/machine/storage.js'
import type { Place } from '../../../protocol/entries/place.js'
import {
  compareIncarnations,
  sameIncarnation,
  type Incarnation,
  type Member,
} from '../../../protocol/entries/incarnation.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { LogFields } from '../coverage/reach.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

interface Promised {
  readonly slot: number
  readonly incarnation: Incarnation
  readonly logView: Epoch
  readonly last: Place
  readonly incarnations: readonly Member[]
  readonly learner: boolean
}

/** The promises that a proposer has for one epoch, in the order in which they came. */
interface Ballot {
  readonly promises: Promised[]
  /** The incarnations that its PREPARE named. */
  named: readonly Member[]
  installed: boolean
}

const has = (members: readonly Member[], slot: number, incarnation: Incarnation): boolean =>
  members.some((member) => member.slot === slot && sameIncarnation(member.incarnation, incarnation))

/** The promises that count. */
function counted(hand: readonly Promised[]): Promised[] {
  const superseded = ({ slot, incarnation }: Promised): boolean =>
    hand.some(({ incarnations }) =>
      incarnations.some(
        (known) => known.slot === slot && compareIncarnations(known.incarnation, incarnation) > 0,
      ),
    )
  return hand.filter((promised) => !promised.learner && !superseded(promised))
}

/** Milliseconds. A slot whose promise did not count is left out for longer than this. */
const AT_ONCE_MS = 1_000

export class PromiseCheck implements Check {
  readonly #majority: number
  readonly #ballots = new Map<string, Ballot>()
  /** Slots whose promises did not count where too few were left, and when, by proposer. */
  readonly #idle = new Map<number, { readonly slots: readonly number[]; readonly at: number }>()

  constructor(slots: number) {
    this.#majority = Math.floor(slots / 2) + 1
  }

  started(host: Host): void {
    if (host.role === 'persistence') this.#idle.delete(host.slot)
  }

  #ballot(epoch: Epoch): Ballot {
    const key = formatEpoch(epoch)
    const known = this.#ballots.get(key)
    if (known) return known
    const ballot: Ballot = { promises: [], named: [], installed: false }
    this.#ballots.set(key, ballot)
    return ballot
  }

  /** The proposer's promise to itself, which only its file shows. */
  written(disk: Disk, batch: Transaction): void {
    const { promised } = batch
    if (promised?.slot !== disk.slot || batch.view) return
    const { incarnation, incarnations } = disk.file!
    const own = this.#ballot(promised).promises.find(({ slot }) => slot === disk.slot)
    if (own && sameIncarnation(own.incarnation, incarnation)) return
    // An incarnation whose PREPARE nobody heard took its epoch with it: the next one may choose it
    // again.
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
    if (message.type !== 'PROMISE' || to.slot !== message.epoch.slot) return
    const { promises } = this.#ballot(message.epoch)
    const again = promises.some(({ slot }) => slot === from.slot)
    if (!again) promises.push({ ...message, slot: from.slot })
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (message.type === 'ASK') this.#asks(from, message)
    else if (message.type === 'PREPARE') this.#ballot(message.epoch).named = message.incarnations
    else if (message.type === 'INSTALL') this.#install(from, message)
  }

  /** Too few promises counted: remembers which ones did not. */
  logged({ slot, steppedAt: at }: Host, event: string, { epoch, reason }: LogFields): void {
    if (event !== 'view-proposal-failed' || reason !== 'no majority promised') return
    const promises = this.#ballots.get(String(epoch))?.promises ?? []
    const votes = counted(promises)
    const idle = promises.filter((one) => one.slot !== slot && !votes.includes(one))
    this.#idle.set(slot, { slots: idle.map((one) => one.slot), at })
  }

  /** P7: the same members would fail again, while others whose promises count may be there. */
  #asks(from: Host, { members }: The<'ASK'>): void {
    const idle = this.#idle.get(from.slot)
    if (!idle || from.steppedAt - idle.at > AT_ONCE_MS) return
    const again = idle.slots.find((slot) => members.includes(slot))
    expect(again === undefined, 'P7', () => {
      return `${from.name} proposes s${again} again at once, whose promise did not count`
    })
  }

  /** A view rests on the promises that came up to some moment; later ones are for the next view. */
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
      const promised = hand.find(
        (one) => one.slot === slot && sameIncarnation(one.incarnation, incarnation),
      )
      const letIn = promised?.learner && has(named, slot, incarnation)
      return !promised || !(votes.includes(promised) || letIn)
    })
    return stranger ? `s${stranger.slot} is no member` : ''
  }
}
