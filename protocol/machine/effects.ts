// Gathers the effects of one step, and keeps the callbacks of writes, reads and computations until
// their results come back.

import type { Effect, LinkId, LogLevel, SaveOutcome, UnsoundSnapshot } from './machine.js'
import type { Slot } from '../slots.js'
import { refusal } from '../messages/refusal.js'
import type { Message } from '../messages/catalogue.js'
import type { ReadQuery, ReadResult, Transaction, WriteResult } from './storage.js'
import type { Job, JobResult } from './compute.js'
import type { LoadedPart, SnapshotPart } from '../snapshot/record.js'

export class Outbox {
  #effects: Effect[] = []
  #token = 0
  readonly #stored = new Map<number, (result: WriteResult) => void>()
  readonly #read = new Map<number, (result: ReadResult) => void>()
  readonly #computed = new Map<number, (result: JobResult) => void>()
  #saved: (outcome: SaveOutcome) => void = () => {}
  #loaded: (part: LoadedPart | UnsoundSnapshot) => void = () => {}
  readonly #progress = new Map<number, (text: string) => void>()

  send(link: LinkId, message: Message): void {
    this.#effects.push({ type: 'send', link, message })
  }

  again(): void {
    this.#effects.push({ type: 'again' })
  }

  close(link: LinkId, reason: string): void {
    this.#effects.push({ type: 'close', link, reason })
  }

  /** A replica's message is invalid: nothing of it is used, and a new connection may do better. */
  distrust(link: LinkId, peer: Slot, reason: string): void {
    this.log('error', 'invalid-message', { peer, reason })
    this.send(link, refusal(0, 'INVALID_MESSAGE', reason))
    this.close(link, reason)
  }

  admit(link: LinkId): void {
    this.#effects.push({ type: 'admit', link })
  }

  persist(transaction: Transaction, then: (result: WriteResult) => void): void {
    const token = ++this.#token
    this.#stored.set(token, then)
    this.#effects.push({ type: 'persist', token, transaction })
  }

  read(query: ReadQuery, then: (result: ReadResult) => void): void {
    const token = ++this.#token
    this.#read.set(token, then)
    this.#effects.push({ type: 'read', token, query })
  }

  /** One at a time. */
  save(part: SnapshotPart, then: (outcome: SaveOutcome) => void): void {
    this.#saved = then
    this.#effects.push({ type: 'save', part })
  }

  /** One at a time. */
  load(after: string | null, then: (part: LoadedPart | UnsoundSnapshot) => void): void {
    this.#loaded = then
    this.#effects.push({ type: 'load', after })
  }

  hold(link: LinkId, held: boolean): void {
    this.#effects.push({ type: 'hold', link, held })
  }

  compute(
    job: Job,
    origin: string,
    then: (result: JobResult) => void,
    onProgress?: (text: string) => void,
  ): void {
    const token = ++this.#token
    this.#computed.set(token, then)
    if (onProgress) this.#progress.set(token, onProgress)
    this.#effects.push({ type: 'compute', token, job, origin })
  }

  log(
    level: LogLevel,
    event: string,
    fields: Record<string, string | number | boolean> = {},
  ): void {
    this.#effects.push({ type: 'log', level, event, fields })
  }

  stopped(): void {
    this.#effects.push({ type: 'stopped' })
  }

  /** Writes not yet answered. */
  get writing(): number {
    return this.#stored.size
  }

  onStored(token: number, result: WriteResult): void {
    const then = this.#stored.get(token)
    this.#stored.delete(token)
    then?.(result)
  }

  onRead(token: number, result: ReadResult): void {
    const then = this.#read.get(token)
    this.#read.delete(token)
    then?.(result)
  }

  onSaved(outcome: SaveOutcome): void {
    this.#saved(outcome)
  }

  onLoaded(part: LoadedPart | UnsoundSnapshot): void {
    this.#loaded(part)
  }

  onComputed(token: number, result: JobResult): void {
    const then = this.#computed.get(token)
    this.#computed.delete(token)
    this.#progress.delete(token)
    then?.(result)
  }

  onProgress(token: number, text: string): void {
    this.#progress.get(token)?.(text)
  }

  take(): Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
