// TIP and READ: linearizable queries to the persistence tier; SEEK: places of the log by time. Any persistence replica may answer. A
// query that a replica cannot answer yet, or whose link is lost, goes to the next replica.

import type { The } from '../messages/catalogue.js'
import type { Slot } from '../slots.js'
import type { ProcessingContext } from './context.js'
import type { LogReplicas } from './log-replicas.js'

type Query = The<'READ'> | The<'TIP'> | The<'SEEK'>
type Answer = The<'READ_PAGE'> | The<'TIP_IS'> | The<'SEEK_IS'>

interface OpenQuery {
  readonly message: Query
  readonly since: number
  /** The replica that was asked; 0: none. */
  asked: Slot
  readonly then: (answer: Answer | null) => void
}

export class LogQueries {
  readonly #context: ProcessingContext
  readonly #replicas: LogReplicas
  readonly #open = new Map<number, OpenQuery>()
  #next = 0

  constructor(context: ProcessingContext, replicas: LogReplicas) {
    this.#context = context
    this.#replicas = replicas
  }

  get size(): number {
    return this.#open.size
  }

  /**
   * An index that is at or above everything acknowledged before the call; null: no replica could
   * tell.
   */
  tip(then: (index: number | null) => void): void {
    const request = ++this.#next
    this.#add({ type: 'TIP', request }, (answer) =>
      then(answer?.type === 'TIP_IS' ? answer.index : null),
    )
  }

  /** A page of a mailbox; null: no replica could tell. */
  read(
    mailbox: string,
    after: number,
    limit: number,
    then: (page: The<'READ_PAGE'> | null) => void,
  ): void {
    const request = ++this.#next
    this.#add({ type: 'READ', request, mailbox, after, limit }, (answer) =>
      then(answer?.type === 'READ_PAGE' ? answer : null),
    )
  }

  /**
   * Index of the last entry that was ordered before a time, ms since 1970, or of an earlier one: the
   * replica that answers may lack the newest; null: no replica could tell.
   */
  seek(time: number, then: (index: number | null) => void): void {
    const request = ++this.#next
    this.#add({ type: 'SEEK', request, time }, (answer) =>
      then(answer?.type === 'SEEK_IS' ? answer.index : null),
    )
  }

  #add(message: Query, then: OpenQuery['then']): void {
    const query: OpenQuery = { message, since: this.#context.now.monotonic, asked: 0, then }
    this.#open.set(message.request, query)
    this.#ask(query)
  }

  /** Asks the preferred replica, or the next one if the preferred one has just failed to answer. */
  #ask(query: OpenQuery): void {
    const { askable } = this.#replicas
    const slot = askable.find((candidate) => candidate !== query.asked) ?? askable[0]
    query.asked = slot ?? 0
    if (slot !== undefined) this.#replicas.sendBulk(slot, query.message)
  }

  onAnswer(answer: Answer): void {
    const query = this.#open.get(answer.request)
    this.#open.delete(answer.request)
    query?.then(answer)
  }

  onNotYet({ request }: The<'NOT_YET'>): void {
    const query = this.#open.get(request)
    if (query) this.#ask(query)
  }

  lost(slot: Slot): void {
    for (const query of this.#open.values()) if (query.asked === slot) this.#ask(query)
  }

  tick(): void {
    const { now, timings } = this.#context
    // A view change takes time. Where no replica reaches a majority, the client is to try elsewhere
    // at once.
    const patience = (this.#replicas.anyQuorate ? 4 : 1) * timings.readPatience
    for (const [request, query] of this.#open) {
      // No replica could be asked before.
      if (query.asked === 0) this.#ask(query)
      if (now.monotonic - query.since <= patience) continue
      this.#open.delete(request)
      query.then(null)
    }
  }
}
