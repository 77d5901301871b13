// P7 rests on this: a replica that hears that it lacks entries or a commit takes them up or asks
// for them, and continues where it had got to. Later traffic mostly makes up for a breach, so the
// end of a run shows little of it.

import { sameBytes } from '../../../protocol/bytes.js'
import { lastOf } from '../../../protocol/entries/batch.js'
import { sameEpoch, type Epoch } from '../../../protocol/entries/epoch.js'
import type { Transaction } from '../../../protocol/machine/storage.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'
import { PerBoot } from './per-boot.js'
import type { Neighbours } from './neighbours.js'

/** What one replica has heard and asked in its present boot. */
interface Asking {
  /** JOINs since the last PULL, while the replica knew that it lacked committed entries. */
  joins: number
  pulled: boolean
  /**
   * The id of the last PULL that was answered, its stretch, and how often in a row that stretch
   * came.
   */
  id: number
  stretch: string
  times: number
  /** The highest index that members of the same view said to be committed, in this step. */
  told: number
}

/** A stretch comes again where the replica gave up its PULL meanwhile. */
const MAX_REPEATS = 6
/** The second JOIN may be sent while a PULL still waits for its answer. */
const MAX_JOINS = 2

export class CatchUpCheck implements Check {
  readonly #perBoot = new PerBoot<Asking>(() => ({
    ...{ joins: 0, pulled: false, id: 0, stretch: '', times: 0, told: 0 },
  }))
  readonly #begun = new Map<Disk, { readonly epoch: Epoch; readonly last: number }>()
  readonly #neighbours: Neighbours<'VIEW_HEARTBEAT'>

  constructor(neighbours: Neighbours<'VIEW_HEARTBEAT'>) {
    this.#neighbours = neighbours
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'PULL') this.#perBoot.of(from).pulled = true
    if (message.type !== 'JOIN') return
    const asking = this.#perBoot.of(from)
    const committed = this.#neighbours.of(from).get(to.slot)?.heartbeat.committed ?? 0
    const behind = committed > message.last
    asking.joins = behind && !asking.pulled ? asking.joins + 1 : 0
    asking.pulled = false
    expect(asking.joins < MAX_JOINS, 'P7', () => {
      const lacks = `ends at ${message.last}, and knows of ${committed}`
      return `${from.name} sends JOIN, ${lacks}, and pulls nothing`
    })
  }

  delivered(_from: Host, to: Host, message: Message): void {
    if (to.role !== 'persistence') return
    if (message.type === 'VIEW_HEARTBEAT') this.#heard(to, message)
    if (message.type === 'PULLED') this.#stretch(to, message)
  }

  #heard(to: Host, message: The<'VIEW_HEARTBEAT'>): void {
    const asking = this.#perBoot.of(to)
    const { status, installed, promised, committed } = message
    const view = turnView(to)!
    if (view.status !== 'normal') return
    const epoch = view.installedEpoch
    const together = sameEpoch(installed, epoch) && sameEpoch(promised, epoch)
    if (status === 'normal' && together) asking.told = committed
    const { members } = to.disk!.file!.view
    const everywhere = members.every(({ slot }) => {
      const other = this.#neighbours.of(to).get(slot)
      return slot === to.slot || (other && sameEpoch(other.heartbeat.installed, epoch))
    })
    const begun = this.#begun.get(to.disk!)
    if (everywhere && begun && sameEpoch(begun.epoch, epoch)) {
      asking.told = Math.max(asking.told, begun.last)
    }
  }

  /**
   * The end of the log with which a view begins: committed once all members have installed the
   * view.
   */
  written(disk: Disk, { view }: Transaction): void {
    if (view) this.#begun.set(disk, { epoch: view.epoch, last: disk.last.index })
  }

  /** A replica that is sent the same stretch again and again, and holds it, never gets further. */
  #stretch(to: Host, { id, common, batches }: The<'PULLED'>): void {
    const asking = this.#perBoot.of(to)
    if (id <= asking.id) return
    asking.id = id
    const last = batches.at(-1)
    const held = last && turnView(to)!.log.placeAt(lastOf(last))
    const known = held && last && sameBytes(held.chain, last.chain)
    const stretch = known && common ? `${common.index} to ${lastOf(last)}` : ''
    asking.times = stretch !== '' && stretch === asking.stretch ? asking.times + 1 : 0
    asking.stretch = stretch
    expect(asking.times < MAX_REPEATS, 'P7', () => {
      return `${to.name} pulls ${stretch}, which it holds, again and again`
    })
  }

  /**
   * An index that a member of the view has committed is committed here too, as far as the log
   * reaches.
   */
  stepped(host: Host): void {
    const asking = this.#perBoot.of(host)
    const { told } = asking
    if (told === 0) return
    asking.told = 0
    const { status, log } = turnView(host)!
    if (status !== 'normal') return
    const due = Math.min(told, log.last)
    expect(log.commit >= due, 'P7', () => {
      return `${host.name} can tell that ${due} is committed, and has committed ${log.commit}`
    })
  }
}
