// Orders of one term, executed ahead of the committed log: what they have written is read before the
// ledger.

import { idOf } from '../bytes.js'
import type { Draft, Meta } from '../entries/entry.js'
import { applyEntry } from './commands/registry.js'
import { DirectoryOverlay } from './directory.js'
import type { Ended } from './ended-streams.js'
import type { Ledger } from './ledger.js'
import type { Answered, LedgerWriter, StreamView } from './ledger-view.js'
import { OverlayMap } from './overlay-map.js'

export class Overlay extends DirectoryOverlay implements LedgerWriter {
  readonly #base: Ledger
  /** null: the stream has ended. */
  readonly #streams = new OverlayMap<StreamView | null>()
  /** Ends by owner and id, and the number of each owner's ends. */
  readonly #ended = new OverlayMap<Ended>()
  readonly #ends = new OverlayMap<number>()
  readonly #answered = new Map<string, Map<number, Answered>>()

  constructor(base: Ledger) {
    super(base)
    this.#base = base
  }

  /** Values that are ahead of the ledger. */
  get size(): number {
    const answers = [...this.#answered.values()].reduce((sum, { size }) => sum + size, 0)
    const streams = this.#streams.size + this.#ended.size + this.#ends.size
    return this.directorySize + streams + answers
  }

  // ---- streams --------------------------------------------------------------------------------

  stream(id: string): StreamView | undefined {
    const ahead = this.#streams.get(id)
    return ahead === undefined ? this.#base.stream(id) : (ahead ?? undefined)
  }

  streamsOf(user: string): (readonly [string, StreamView])[] {
    const committed = this.#base.streamsOf(user).filter(([id]) => !this.#streams.has(id))
    const ahead = [...this.#streams].filter(([, stream]) => stream?.owner === user)
    return [...committed, ...(ahead as [string, StreamView][])]
  }

  answered(id: string, seq: number): Answered | undefined {
    return this.#answered.get(id)?.get(seq) ?? this.#base.answered(id, seq)
  }

  endedStream(user: string, id: string): Ended | undefined {
    if (!this.account(user)) return undefined
    return this.#ended.get(endKey(user, id)) ?? this.#base.endedStream(user, id)
  }

  endsOf(user: string): number {
    return this.#ends.get(user) ?? this.#base.endsOf(user)
  }

  openStream(id: string, stream: StreamView): void {
    this.#streams.set(id, stream, this.k)
  }

  endStream(id: string): void {
    const stream = this.stream(id)
    if (!stream) return
    const { owner, next } = stream
    const number = this.endsOf(owner) + 1
    this.#streams.set(id, null, this.k)
    this.#ended.set(endKey(owner, id), { number, next }, this.k)
    this.#ends.set(owner, number, this.k)
  }

  override endAccount(name: string, token: Uint8Array): void {
    for (const [id] of this.streamsOf(name)) this.#streams.set(id, null, this.k)
    super.endAccount(name, token)
  }

  putAnswer(stream: Uint8Array, seq: number, answered: Answered): void {
    const id = idOf(stream)
    const { owner, token } = this.stream(id)!
    const used = answered.time
    this.#streams.set(id, { owner, token, next: seq + 1, used }, this.k)
    const known = this.#answered.get(id) ?? new Map<number, Answered>()
    known.set(seq, answered)
    this.#answered.set(id, known)
  }

  // ---- orders ---------------------------------------------------------------------------------

  /** `time`: of the order, ms since 1970. */
  apply({ meta, body }: Draft, k: number, time: number): void {
    this.k = k
    applyEntry(this, meta, { body, index: 0, time })
  }

  /** The committed log now has this entry. */
  settle({ stream, seq }: Meta): void {
    if (stream.length === 0) return
    const id = idOf(stream)
    const known = this.#answered.get(id)
    known?.delete(seq)
    if (known?.size === 0) this.#answered.delete(id)
  }

  /** The committed log holds all orders through k, whole. */
  settled(k: number): void {
    this.settleDirectory(k)
    for (const map of [this.#streams, this.#ended, this.#ends]) map.settle(k)
  }
}

const endKey = (user: string, id: string): string => `${id}${user}`
