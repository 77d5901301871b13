// P2: logs of one view are prefixes of one another. P3: commit is final. Everything that says
// "committed" is held to P3: messages between replicas, the feed, answers, and the commit index on
// disk.

import { sameBytes } from '../../../protocol/bytes.js'
import { lastOf } from '../../../protocol/entries/batch.js'
import { encodeMeta } from '../../../protocol/entries/entry.js'
import { envelopeOf } from '../../../protocol/entries/message.js'
import { formatEpoch, sameEpoch, type Epoch } from '../../../protocol/entries/epoch.js'
import type { DurableState, Transaction } from '../../../protocol/machine/storage.js'
import { NO_FENCE } from '../../../protocol/entries/fence.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import { Violation, expect } from '../violation.js'
import { turnView, type Check } from './check.js'

/** Whether `low` is an ancestor of `high`, or `high` itself. */
function isPrefix(low: Node, high: Node): boolean {
  let at: Node | null = high
  while (at && at.index > low.index) at = at.parent
  return at === low
}

const appendKey = (host: Host, id: number): string => `${host.name}/${host.boot}/${id}`

export class LogCheck implements Check {
  readonly #history: History
  readonly #disks: readonly Disk[]
  /** Files whose log was changed by catch-up since their view was installed. */
  readonly #caughtUp = new Set<Disk>()
  /** APPENDs by their sender's boot and id, to look up what an APPENDED answers. */
  readonly #appends = new Map<string, The<'APPEND'>>()

  constructor(history: History, disks: readonly Disk[]) {
    this.#history = history
    this.#disks = disks
  }

  written(disk: Disk, transaction: Transaction, before: DurableState): void {
    const { file, last } = disk
    if (transaction.genesis) this.#caughtUp.delete(disk)
    if (transaction.view) this.#caughtUp.delete(disk)
    else if (this.#isCatchUp(transaction, before)) this.#caughtUp.add(disk)
    if (disk.voter) this.#mark(disk, transaction, before)
    if (transaction.view) this.#history.installed(transaction.view.epoch, last)
    if (transaction.commit !== undefined) {
      const node = file!.log[transaction.commit]
      const who = `s${disk.slot}'s file`
      if (!node)
        throw new Violation('P3', `${who}: commit ${transaction.commit} after ${last.index}`)
      this.#history.report(node, who)
    }
    if (transaction.batches || transaction.view) this.#comparePrefixes(disk)
  }

  #isCatchUp(transaction: Transaction, before: DurableState): boolean {
    if (transaction.truncateAfter !== undefined && transaction.truncateAfter < before.last)
      return true
    // Epochs never go down along the log, so the last entry decides.
    const last = transaction.batches?.at(-1)
    return last !== undefined && !sameEpoch(last.epoch, before.logView)
  }

  #mark(disk: Disk, transaction: Transaction, before: DurableState): void {
    const { log } = disk.file!
    const bit = 1 << disk.slot
    let from = Math.min(transaction.batches?.[0]?.first ?? Infinity, before.last + 1)
    // A learner that this view lets in counts with all entries that it holds.
    if (transaction.view) from = Math.min(from, this.#history.ledger.length)
    for (let i = Math.max(1, from); i < log.length; i++) log[i]!.holders |= bit
  }

  #comparePrefixes(disk: Disk): void {
    if (this.#caughtUp.has(disk)) return
    const { epoch } = disk.file!.view
    for (const other of this.#disks) {
      if (other === disk || !other.file || this.#caughtUp.has(other)) continue
      if (!sameEpoch(other.file.view.epoch, epoch)) continue
      const [low, high] = disk.last.index < other.last.index ? [disk, other] : [other, disk]
      expect(isPrefix(low.last, high.last), 'P2', () => {
        const at = `at ${low.last.index} and ${high.last.index}`
        return `s${low.slot} and s${high.slot} differ in ${formatEpoch(epoch)}, ${at}`
      })
    }
  }

  sent(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'APPEND':
        this.#appends.set(appendKey(from, message.id), message)
        return
      case 'REPLICATE':
        this.#join(message)
        return this.#claim(from, message.commit, message.installed)
      case 'COMMIT':
        return this.#claim(from, message.commit, message.installed)
      case 'PULLED':
      case 'PROMISE':
        return this.#claim(from, message.commit)
      case 'ACTIVE':
        return this.#claim(from, message.last, message.installed)
      case 'VIEW_HEARTBEAT':
        return this.#claim(from, message.committed)
      case 'STORE_HEARTBEAT':
        return this.#claim(from, message.committed)
      case 'BATCHES':
        return this.#feed(from, message)
      case 'READ_PAGE':
        return this.#page(from, message)
      case 'APPENDED':
        return this.#appended(from, to, message)
      case 'CLAIMED':
        return this.#claimed(from, message)
      case 'FENCED':
        return this.#fenced(from, message)
    }
  }

  #join(message: The<'REPLICATE'>): void {
    let at = message.previous.index === 0 ? this.#history.root : undefined
    at ??= this.#history.find(message.previous.chain)
    if (!at) throw new Violation('P3', `REPLICATE after an entry that nobody ever wrote`)
    for (const batch of message.batches) at = this.#history.add(batch, at)
  }

  /**
   * The sender says that `index` is committed, in its log as it will be once the queued writes are
   * done.
   */
  #claim(from: Host, index: number, epoch?: Epoch): void {
    const { ledger } = this.#history
    const disk = from.disk!
    if (!disk.ahead || disk.ahead.index < index) {
      // A replica may commit an entry that others hold and that it has not written yet, or cannot
      // write.
      const node = this.#history.durableAt(index)
      if (node) this.#history.report(node, from.name, epoch)
      return
    }
    if (!epoch && index < ledger.length && disk.file?.log[index] === ledger[index]) return
    let at = disk.ahead
    while (at.index > index) at = at.parent!
    this.#history.report(at, from.name, epoch)
  }

  #feed(from: Host, message: The<'BATCHES'>): void {
    const { last, commit } = turnView(from)!.log
    const end = Math.max(0, ...message.batches.map(lastOf))
    expect(end <= commit, 'P3', () => {
      return `${from.name} feeds entry ${end}; of ${last} it has committed ${commit}`
    })
    for (const batch of message.batches) {
      const node = this.#history.find(batch.chain)
      if (!node) throw new Violation('P3', `${from.name} feeds ${batch.first}, which nobody wrote`)
      this.#history.sameBodies(batch, node)
      this.#history.report(node, `${from.name}'s feed`)
    }
  }

  #page(from: Host, message: The<'READ_PAGE'>): void {
    const { ledger } = this.#history
    this.#claim(from, message.through)
    expect(message.through < ledger.length, 'P3', () => {
      return `${from.name} read through ${message.through}, committed is ${ledger.length - 1}`
    })
    for (const { index, meta, envelope, time } of message.messages) {
      const entry = ledger[index]?.entry
      const same =
        entry?.time === time &&
        sameBytes(encodeMeta(entry.meta), meta) &&
        sameBytes(envelopeOf(entry), envelope)
      expect(same, 'P3', () => {
        return `${from.name}'s page has another entry ${index} than the ledger`
      })
    }
  }

  /** APPENDED may be the first sign that its order is committed. */
  #appended(from: Host, to: Host, { id }: The<'APPENDED'>): void {
    const view = turnView(from)
    if (view) this.#claim(from, view.log.commit)
    const asked = this.#appends.get(appendKey(to, id))
    // Marks have no order. An answer to a boot that has ended reaches nobody.
    if (!asked || asked.term === 0) return
    const { term, k, head } = asked
    const { ledger } = this.#history
    const batch = ledger.findLast(({ entry }) => entry?.term === term && entry.k === k)?.batch
    expect(!!batch && sameBytes(batch.head, head), 'P3', () => {
      return `${from.name} says that ${term}/${k} is committed; it is not, or has another head`
    })
  }

  /** FENCED is sent after the newer TERM is committed, perhaps as the first sign of that. */
  /** An answer may be the first message that tells of a commit: COMMIT may wait for the tick. */
  #commits(from: Host): void {
    const view = turnView(from)
    if (view) this.#claim(from, view.log.commit)
  }

  #fenced(from: Host, message: The<'FENCED'>): void {
    this.#commits(from)
    const { term } = this.#history.committed.fence
    expect(message.term <= term, 'C1', () => {
      return `${from.name} says FENCED by ${message.term}; committed is term ${term}`
    })
  }

  #claimed(from: Host, message: The<'CLAIMED'>): void {
    this.#commits(from)
    if (message.outcome !== 'won') return
    this.#claim(from, message.index)
    const { term, owner } = this.#history.ledger[message.index]?.fence ?? NO_FENCE
    expect(
      term === message.term && owner?.nonce === message.nonce,
      'P3',
      () => `${from.name} says TERM ${message.term} is committed through ${message.index}`,
    )
  }
}
