// The contents of one persistence replica's file: the state beside the log, and the log as a path
// through the history. Transactions, queries, and what a replica reads when it starts.

import { drops, isDrop } from '../../protocol/entries/drop.js'
import { KIND, erased, weigh, type Entry } from '../../protocol/entries/entry.js'
import { EPOCH_ZERO, type Epoch } from '../../protocol/entries/epoch.js'
import type {
  DurableState,
  Genesis,
  ReadQuery,
  ReadResult,
  Recovered,
  Remembered,
  WriteBatch,
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
    const chain = last.entry?.chain ?? new Uint8Array(32)
    return { promised, logView: view.epoch, last: last.index, chain, commit }
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
  change(batch: WriteBatch, history: History): void {
    if (batch.promised) this.promised = batch.promised
    for (const member of batch.incarnations ?? []) this.incarnations.set(member.slot, member)
    if (batch.truncateAfter !== undefined) this.#truncate(batch.truncateAfter)
    for (const entry of batch.entries ?? []) {
      const at = this.last
      expect(entry.index === at.index + 1, 'disk', () => `s${this.slot} writes ${entry.index}`)
      this.log.push(history.add(entry, at))
      if (entry.bodyHash) this.erased.add(entry.index)
    }
    if (batch.commit !== undefined) this.commit = Math.max(this.commit, batch.commit)
    this.#erase(batch.erase ?? [])
    if (batch.view) {
      this.view = batch.view
      this.forgets = false
    }
    for (const said of batch.remembered ?? []) {
      const { counter, nonce } = said.incarnation
      this.remembered.set(`${said.slot} ${counter} ${nonce}`, said)
    }
  }

  #truncate(after: number): void {
    if (after >= this.last.index) return
    this.log = this.log.slice(0, after + 1)
    for (const at of this.flipped) if (at > after) this.flipped.delete(at)
  }

  #erase(batch: NonNullable<WriteBatch['erase']>): void {
    for (const drop of batch) {
      expect(drop.index <= this.commit, 'P3', () => `s${this.slot}: DROP ${drop.index} too early`)
      for (const index of drop.indices) {
        const { entry } = this.log[index]!
        if (entry && drops(drop, entry)) this.erased.add(index)
      }
      this.dropped = drop.index
    }
  }

  #entryOf({ index, entry }: Node): Entry {
    return this.erased.has(index) ? erased(entry!) : entry!
  }

  /**
   * The answer to a query; null: damage was found. Each entry is verified as it is read, by the
   * chain before it.
   */
  answer(query: ReadQuery): ReadResult | null {
    const { log } = this
    if (query.kind === 'places') {
      const places = query.indices.flatMap((index) => {
        const entry = log[index]?.entry
        return entry ? [{ index, chain: entry.chain }] : []
      })
      return { kind: 'places', places }
    }
    const through = query.kind === 'mailbox' ? query.through : Infinity
    const entries: Entry[] = []
    let room = query.maxBytes
    for (let i = query.after + 1; i < log.length && i <= through; i++) {
      const { entry, meta } = log[i]!
      if (query.kind === 'mailbox') {
        if (meta!.kind !== KIND.message || meta!.mailbox !== query.mailbox) continue
        if (this.erased.has(i) || query.without.includes(i)) continue
      }
      room -= weigh(entry!)
      const fits = entries.length < query.limit && (room >= 0 || entries.length === 0)
      if (!fits) return { kind: query.kind, entries, more: true }
      if (this.flipped.has(i)) return null
      entries.push(this.#entryOf(log[i]!))
    }
    return { kind: query.kind, entries, more: false }
  }

  /** What a replica finds at its start; null: the part that it reads is damaged. */
  recovered(tailEntries: number): Recovered | null {
    const { genesis, incarnation, durable, view, log, last, commit } = this
    const first = Math.max(1, Math.min(commit, last.index - tailEntries) + 1)
    if ([...this.flipped].some((index) => index >= first)) return null
    return {
      genesis,
      incarnation,
      durable,
      view,
      incarnations: [...this.incarnations.values()],
      remembered: [...this.remembered.values()],
      lamport: last.lamport,
      tail: log.slice(first).map((node) => this.#entryOf(node)),
      fence: log[commit]?.fence ?? NO_FENCE,
      drops: log
        .slice(this.dropped + 1, commit + 1)
        .filter(({ entry }) => entry && isDrop(entry))
        .map((node) => node.entry!),
    }
  }
}
