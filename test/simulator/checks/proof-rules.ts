// Rules that the proofs of the invariants rest on, each under the invariant that falls where it is
// broken. They show at once what would else take a rare course of events to do harm.

import type { Entry } from '../../../protocol/entries/entry.js'
import {
  compareEpochs,
  formatEpoch,
  sameEpoch,
  type Epoch,
} from '../../../protocol/entries/epoch.js'
import type { WriteBatch } from '../../../protocol/machine/storage.js'
import {
  compareIncarnations,
  type Incarnation,
  type Member,
} from '../../../protocol/entries/incarnation.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { File } from '../file.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'

/** What a persistence replica has done in its present life as a process. */
interface Course {
  /** Epoch that it has promised to a proposer, itself perhaps. */
  promised: Epoch | null
  /** The last that it said it promises, while it waited for that view. */
  said: Epoch | null
  status: string
  last: number
  /** What REPLYs named as the end of their senders' logs, in this epoch. */
  named: { readonly epoch: Epoch; readonly last: number } | null
  /** It has been told to install this view, and will change its log. */
  installing: Epoch | null
}

const keyOf = ({ chain }: Entry): string => Buffer.from(chain).toString('latin1')

export class ProofRuleCheck implements Check {
  /** Of the ring. */
  readonly #slots: number
  readonly #disks: readonly Disk[]
  /** Any majority of the files that were there when a slot's process started knows of this life. */
  readonly #known = new Map<number, number>()
  readonly #courses = new Map<number, Course>()
  /** What sources had promised when they sent a stretch to who is outside a view: by slot, by its last entry. */
  readonly #pulled = new Map<number, Map<string, Epoch>>()
  /** Highest counter of a life of a slot that a view has let in. */
  readonly #lives = new Map<number, number>()
  /** Newest life of each slot that a file has recorded. */
  readonly #recorded = new WeakMap<File, Map<number, Incarnation>>()
  /** A stretch of the log that is being taken up in this step. */
  #stretch: The<'PULLED' | 'REPLICATE'> | null = null

  constructor(slots: number, disks: readonly Disk[]) {
    this.#slots = slots
    this.#disks = disks
  }

  #course(slot: number): Course {
    const known = this.#courses.get(slot) ?? {
      ...{ promised: null, said: null, status: '', last: 0, named: null, installing: null },
    }
    this.#courses.set(slot, known)
    return known
  }

  started(host: Host): void {
    if (host.role !== 'persistence') return
    this.#courses.delete(host.slot)
    this.#pulled.delete(host.slot)
    const others = this.#disks.filter(({ slot, file }) => slot !== host.slot && file?.voter)
    const recorded = others.map(({ file }) => file!.incarnations.get(host.slot))
    const counters = recorded.map((life) => life?.incarnation.counter ?? 1).sort((a, b) => a - b)
    this.#known.set(host.slot, counters[Math.floor(this.#disks.length / 2)] ?? 0)
  }

  written(disk: Disk, batch: WriteBatch): void {
    const { slot, durable, last } = disk
    this.#record(disk, batch.incarnations ?? [])
    if (batch.genesis) this.#begun(disk)
    else if (batch.view) this.#installed(disk, batch.view.epoch)
    else if (batch.promised && !batch.entries) this.#course(slot).promised = batch.promised
    if (batch.promised && batch.entries) this.#caughtUp(disk, batch.promised)
    const { entry } = last
    if (!entry) return
    expect(compareEpochs(entry.epoch, durable.promised) <= 0, 'P4', () => {
      const promised = formatEpoch(durable.promised)
      return `s${slot} has promised ${promised} and holds an entry of ${formatEpoch(entry.epoch)}`
    })
  }

  /** P9: of two lives of a slot one is the newer for everybody, and for good. */
  #record({ slot, file }: Disk, members: readonly Member[]): void {
    const recorded = this.#recorded.get(file!) ?? new Map<number, Incarnation>()
    this.#recorded.set(file!, recorded)
    for (const { slot: of, incarnation } of members) {
      const known = recorded.get(of)
      expect(!known || compareIncarnations(incarnation, known) >= 0, 'P9', () => {
        const [life, before] = [incarnation, known!].map(({ counter, nonce }) => counter + nonce)
        return `s${slot} records life ${life} of s${of} in place of ${before}`
      })
      recorded.set(of, incarnation)
    }
  }

  /** P9: no life has the number of one that voted. */
  #begun({ slot, file }: Disk): void {
    const { counter } = file!.incarnation
    const before = this.#lives.get(slot) ?? 1
    expect(counter > before, 'P9', () => `s${slot} takes up life ${counter} after ${before}`)
    const known = this.#known.get(slot) ?? 0
    expect(counter > known, 'P9', () => {
      return `s${slot} takes up life ${counter}; any majority that it asked has recorded ${known}`
    })
  }

  /** P8: INSTALL is for members that promised in this life, and have not given the view up. */
  #installed({ slot, file }: Disk, epoch: Epoch): void {
    const { members } = file!.view
    const { counter, nonce } = file!.incarnation
    const named = members.some(
      ({ slot: member, incarnation }) =>
        member === slot && incarnation.counter === counter && incarnation.nonce === nonce,
    )
    expect(named, 'P8', () => `s${slot} installs ${formatEpoch(epoch)}, which does not name it`)
    this.#lives.set(slot, counter)
    const { promised } = this.#course(slot)
    expect(promised !== null && sameEpoch(promised, epoch), 'P8', () => {
      return `s${slot} installs ${formatEpoch(epoch)}, which it has not promised since it started`
    })
  }

  /** P3: who takes up what a source has committed promises what the source had promised. */
  #caughtUp({ slot, last }: Disk, promised: Epoch): void {
    const source = this.#pulled.get(slot)?.get(last.entry ? keyOf(last.entry) : '')
    expect(!source || compareEpochs(promised, source) >= 0, 'P3', () => {
      const of = `its source's ${formatEpoch(source!)}`
      return `s${slot} catches up with a promise of ${formatEpoch(promised)}, below ${of}`
    })
  }

  sent(from: Host, _to: Host, message: Message): void {
    switch (message.type) {
      case 'ELECTION': {
        const { hops } = message
        expect(
          hops <= 2 * this.#slots + 1,
          'C6',
          () => `${from.name} passes an id on that has gone ${hops} hops`,
        )
        return
      }
      case 'PROMISE':
        return this.#promises(from, message)
      case 'PULL': {
        const { status } = turnView(from)!
        const inView = status === 'changing' || status === 'normal'
        return expect(message.committedOnly || inView, 'P8', () => {
          return `${from.name} is ${status}, and pulls what is not committed`
        })
      }
      case 'RING_HEARTBEAT': {
        const { holds, newestTerm } = message
        expect(holds === 0 || holds === newestTerm, 'C1', () => {
          return `${from.name} holds term ${holds} and knows of ${newestTerm}`
        })
      }
    }
  }

  #promises(from: Host, { epoch }: The<'PROMISE'>): void {
    const course = this.#course(from.slot)
    const { installing, said } = course
    const installs = installing !== null && sameEpoch(installing, epoch)
    expect(!installs, 'P5', () => {
      return `${from.name} promises ${formatEpoch(epoch)} once more while it installs it`
    })
    const changing = turnView(from)!.status === 'changing'
    const again = said !== null && sameEpoch(said, epoch)
    expect(changing || !again, 'P8', () => {
      return `${from.name} promises ${formatEpoch(epoch)} once more, and has given it up`
    })
    if (changing) course.said = epoch
  }

  delivered(_from: Host, to: Host, message: Message): void {
    if (to.role !== 'persistence') return
    if (message.type === 'REPLY') this.#named(to.slot, message)
    if (message.type === 'INSTALL') this.#toInstall(to, message)
    if (message.type !== 'PULLED' && message.type !== 'REPLICATE') return
    this.#stretch = message
    const { status } = turnView(to)!
    if (message.type === 'REPLICATE' || (status !== 'outside' && status !== 'learner')) return
    const last = message.entries.at(-1)
    if (!last) return
    const pulled = this.#pulled.get(to.slot) ?? new Map<string, Epoch>()
    const [key, { promised }] = [keyOf(last), message]
    const known = pulled.get(key) ?? promised
    // Which of two sources it was the file does not say.
    pulled.set(key, compareEpochs(known, promised) < 0 ? known : promised)
    this.#pulled.set(to.slot, pulled)
  }

  #toInstall(to: Host, { epoch, members }: The<'INSTALL'>): void {
    const course = this.#course(to.slot)
    const { counter, nonce } = to.disk!.file?.incarnation ?? { counter: 0, nonce: '' }
    const named = members.some(
      ({ slot, incarnation }) =>
        slot === to.slot && incarnation.counter === counter && incarnation.nonce === nonce,
    )
    const promised = course.promised !== null && sameEpoch(course.promised, epoch)
    if (named && promised && course.status === 'changing') course.installing = epoch
  }

  #named(slot: number, { epoch, last }: The<'REPLY'>): void {
    const course = this.#course(slot)
    const { named } = course
    const before = named && sameEpoch(named.epoch, epoch) ? named.last : 0
    course.named = { epoch, last: Math.max(before, last) }
  }

  stepped(host: Host): void {
    const view = turnView(host)
    if (!view) return
    const { status, log, installedEpoch } = view
    const { last } = log
    const before = this.#course(host.slot)
    const enters = status === 'normal' && before.status !== 'normal'
    expect(!enters || before.status === 'changing', 'P8', () => {
      return `${host.name} was ${before.status} and is in a view`
    })
    const stays = status === 'normal' && before.status === 'normal'
    if (stays && last > before.last) {
      if (this.#stretch) this.#takenUp(host, installedEpoch, this.#stretch)
      else this.#appended(host, installedEpoch, before)
    }
    this.#stretch = null
    before.status = status
    before.last = last
  }

  /** P2: who holds the turn appends to all that there is. */
  #appended(host: Host, epoch: Epoch, { last, named }: Course): void {
    const enough = !named || !sameEpoch(named.epoch, epoch) || last >= named.last
    expect(enough, 'P2', () => `${host.name} appends after ${last}; a REPLY named ${named!.last}`)
  }

  /** P2: in a view the log is the view's. */
  #takenUp(
    host: Host,
    epoch: Epoch,
    { type, installed, promised }: The<'PULLED' | 'REPLICATE'>,
  ): void {
    const inView = sameEpoch(installed, epoch) && sameEpoch(promised, epoch)
    expect(inView, 'P2', () => {
      const from = `${formatEpoch(installed)}, promised ${formatEpoch(promised)}`
      return `${host.name} in ${formatEpoch(epoch)} takes up a ${type} of who is in ${from}`
    })
  }
}
