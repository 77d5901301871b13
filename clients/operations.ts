// Requests other than sends. Invariant: repeating one is harmless, so each is written again on
// every new connection and after every retriable refusal, until its answer or its time-out.

import type { Message } from '../protocol/messages/catalogue.js'
import { WireError } from '../protocol/schema/schema.js'
import { decodeMessage, encodeMessage } from '../protocol/wire/codec.js'
import type { Link } from './link.js'
import type { Deadline, Deadlines } from './deadlines.js'
import { clientError, fromRefusal, refusedBeforeOrder, refusedHere } from './errors.js'
import type { TrocaError } from './errors.js'

const RETRY_MS = 50

export interface Operation {
  /** The operation in the texts of errors, for example "reading the inbox". */
  readonly what: string
  readonly build: (request: number) => Message
  readonly onProgress?: ((text: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Infinity: no time-out; absent: the client's default. */
  readonly timeoutMs?: number | undefined
}

interface Pending extends Operation {
  readonly timeoutMs: number
  readonly resolve: (answer: Message) => void
  readonly reject: (error: TrocaError) => void
  deadline: Deadline | null
  /** End of the time-out, monotonic ms. */
  readonly endsAt: number
  /** Number of tries that the service may have carried out. */
  openTries: number
  lastRefusal: TrocaError | null
}

export class Operations {
  readonly #deadlines: Deadlines
  readonly #timeoutMs: number
  readonly #whyDisconnected: () => TrocaError | null
  readonly #doubt: () => void
  readonly #pending = new Set<Pending>()
  #connection: Link | null = null
  #ended: TrocaError | null = null

  /** `doubt` is called when a refusal suggests that another replica may serve. */
  constructor(
    deadlines: Deadlines,
    timeoutMs: number,
    whyDisconnected: () => TrocaError | null,
    doubt: () => void,
  ) {
    this.#deadlines = deadlines
    this.#timeoutMs = timeoutMs
    this.#whyDisconnected = whyDisconnected
    this.#doubt = doubt
  }

  get unanswered(): number {
    return this.#pending.size
  }

  ask(
    what: string,
    build: Operation['build'],
    { signal, timeoutMs, onProgress }: Omit<Operation, 'what' | 'build'>,
  ): Promise<Message> {
    return this.run({ what, build, signal, timeoutMs, onProgress })
  }

  run(operation: Operation): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended)
      const malformed = whyMalformed(operation.build(1))
      if (malformed) return reject(refusedHere('BAD_REQUEST', `${operation.what}: ${malformed}`))
      const { timeoutMs = this.#timeoutMs } = operation
      const pending: Pending = {
        ...operation,
        timeoutMs,
        resolve,
        reject,
        deadline: null,
        endsAt: performance.now() + timeoutMs,
        openTries: 0,
        lastRefusal: null,
      }
      this.#pending.add(pending)
      if (Number.isFinite(timeoutMs)) {
        pending.deadline = this.#deadlines.set(timeoutMs, () => this.#late(pending))
      }
      onAbort(operation.signal, (cause) => {
        const text = `${pending.what} was aborted`
        this.#fail(pending, clientError('ABORTED', text, pending.openTries === 0, cause))
      })
      this.#write(pending)
    })
  }

  connected(connection: Link): void {
    this.#connection = connection
    for (const pending of this.#pending) this.#write(pending)
  }

  disconnected(): void {
    this.#connection = null
  }

  /** Rejects what is written and unanswered: one of these requests is not well-formed. */
  refused(error: TrocaError): void {
    for (const pending of this.#pending) {
      if (pending.openTries > 0) this.#fail(pending, error)
    }
  }

  /**
   * Rejects what callers wait for: the request or its answer may name positions of another history. What
   * the client repeats by itself, without a time-out, goes on.
   */
  historyChanged(): void {
    for (const pending of this.#pending) {
      if (!Number.isFinite(pending.timeoutMs)) continue
      this.#fail(pending, historyChanged(pending.what, pending.openTries === 0))
    }
  }

  /** Rejects every pending and every later operation with this error. */
  end(error: TrocaError): void {
    this.#ended = error
    for (const pending of this.#pending) this.#fail(pending, error)
  }

  #write(pending: Pending): void {
    const connection = this.#connection
    if (!connection || !this.#pending.has(pending)) return
    pending.openTries++
    connection.ask(pending.build, (answer) => {
      // The connection ended; connected() writes the request again on the next one.
      if (answer === null || !this.#pending.has(pending)) return
      if (answer.type === 'PROGRESS') return pending.onProgress?.(answer.text)
      if (answer.type !== 'ERROR') {
        this.#forget(pending)
        return pending.resolve(answer)
      }
      if (refusedBeforeOrder(answer)) pending.openTries--
      // This try changed nothing, but an earlier one whose answer was lost may have.
      const definite = answer.definite && pending.openTries <= 1
      const error = fromRefusal({ ...answer, definite })
      if (!error.retriable) return this.#fail(pending, error)
      pending.lastRefusal = error
      // No time is left for another try, so the refusal is the answer.
      if (performance.now() + (error.retryAfterMs ?? 0) > pending.endsAt) {
        return this.#fail(pending, error)
      }
      if (error.name !== 'OVERLOADED') this.#doubt()
      const again = (): void => {
        if (this.#connection === connection) this.#write(pending)
      }
      this.#deadlines.set(error.retryAfterMs ?? RETRY_MS, again)
    })
  }

  #late(pending: Pending): void {
    const definite = pending.openTries === 0
    const failure = this.#connection ? pending.lastRefusal : this.#whyDisconnected()
    this.#fail(pending, outOfTime(pending.what, pending.timeoutMs, failure, definite))
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending)
    this.#deadlines.clear(pending.deadline)
  }

  #fail(pending: Pending, error: TrocaError): void {
    this.#forget(pending)
    pending.reject(error)
  }
}

/** The field that breaks the schema of the message, with what it needs; null: none does. */
function whyMalformed(message: Message): string | null {
  try {
    decodeMessage(encodeMessage(message, 0))
    return null
  } catch (error) {
    if (error instanceof WireError) return error.message
    throw error
  }
}

/** HISTORY_CHANGED for one request. */
export function historyChanged(what: string, definite: boolean): TrocaError {
  const text = `the log was restored or recovered before ${what} was answered`
  return clientError('HISTORY_CHANGED', text, definite)
}

/** TIMEOUT, or UNREACHABLE if there was no connection. */
export function outOfTime(
  what: string,
  timeoutMs: number,
  cause: TrocaError | null,
  definite: boolean,
): TrocaError {
  const unreachable = cause?.name === 'UNREACHABLE'
  const why = cause ? `: ${cause.message}` : ''
  const text = `${what} had no answer within ${timeoutMs / 1_000} s${why}`
  return clientError(unreachable ? 'UNREACHABLE' : 'TIMEOUT', text, definite, cause ?? undefined)
}

/** Calls `aborted` when the signal is, or already was, aborted. */
export function onAbort(signal: AbortSignal | undefined, aborted: (reason: unknown) => void): void {
  if (!signal) return
  if (signal.aborted) return aborted(signal.reason)
  signal.addEventListener('abort', () => aborted(signal.reason), { once: true })
}
