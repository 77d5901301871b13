// The contents of one persistence replica's file: the state beside the log, and the log as a path
// through the history. Transactions, queries, and what a replica reads when it starts.

import {
  lacks,
  metasOf,
  weighBatch,
  without,
  withoutMessages,
  type Batch,
} from '../../protocol/entries/batch.js'
import { decodeDrop, drops, isDrop } from '../../protocol/entries/drop.js'
import { KIND, encodeMeta, weigh } from '../../protocol/entries/entry.js'
import { envelopeOf } from '../../protocol/entries/message.js'
import { EPOCH_ZERO, type Epoch } from '../../protocol/entries/epoch.js'
import type {
  DurableState,
  Genesis,
  ReadQuery,
  ReadResult,
  Recovered,
  TailBounds,
  Remembered,
  StoredMessage,
  Transaction,
} from '../../protocol/machine/storage.js'
import type { Incarnation, Member, View } from '../../protocol/entries/incarnation.js'
import { NO_FENCE } from '../../protocol/entries/fence.js'
import type { History, Node } from './history.js'
import { expect } from './violation.js'

export class File {
  readonly slot: number
  genesis: Genesis
  incarnation: Incarnation
  promised: Epoch = EPOCH_ZERO
  view: View = { epoch: EPOCH_ZERO, members: [] }
  incarnations = new Map<number, Member>()
  remembered = new Map<string, Remembered>()
  /** Nodes by index; [0] is the place before entry 1. */
  log: Node[]
  commit = 0
  /**
   * The file was put back to an earlier state, under the incarnation of that time, and no view has
   * let it in since.
   */
  forgets = false
  /** Indices of entries that do not read back as they were written. */
  flipped = new Set<number>()
  /** Indices of messages without their bodies. */
  erased = new Set<number>()
  /** DROP entries up to this index are carried out. */
  dropped = 0

  constructor(slot: number, genesis: Genesis, incarnation: Incarnation, root: Node) {
    this.slot = slot
    this.genesis = genesis
    this.incarnation = incarnation
    this.log = [root]
  }

  copy(): File {
    const { incarnations, remembered, log, flipped, erased: without } = this
    return Object.assign(new File(this.slot, this.genesis, this.incarnation, log[0]!), this, {
      incarnations: new Map(incarnations),
      remembered: new Map(remembered),
      log: [...log],
      flipped: new Set(flipped),
      erased: new Set(without),
    })
  }

  get last(): Node {
    return this.log.at(-1)!
  }

  get durable(): DurableState {
    const { promised, view, last, commit } = this
    return { promised, logView: view.epoch, last: last.index, chain: last.chain!, commit }
  }

  /**
   * The replica counts towards a majority: it has had its file from genesis, or a view has let it
   * in.
   */
  get voter(): boolean {
    const { counter } = this.incarnation
    if (counter === 1) return true
    return this.view.members.some((m) => m.slot === this.slot && m.incarnation.counter === counter)
  }

  /** Carries out one transaction. */
  change(transaction: Transaction, history: History): void {
    if (transaction.promised) this.promised = transaction.promised
    for (const member of transaction.incarnations ?? []) this.incarnations.set(member.slot, member)
    if (transaction.truncateAfter !== undefined) this.#truncate(transaction.truncateAfter)
    for (const batch of transaction.batches ?? []) this.#append(batch, history)
    if (transaction.commit !== undefined) this.commit = Math.max(this.commit, transaction.commit)
    this.#erase(transaction.erase ?? [])
    if (transaction.view) {
      this.view = transaction.view
      this.forgets = false
    }
    for (const said of transaction.remembered ?? []) {
      const { counter, nonce } = said.incarnation
      this.remembered.set(`${said.slot} ${counter} ${nonce}`, said)
    }
  }

  #append(batch: Batch, history: History): void {
    const { last } = this
    expect(batch.first === last.index + 1, 'disk', () => `s${this.slot} writes ${batch.first}`)
    const added: Node[] = []
    for (let at = history.add(batch, last); at !== last; at = at.parent!) added.push(at)
    this.log.push(...added.reverse())
    for (const [place, { index }] of metasOf(batch).entries())
      if (lacks(batch, place)) this.erased.add(index)
  }

  #truncate(after: number): void {
    if (after >= this.last.index) return
    this.log = this.log.slice(0, after + 1)
    expect(this.last.chain !== null, 'disk', () => `s${this.slot} keeps half a batch, to ${after}`)
    for (const at of this.flipped) if (at > after) this.flipped.delete(at)
  }

  #erase(batch: NonNullable<Transaction['erase']>): void {
    for (const drop of batch) {
      expect(drop.index <= this.commit, 'P3', () => `s${this.slot}: DROP ${drop.index} too early`)
      for (const index of drop.indices) {
        const { entry } = this.log[index]!
        if (entry && drops(drop, entry)) this.erased.add(index)
      }
      this.dropped = drop.index
    }
  }

  /** The batch as it reads back. */
  #stored({ batch }: Node): Batch {
    return without(batch!, ({ index }) => this.erased.has(index))
  }

  /** Whether a batch that ends at this node reads back as it was written. */
  #reads({ batch, index }: Node): boolean {
    return ![...this.flipped].some((at) => at >= batch!.first && at <= index)
  }

  /**
   * The answer to a query; null: damage was found. Each batch is verified as it is read, by the
   * chain before it.
   */
  answer(query: ReadQuery): ReadResult | null {
    switch (query.kind) {
      case 'places':
        return {
          kind: 'places',
          places: query.indices.flatMap((index) => {
            const chain = this.log[index]?.chain
            return chain && index > 0 ? [{ index, chain }] : []
          }),
        }
      case 'batches':
        return this.#batches(query)
      case 'mailbox':
        return this.#mailbox(query)
      case 'time':
        return { kind: 'time', index: this.#before(query.time) }
    }
  }

  /** The last entry before the first order that is not older; marks are no orders. */
  #before(time: number): number {
    const first = this.log.find(({ entry }) => entry && entry.term > 0 && entry.time >= time)
    return first ? first.index - first.entry!.place - 1 : this.last.index
  }

  #batches(query: Extract<ReadQuery, { kind: 'batches' }>): ReadResult | null {
    const batches: Batch[] = []
    let [room, entries] = [query.maxBytes, 0]
    for (const node of this.log.slice(query.after + 1)) {
      if (node.chain === null) continue
      const stored = this.#stored(node)
      const batch = query.lean ? withoutMessages(stored) : stored
      room -= weighBatch(batch)
      entries += node.index - batch.first + 1
      if (batches.length > 0 && (room < 0 || entries > query.limit)) break
      if (!this.#reads(node)) return null
      batches.push(batch)
    }
    return { kind: 'batches', batches }
  }

  #mailbox(query: Extract<ReadQuery, { kind: 'mailbox' }>): ReadResult | null {
    const messages: StoredMessage[] = []
    let room = query.maxBytes
    for (const { index, entry } of this.log.slice(query.after + 1, query.through + 1)) {
      const { meta, time, bodyBytes } = entry!
      if (meta.kind !== KIND.message || meta.mailbox !== query.mailbox) continue
      if (this.erased.has(index) || query.without.includes(index)) continue
      const encoded = encodeMeta(meta)
      room -= weigh(encoded.length, bodyBytes)
      const fits = messages.length < query.limit && (room >= 0 || messages.length === 0)
      if (!fits) return { kind: 'mailbox', messages, more: true }
      let end = index
      while (this.log[end]!.chain === null) end++
      if (!this.#reads(this.log[end]!)) return null
      messages.push({ index, time, meta: encoded, envelope: envelopeOf(entry!) })
    }
    return { kind: 'mailbox', messages, more: false }
  }

  /** What a replica finds at its start; null: the part that it reads is damaged. */
  recovered(bounds: TailBounds): Recovered | null {
    const { genesis, incarnation, durable, view, log, last, commit } = this
    const after = Math.max(0, Math.min(commit, last.index - bounds.entries))
    let tail = log.slice(after + 1).filter(({ chain }) => chain !== null)
    let bytes = 0
    const weights = tail.map((node) => weighBatch(this.#stored(node)))
    const start = weights.findLastIndex((weight) => (bytes += weight) > bounds.bytes)
    tail = tail.filter(({ index }, i) => i > start || index > commit)
    if (!tail.every((node) => this.#reads(node))) return null
    return {
      genesis,
      incarnation,
      durable,
      view,
      incarnations: [...this.incarnations.values()],
      remembered: [...this.remembered.values()],
      lamport: last.lamport,
      tail: tail.map((node) => this.#stored(node)),
      fence: log[commit]?.fence ?? NO_FENCE,
      drops: log
        .slice(this.dropped + 1, commit + 1)
        .filter(({ meta }) => meta && isDrop(meta))
        .map(({ entry }) => decodeDrop(entry!)),
    }
  }
}
