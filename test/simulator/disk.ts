// A persistence replica's file on virtual time: one writer, first in first out, one transaction a
// batch. A transaction is done wholly or not at all: one that a crash tears is undone when the file
// is opened again. Those that a crash finds unanswered may be done, in order, up to any one of them.

import { drops } from '../../protocol/log/drop.js'
import { KIND, sameBytes, erased, weigh, type Entry } from '../../protocol/log/entry.js'
import { EPOCH_ZERO, sameEpoch, type Epoch } from '../../protocol/log/epoch.js'
import {
  NO_FENCE,
  type Durable,
  type Genesis,
  type Incarnation,
  type Member,
  type Place,
  type ReadQuery,
  type ReadResult,
  type Recovered,
  type Remembered,
  type View,
  type WriteBatch,
  type WriteResult,
} from '../../protocol/log/storage.js'
import type { History, Node } from './history.js'
import type { Random } from './random.js'
import type { Timeline } from './timeline.js'
import { Violation, expect } from './violation.js'

/** What one file holds. */
export interface File {
  genesis: Genesis
  incarnation: Incarnation
  promised: Epoch
  view: View
  incarnations: Map<number, Member>
  remembered: Map<string, Remembered>
  /** By index; [0] is the place before entry 1. */
  log: Node[]
  commit: number
  /** It was put back to an earlier state, under the life that it had then. */
  forgets: boolean
  /** Indices of entries that do not read back as they were written. */
  flipped: Set<number>
  /** Indices of messages without their bodies. */
  erased: Set<number>
  /** DROP entries through here are carried out. */
  dropped: number
}

interface Pending {
  readonly batch: WriteBatch
  readonly done: (result: WriteResult) => void
}

/** Told of every transaction, with what the file held before it. */
export type Written = (disk: Disk, batch: WriteBatch, before: Durable) => void

function copy(file: File): File {
  const { incarnations, remembered, log, flipped, erased: without } = file
  return {
    ...file,
    incarnations: new Map(incarnations),
    remembered: new Map(remembered),
    log: [...log],
    flipped: new Set(flipped),
    erased: new Set(without),
  }
}

function entryOf(file: File, { index, entry }: Node): Entry {
  return file.erased.has(index) ? erased(entry!) : entry!
}

function isAt({ index, entry }: Node, place: Place): boolean {
  return index === place.index && (!entry || sameBytes(entry.chain, place.chain))
}

const ZERO: Durable = {
  promised: EPOCH_ZERO,
  logView: EPOCH_ZERO,
  last: 0,
  chain: new Uint8Array(32),
  commit: 0,
}

export class Disk {
  readonly slot: number
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #history: History
  readonly #written: Written
  file: File | null = null
  full = false
  /** Times slower than usual. */
  slow = 1
  stuckUntil = 0
  /** Where the log will end once all that is queued is written; null: not known just now. */
  ahead: Node | null = null
  /** How many entries at its end a replica reads when it starts. */
  readonly tailEntries: number
  /** Damage was found: the process ends, and the file is set aside. */
  unsound: () => void = () => {}
  #queue: Pending[] = []
  #life = 0
  #onFailedSync: (() => void) | null = null

  constructor(
    slot: number,
    timeline: Timeline,
    random: Random,
    history: History,
    tailEntries: number,
    written: Written,
  ) {
    this.slot = slot
    this.#timeline = timeline
    this.#random = random
    this.#history = history
    this.tailEntries = tailEntries
    this.#written = written
  }

  format(genesis: Genesis, incarnation: Incarnation): void {
    this.file = {
      genesis,
      incarnation,
      promised: EPOCH_ZERO,
      view: { epoch: EPOCH_ZERO, members: [] },
      incarnations: new Map(),
      remembered: new Map(),
      log: [this.#history.root],
      commit: 0,
      forgets: false,
      flipped: new Set(),
      erased: new Set(),
      dropped: 0,
    }
    this.ahead = this.#history.root
  }

  lose(): void {
    this.file = null
    this.ahead = this.#history.root
  }

  /** What the file holds now, to be put back later. */
  snapshot(): File | null {
    return this.file && copy(this.file)
  }

  restore(earlier: File): void {
    this.file = { ...copy(earlier), forgets: true }
    this.ahead = this.last
  }

  /** Entry `index` does not read back as written from now on. */
  flip(index: number): void {
    this.file?.flipped.add(index)
  }

  /** The next transaction's fsync fails. */
  failNext(tell: () => void): void {
    this.#onFailedSync = tell
  }

  /** Whatever was wrong with the device is over; what was lost stays lost. */
  heal(): void {
    this.full = false
    this.slow = 1
    this.stuckUntil = 0
    this.#onFailedSync = null
  }

  holds(node: Node): boolean {
    return this.file?.log[node.index] === node
  }

  get last(): Node {
    return this.file?.log.at(-1) ?? this.#history.root
  }

  get durable(): Durable {
    const { file } = this
    if (!file) return ZERO
    return {
      promised: file.promised,
      logView: file.view.epoch,
      last: this.last.index,
      chain: this.last.entry?.chain ?? ZERO.chain,
      commit: file.commit,
    }
  }

  /** Counts towards a majority: it has had its file from genesis, or was let in by a view. */
  get voter(): boolean {
    const { file } = this
    if (!file) return false
    if (file.incarnation.counter === 1) return true
    return file.view.members.some(
      (m) => m.slot === this.slot && m.incarnation.counter === file.incarnation.counter,
    )
  }

  /** A voter's, with all that it was given: one of those of which a majority is needed. */
  get sound(): boolean {
    return this.voter && !this.file!.forgets && this.file!.flipped.size === 0
  }

  write(batch: WriteBatch, done: (result: WriteResult) => void): void {
    this.#queue.push({ batch, done })
    this.#look(batch)
    if (this.#queue.length === 1) this.#start()
  }

  /** Keeps `ahead`, and lets the history know entries as soon as somebody means to write them. */
  #look(batch: WriteBatch): void {
    let at = this.ahead
    const { truncateAfter, require } = batch
    // Of a writer that has not heard yet that a write before this one failed: it will be stale.
    if (require?.last && at && !isAt(at, require.last)) at = null
    if (truncateAfter !== undefined) {
      while (at && at.index > truncateAfter) at = at.parent
    }
    for (const entry of batch.entries ?? []) {
      if (at && at.index !== entry.index - 1) at = null
      if (at) at = this.#history.add(entry, at)
    }
    this.ahead = at
  }

  #latency(): number {
    const usual = 0.5 + this.#random.exponential(this.#random.chance(0.02) ? 30 : 2)
    return Math.max(usual * this.slow, this.stuckUntil - this.#timeline.now)
  }

  #start(): void {
    const life = this.#life
    this.#timeline.after(this.#latency(), () => {
      if (life !== this.#life) return
      if (this.#onFailedSync) return this.#failSync(this.#onFailedSync)
      const pending = this.#queue.shift()!
      const result = this.#apply(pending.batch)
      if (this.#queue.length > 0) this.#start()
      else this.ahead = this.last
      if (result.outcome !== 'written') this.ahead = this.#queue.length > 0 ? null : this.last
      pending.done(result)
    })
  }

  /** The process exits; `crash` decides what of the queue is there when it comes back. */
  #failSync(tell: () => void): void {
    this.#onFailedSync = null
    tell()
  }

  /** The process died: what is queued is done up to a random point, and nobody hears of it. */
  crash(): void {
    this.#life++
    const survive = this.#random.chance(0.5) ? 0 : this.#random.between(0, this.#queue.length)
    for (const { batch } of this.#queue.slice(0, survive)) this.#apply(batch)
    this.#queue = []
    this.ahead = this.last
  }

  #apply(batch: WriteBatch): WriteResult {
    if (this.full) return { outcome: 'full' }
    const { require } = batch
    const durable = this.durable
    const { last } = require ?? {}
    const stale =
      (require?.promised && !sameEpoch(require.promised, durable.promised)) ||
      (last && (last.index !== durable.last || Buffer.compare(last.chain, durable.chain) !== 0))
    if (stale) return { outcome: 'stale', durable }
    // A file that is there keeps its log under the new life.
    if (batch.genesis && this.file) Object.assign(this.file, batch.genesis, { forgets: false })
    else if (batch.genesis) this.format(batch.genesis.genesis, batch.genesis.incarnation)
    const { file } = this
    if (!file) throw new Violation('disk', `s${this.slot} writes to a file without genesis`)
    this.#change(file, batch)
    this.#written(this, batch, durable)
    return { outcome: 'written', durable: this.durable }
  }

  #change(file: File, batch: WriteBatch): void {
    if (batch.promised) file.promised = batch.promised
    for (const member of batch.incarnations ?? []) file.incarnations.set(member.slot, member)
    if (batch.truncateAfter !== undefined && batch.truncateAfter < file.log.length - 1) {
      file.log = file.log.slice(0, batch.truncateAfter + 1)
      for (const at of file.flipped) if (at > batch.truncateAfter) file.flipped.delete(at)
    }
    for (const entry of batch.entries ?? []) {
      const at = file.log.at(-1)!
      expect(entry.index === at.index + 1, 'disk', () => `s${this.slot} writes ${entry.index}`)
      file.log.push(this.#history.add(entry, at))
      if (entry.bodyHash) file.erased.add(entry.index)
    }
    if (batch.commit !== undefined) file.commit = Math.max(file.commit, batch.commit)
    for (const drop of batch.erase ?? []) {
      expect(drop.index <= file.commit, 'P3', () => `s${this.slot}: DROP ${drop.index} too early`)
      for (const index of drop.indices) {
        const { entry } = file.log[index]!
        if (entry && drops(drop, entry)) file.erased.add(index)
      }
      file.dropped = drop.index
    }
    if (batch.view) file.view = batch.view
    for (const said of batch.remembered ?? []) {
      file.remembered.set(
        `${said.slot} ${said.incarnation.counter} ${said.incarnation.nonce}`,
        said,
      )
    }
  }

  read(query: ReadQuery, done: (result: ReadResult) => void): void {
    const life = this.#life
    const latency = (0.1 + this.#random.exponential(0.5)) * this.slow
    this.#timeline.after(latency, () => {
      if (life !== this.#life) return
      if (this.#random.chance(0.01)) return done({ kind: 'failed', reason: 'busy' })
      const result = this.#answer(query)
      if (this.#isDamaged(result)) this.unsound()
      else done(result)
    })
  }

  /** Each entry is verified as it is read: its chain from its content and the chain before it. */
  #isDamaged(result: ReadResult): boolean {
    if (!('entries' in result) || !this.file) return false
    return result.entries.some(({ index }) => this.file!.flipped.has(index))
  }

  #answer(query: ReadQuery): ReadResult {
    const { file } = this
    const log = file?.log ?? [this.#history.root]
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
        if (file!.erased.has(i) || query.without.includes(i)) continue
      }
      room -= weigh(entry!)
      const fits = entries.length < query.limit && (room >= 0 || entries.length === 0)
      if (!fits) return { kind: query.kind, entries, more: true }
      entries.push(entryOf(file!, log[i]!))
    }
    return { kind: query.kind, entries, more: false }
  }

  recover(): Recovered | null {
    const { file } = this
    if (!file) return null
    const first = Math.max(1, Math.min(file.commit, this.last.index - this.tailEntries) + 1)
    if ([...file.flipped].some((index) => index >= first)) {
      this.lose()
      return null
    }
    return {
      genesis: file.genesis,
      incarnation: file.incarnation,
      durable: this.durable,
      view: file.view,
      incarnations: [...file.incarnations.values()],
      remembered: [...file.remembered.values()],
      lamport: this.last.lamport,
      tail: file.log.slice(first).map((node) => entryOf(file, node)),
      fence: file.log[file.commit]?.fence ?? NO_FENCE,
      drops: file.log
        .slice(file.dropped + 1, file.commit + 1)
        .filter(({ meta }) => meta?.kind === KIND.drop)
        .map((node) => node.entry!),
    }
  }
}
