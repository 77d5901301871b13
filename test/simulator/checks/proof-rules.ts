// Rules that the proofs of the invariants rest on, each reported under the invariant that it
// protects. A breach shows at once, where the invariant itself would fail only after a rare course
// of events.

import {
  compareEpochs,
  formatEpoch,
  sameEpoch,
  type Epoch,
} from '../../../protocol/entries/epoch.js'
import type { Transaction } from '../../../protocol/machine/storage.js'
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

/** The course of a persistence replica in its present boot. */
interface Course {
  /** Epoch that the replica has promised to a proposer, perhaps itself. */
  promised: Epoch | null
  /** The last epoch of a PROMISE that the replica sent while it waited for that view. */
  said: Epoch | null
  status: string
  last: number
  /** The highest end of a log that a REPLY named in this epoch. */
  named: { readonly epoch: Epoch; readonly last: number } | null
  /** The view that the replica was told to install, for which it will change its log. */
  installing: Epoch | null
}

const keyOf = ({ chain }: { readonly chain: Uint8Array | null }): string =>
  Buffer.from(chain ?? []).toString('latin1')

export class ProofRuleCheck implements Check {
  /** Number of replicas in the ring. */
  readonly #slots: number
  readonly #disks: readonly Disk[]
  /**
   * By slot: the incarnation counter that any majority of the files knew when the slot's process
   * started.
   */
  readonly #known = new Map<number, number>()
  readonly #courses = new Map<number, Course>()
  /**
   * Promises of sources when they sent a stretch to a replica outside a view: by slot, then by last
   * entry.
   */
  readonly #pulled = new Map<number, Map<string, Epoch>>()
  /** Highest incarnation counter of each slot that a view has let in. */
  readonly #letIn = new Map<number, number>()
  /** Newest incarnation of each slot that a file has recorded. */
  readonly #recorded = new WeakMap<File, Map<number, Incarnation>>()
  /** The stretch of the log that is being taken up in this step. */
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
    const counters = recorded
      .map((member) => member?.incarnation.counter ?? 1)
      .sort((a, b) => a - b)
    this.#known.set(host.slot, counters[Math.floor(this.#disks.length / 2)] ?? 0)
  }

  written(disk: Disk, transaction: Transaction): void {
    const { slot, durable, last } = disk
    this.#record(disk, transaction.incarnations ?? [])
    if (transaction.genesis) this.#begun(disk)
    else if (transaction.view) this.#installed(disk, transaction.view.epoch)
    else if (transaction.promised && !transaction.batches)
      this.#course(slot).promised = transaction.promised
    if (transaction.promised && transaction.batches) this.#caughtUp(disk, transaction.promised)
    const { batch } = last
    if (!batch) return
    expect(compareEpochs(batch.epoch, durable.promised) <= 0, 'P4', () => {
      const promised = formatEpoch(durable.promised)
      return `s${slot} has promised ${promised} and holds an entry of ${formatEpoch(batch.epoch)}`
    })
  }

  /** P9: of two incarnations of a slot every file keeps the newer one. */
  #record({ slot, file }: Disk, members: readonly Member[]): void {
    const recorded = this.#recorded.get(file!) ?? new Map<number, Incarnation>()
    this.#recorded.set(file!, recorded)
    for (const { slot: of, incarnation } of members) {
      const known = recorded.get(of)
      expect(!known || compareIncarnations(incarnation, known) >= 0, 'P9', () => {
        const [member, before] = [incarnation, known!].map(({ counter, nonce }) => counter + nonce)
        return `s${slot} records incarnation ${member} of s${of} in place of ${before}`
      })
      recorded.set(of, incarnation)
    }
  }

  /** P9: no incarnation has the counter of one that voted. */
  #begun({ slot, file }: Disk): void {
    const { counter } = file!.incarnation
    const before = this.#letIn.get(slot) ?? 1
    expect(counter > before, 'P9', () => `s${slot} takes up incarnation ${counter} after ${before}`)
    const known = this.#known.get(slot) ?? 0
    expect(counter > known, 'P9', () => {
      return `s${slot} takes up incarnation ${counter}; any majority that it asked has recorded ${known}`
    })
  }

  /**
   * P8: a replica installs a view that names it, that it promised in this boot and has not given
   * up.
   */
  #installed({ slot, file }: Disk, epoch: Epoch): void {
    const { members } = file!.view
    const { counter, nonce } = file!.incarnation
    const named = members.some(
      ({ slot: member, incarnation }) =>
        member === slot && incarnation.counter === counter && incarnation.nonce === nonce,
    )
    expect(named, 'P8', () => `s${slot} installs ${formatEpoch(epoch)}, which does not name it`)
    this.#letIn.set(slot, counter)
    const { promised } = this.#course(slot)
    expect(promised !== null && sameEpoch(promised, epoch), 'P8', () => {
      return `s${slot} installs ${formatEpoch(epoch)}, which it has not promised since it started`
    })
  }

  /**
   * P3: a replica that takes up a source's committed entries promises what the source had promised.
   */
  #caughtUp({ slot, last }: Disk, promised: Epoch): void {
    const source = this.#pulled.get(slot)?.get(last.entry ? keyOf(last) : '')
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
          () => `${from.name} passes on an id that has gone ${hops} hops`,
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
    const last = message.batches.at(-1)
    if (!last) return
    const pulled = this.#pulled.get(to.slot) ?? new Map<string, Epoch>()
    const [key, { promised }] = [keyOf(last), message]
    const known = pulled.get(key) ?? promised
    // The file does not say which of two sources it came from.
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
      return `${host.name} enters a view from status ${before.status}`
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

  /** P2: the holder of the turn appends after all entries that REPLYs named. */
  #appended(host: Host, epoch: Epoch, { last, named }: Course): void {
    const enough = !named || !sameEpoch(named.epoch, epoch) || last >= named.last
    expect(enough, 'P2', () => `${host.name} appends after ${last}; a REPLY named ${named!.last}`)
  }

  /** P2: a replica in a view takes up entries from that view alone. */
  #takenUp(
    host: Host,
    epoch: Epoch,
    { type, installed, promised }: The<'PULLED' | 'REPLICATE'>,
  ): void {
    const inView = sameEpoch(installed, epoch) && sameEpoch(promised, epoch)
    expect(inView, 'P2', () => {
      const from = `${formatEpoch(installed)}, promised ${formatEpoch(promised)}`
      return `${host.name} in ${formatEpoch(epoch)} takes up a ${type} of a replica in ${from}`
    })
  }
}
