// The streams of the committed log: those that are open with their kept answers, and of each user
// how far the last ones went that have ended. Memory: live users and open streams, not streams ever
// opened.

import { AnswerRing } from './answer-ring.js'
import { EndedStreams, type Ended } from './ended-streams.js'
import type { Answered, StreamView, StreamsView } from './ledger-view.js'
import { recordKey, ringPlaceOf, ringPlacesOf, type Touch } from './record-key.js'

export interface StreamState extends StreamView {
  next: number
  used: number
  readonly answers: AnswerRing
}

const NONE: ReadonlySet<string> = new Set()

export class Streams implements StreamsView {
  readonly #open = new Map<string, StreamState>()
  /** Ids of open streams, by owner. */
  readonly #idsOf = new Map<string, Set<string>>()
  readonly #ended = new Map<string, EndedStreams>()
  readonly #touch: Touch

  /** `touch` is called before a record changes. */
  constructor(touch: Touch = () => {}) {
    this.#touch = touch
  }

  /** Open streams. */
  get size(): number {
    return this.#open.size
  }

  /** Users whose ended streams are remembered. */
  get endedSize(): number {
    return this.#ended.size
  }

  /** Bytes of all kept answers. */
  get answerBytes(): number {
    let bytes = 0
    for (const { answers } of this.#open.values()) bytes += answers.bytes
    return bytes
  }

  stream(id: string): StreamState | undefined {
    return this.#open.get(id)
  }

  streamsOf(user: string): (readonly [string, StreamState])[] {
    return [...(this.#idsOf.get(user) ?? NONE)].map((id) => [id, this.#open.get(id)!])
  }

  /** All open streams, in no particular order. */
  [Symbol.iterator](): IterableIterator<[id: string, stream: StreamState]> {
    return this.#open.entries()
  }

  answered(id: string, seq: number): Answered | undefined {
    const stream = this.#open.get(id)
    return stream?.answers.get(seq, stream.next)
  }

  endedStream(user: string, id: string): Ended | undefined {
    return this.#ended.get(user)?.find(id)
  }

  endsOf(user: string): number {
    return this.#ended.get(user)?.count ?? 0
  }

  /** The remembered ends of a user's streams. */
  ends(user: string): EndedStreams | undefined {
    return this.#ended.get(user)
  }

  // ---- changes --------------------------------------------------------------------------------

  put(id: string, { owner, token, next, used }: StreamView): void {
    this.#touch(recordKey.stream(id))
    // A copy: the token may be a view on a whole frame, which it would keep in memory.
    const own = new Uint8Array(token)
    this.#open.set(id, { owner, token: own, next, used, answers: new AnswerRing() })
    const ids = this.#idsOf.get(owner)
    if (ids) ids.add(id)
    else this.#idsOf.set(owner, new Set([id]))
  }

  end(id: string): void {
    const stream = this.#remove(id)
    if (!stream) return
    const { owner, next } = stream
    this.#touch(recordKey.ended(owner))
    const ended = this.#ended.get(owner) ?? new EndedStreams()
    ended.add(id, next)
    this.#ended.set(owner, ended)
  }

  #remove(id: string): StreamState | undefined {
    const stream = this.#open.get(id)
    if (!stream) return undefined
    const { owner, next } = stream
    this.#touch(recordKey.stream(id))
    for (const place of ringPlacesOf(next)) this.#touch(recordKey.answers(id, place))
    this.#open.delete(id)
    const ids = this.#idsOf.get(owner)!
    ids.delete(id)
    if (ids.size === 0) this.#idsOf.delete(owner)
    return stream
  }

  putEnds(user: string, ended: EndedStreams): void {
    this.#ended.set(user, ended)
  }

  /** The account has ended, and its streams with it. */
  forget(user: string): void {
    for (const [id] of this.streamsOf(user)) this.#remove(id)
    if (!this.#ended.has(user)) return
    this.#touch(recordKey.ended(user))
    this.#ended.delete(user)
  }

  /** The owner of the stream; undefined: there is no such stream. */
  putAnswer(id: string, seq: number, answered: Answered): string | undefined {
    const stream = this.#open.get(id)
    if (!stream) return undefined
    this.#touch(recordKey.stream(id))
    this.#touch(recordKey.answers(id, ringPlaceOf(seq)))
    stream.next = seq + 1
    stream.used = answered.time
    stream.answers.put(seq, answered, stream.next)
    return stream.owner
  }

  /** Keys of all records, in no particular order. */
  *keys(): Generator<string> {
    for (const [id, { answers, next }] of this.#open) {
      yield recordKey.stream(id)
      const places = new Set([...answers.seqs(next)].map(ringPlaceOf))
      for (const place of places) yield recordKey.answers(id, place)
    }
    for (const user of this.#ended.keys()) yield recordKey.ended(user)
  }
}
