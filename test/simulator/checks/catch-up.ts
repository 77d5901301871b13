// What P7 rests on: who hears that it lacks something takes it up or asks for it, and goes on where it
// had got to. Where that fails, later traffic mostly makes up for it: a run that comes to rest in time
// shows little.

import { sameBytes } from '../../../protocol/bytes.js'
import { sameEpoch, type Epoch } from '../../../protocol/entries/epoch.js'
import type { WriteBatch } from '../../../protocol/machine/storage.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'
import { PerBoot } from './per-boot.js'
import type { Neighbours } from './neighbours.js'

/** What one replica has heard and asked in its present life as a process. */
interface Asking {
  /** JOINs since the last PULL, of one that knew itself behind. */
  joins: number
  pulled: boolean
  /** The last PULL that was answered, with what stretch, and how often in a row with the same. */
  id: number
  stretch: string
  times: number
  /** By what members of the same view have said, so much is committed; of this step. */
  told: number
}

/** A stretch may come again where what was asked for was given up meanwhile. */
const MAX_REPEATS = 6
/** The second JOIN may go out while a PULL is still waited for. */
const MAX_JOINS = 2

export class CatchUpCheck implements Check {
  readonly #perBoot = new PerBoot<Asking>(() => ({
    ...{ joins: 0, pulled: false, id: 0, stretch: '', times: 0, told: 0 },
  }))
  readonly #begun = new Map<Disk, { readonly epoch: Epoch; readonly last: number }>()
  readonly #neighbours: Neighbours

  constructor(neighbours: Neighbours) {
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
      return `${from.name} asks to be taken in, ${lacks}, and asks nobody for the rest`
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

  /** Where the log of a view ended as it was installed: committed, once all its members have it. */
  written(disk: Disk, { view }: WriteBatch): void {
    if (view) this.#begun.set(disk, { epoch: view.epoch, last: disk.last.index })
  }

  /** The same stretch again and again, to one that has it: it never gets further. */
  #stretch(to: Host, { id, common, entries }: The<'PULLED'>): void {
    const asking = this.#perBoot.of(to)
    if (id <= asking.id) return
    asking.id = id
    const last = entries.at(-1)
    const held = last && turnView(to)!.log.placeAt(last.index)
    const known = held && last && sameBytes(held.chain, last.chain)
    const stretch = known && common ? `${common.index} to ${last.index}` : ''
    asking.times = stretch !== '' && stretch === asking.stretch ? asking.times + 1 : 0
    asking.stretch = stretch
    expect(asking.times < MAX_REPEATS, 'P7', () => {
      return `${to.name} pulls ${stretch}, which it holds, again and again`
    })
  }

  /** What a member of the view has committed is committed here as far as the log reaches. */
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
