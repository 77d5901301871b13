// The sends of one client: drives the StreamWindow over real connections. A stream is opened before
// the first send; sends beyond the credit of the connection wait.

import { randomBytes } from 'node:crypto'
import type { Message, The } from '../protocol/messages/catalogue.js'
import type { Link } from './link.js'
import type { Deadline, Deadlines } from './deadlines.js'
import { clientError, fromRefusal, type TrocaError } from './errors.js'
import { historyChanged, onAbort, outOfTime, type Operations } from './operations.js'
import { StreamWindow, type Letter } from './stream-window.js'
import type { Seal } from './inbox-message.js'

const STREAM_ID_BYTES = 16
const TOKEN_BYTES = 16
/** Errors that another replica would give too, so the connected replica is not in doubt. */
const NO_FAULT_OF_THE_REPLICA: ReadonlySet<string> = new Set([
  'OVERLOADED',
  'OUT_OF_ORDER',
  'RATE_LIMITED',
])
/** Part of the connection's credit that is kept for requests other than sends. */
const OTHER_REQUESTS = 4

/**
 * The result of {@link Client.send}: the message is on disk on a majority of the persistence
 * replicas.
 */
export interface Receipt {
  /** Log index of the message. */
  readonly index: number
  /** Number of the message in this client's stream. */
  readonly seq: number
  /** When it was ordered, ms since 1970. */
  readonly time: number
  /** Whether this client sealed and signed the message, so that the service cannot read it. */
  readonly endToEnd: boolean
}

/** The identity of a send: its stream and its number in the stream. */
export interface SentPlace {
  /** The recipient. */
  readonly to: string
  /** The stream of a client's sends, in hexadecimal. */
  readonly stream: string
  /** Number of the message in the stream. */
  readonly seq: number
}

interface Waiting {
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: TrocaError) => void
  deadline: Deadline | null
}

export class Outbox {
  readonly #window = new StreamWindow<Waiting>()
  readonly #operations: Operations
  readonly #deadlines: Deadlines
  readonly #whyDisconnected: () => TrocaError | null
  readonly #doubt: () => void
  readonly #idleMs: number
  #connection: Link | null = null
  #stream = new Uint8Array(STREAM_ID_BYTES)
  readonly #accepted = new WeakSet<Letter<Waiting>>()
  #opening = false
  #sealing = false
  #pause: Deadline | null = null
  /** Ends the stream, unless a send comes before. */
  #idleEnd: Deadline | null = null
  #lastRefusal: TrocaError | null = null
  #ended: TrocaError | null = null
  #waitingCount = 0
  #whenIdle: (() => void)[] = []

  constructor(
    operations: Operations,
    deadlines: Deadlines,
    whyDisconnected: () => TrocaError | null,
    doubt: () => void,
    idleMs: number,
  ) {
    this.#operations = operations
    this.#idleMs = idleMs
    this.#deadlines = deadlines
    this.#whyDisconnected = whyDisconnected
    this.#doubt = doubt
  }

  get unanswered(): number {
    return this.#waitingCount
  }

  send(
    to: string,
    text: string,
    seal: Seal | null,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended)
      const waiting: Waiting = { resolve, reject, deadline: null }
      const letter = this.#window.add(to, text, waiting, seal)
      this.#waitingCount++
      this.#deadlines.clear(this.#idleEnd)
      waiting.deadline = this.#deadlines.set(timeoutMs, () => this.#late(letter, timeoutMs))
      onAbort(signal, (cause) => {
        if (!letter.waiting) return
        const definite = this.#giveUp(letter)
        reject(clientError('ABORTED', `the send to ${to} was aborted`, definite, cause))
      })
      this.#pump()
    })
  }

  connected(connection: Link): void {
    this.#connection = connection
    this.#window.disconnected()
    this.#window.setLimit(connection.welcome!.credit - OTHER_REQUESTS)
    this.#resume()
  }

  disconnected(): void {
    this.#connection = null
    this.#window.disconnected()
  }

  /** Sends of the old history's stream end; later ones go into a stream of the new history. */
  historyChanged(): void {
    for (const letter of this.#window.forsake())
      this.#settled(letter)?.reject(historyChanged(`the send to ${letter.to}`, false))
    this.#deadlines.clear(this.#pause)
    this.#pause = null
  }

  drained(): void {
    this.#pump()
  }

  /** The send that the receipt settles; null: the send was settled before. */
  receipt(message: The<'RECEIPT'>): SentPlace | null {
    const letter = this.#window.receipt(message.request)
    if (!letter) return null
    const { index, seq, time } = message
    const endToEnd = letter.seal !== null
    const place = this.#placeOf(letter)
    this.#settled(letter)?.resolve({ index, seq, time, endToEnd })
    this.#pump()
    return place
  }

  /** The send that is accepted; null: it is answered, or was accepted before. */
  accepted({ request }: The<'ACCEPTED'>): SentPlace | null {
    const letter = this.#window.writtenBy(request)
    if (!letter || this.#accepted.has(letter)) return null
    this.#accepted.add(letter)
    return this.#placeOf(letter)
  }

  #placeOf({ to, seq }: Letter<Waiting>): SentPlace {
    return { to, stream: Buffer.from(this.#stream).toString('hex'), seq }
  }

  error(message: The<'ERROR'>): void {
    const verdict = this.#window.error(message.request, message)
    if (verdict.kind === 'ignore') return
    if (verdict.kind === 'moved') return this.#pump()
    const error = fromRefusal(message)
    if (verdict.kind === 'refused') {
      this.#settled(verdict.letter)?.reject(error)
      return this.#pump()
    }
    this.#lastRefusal = error
    if (!NO_FAULT_OF_THE_REPLICA.has(error.name)) this.#doubt()
    this.#deadlines.clear(this.#pause)
    this.#pause = this.#deadlines.set(verdict.afterMs, () => this.#resume())
  }

  /** Resolves when every send is settled. */
  idle(): Promise<void> {
    if (this.#waitingCount === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Ends the stream, if there is one and all its sends are settled. */
  async closeStream(timeoutMs: number): Promise<void> {
    if (!this.#connection || !this.#window.leave()) return
    const stream = this.#stream
    const build = (request: number): Message => ({ type: 'CLOSE_STREAM', request, stream })
    await this.#operations.run({ what: 'closing the stream', build, timeoutMs })
  }

  /** The stream is another account's. */
  leaveStream(): void {
    this.#window.leave()
  }

  #closeWhenIdle(): void {
    this.#deadlines.clear(this.#idleEnd)
    this.#idleEnd = this.#deadlines.set(this.#idleMs, () => {
      if (!this.#connection) return this.#closeWhenIdle()
      // The service closes idle streams too, only later.
      this.closeStream(this.#idleMs).catch(() => {})
    })
  }

  end(error: TrocaError): void {
    this.#ended = error
    for (const letter of this.#window.drop()) {
      const definite = error.definite || letter.openTries === 0
      this.#settled(letter)?.reject(clientError('CLOSED', error.message, definite, error))
    }
  }

  #resume(): void {
    this.#deadlines.clear(this.#pause)
    this.#pause = null
    this.#pump()
  }

  #pump(): void {
    const connection = this.#connection
    if (!connection || this.#pause || this.#ended) return
    if (this.#window.wantsStream) this.#openStream()
    while (connection.writable) {
      const letter = this.#window.next()
      if (!letter) return
      const { seq, to, text, seal, envelope: sealed } = letter
      if (seal && !sealed) return this.#seal(letter, seal)
      const request = connection.nextRequest()
      this.#window.take(request)
      const place = { request, stream: this.#stream, seq, to }
      if (sealed) connection.send({ type: 'SEND_SEALED', ...place, sealed })
      else connection.send({ type: 'SEND', ...place, text })
    }
  }

  /** Seals one letter. The letters behind it wait, because a stream is written in order. */
  #seal(letter: Letter<Waiting>, seal: Seal): void {
    if (this.#sealing) return
    this.#sealing = true
    const [stream, { seq }] = [this.#stream, letter]
    const done = (settle: () => void): void => {
      this.#sealing = false
      // With another seq or stream, the letter was given up or moved while it was being sealed.
      if (letter.seq === seq && this.#stream === stream) settle()
      this.#pump()
    }
    seal(stream, seq).then(
      (envelope) => done(() => (letter.envelope = envelope)),
      (error: TrocaError) =>
        done(() => {
          const { waiting } = letter
          this.#giveUp(letter)
          waiting?.reject(error)
        }),
    )
  }

  #openStream(): void {
    if (this.#opening) return
    this.#opening = true
    const token = randomBytes(TOKEN_BYTES)
    const opened = this.#operations.run({
      what: 'opening a stream',
      build: (request) => ({ type: 'OPEN_STREAM', request, token }),
      timeoutMs: Infinity,
    })
    opened.then(
      (answer) => {
        this.#opening = false
        this.#stream = new Uint8Array((answer as The<'STREAM_OPENED'>).stream)
        this.#window.streamOpened()
        this.#pump()
      },
      (error: TrocaError) => {
        this.#opening = false
        for (const letter of this.#window.drop()) this.#settled(letter)?.reject(error)
      },
    )
  }

  #late(letter: Letter<Waiting>, timeoutMs: number): void {
    const waiting = letter.waiting
    if (!waiting) return
    const definite = this.#giveUp(letter)
    const failure = this.#connection ? this.#lastRefusal : this.#whyDisconnected()
    waiting.reject(outOfTime(`the send to ${letter.to}`, timeoutMs, failure, definite))
  }

  #giveUp(letter: Letter<Waiting>): boolean {
    this.#settled(letter)
    const written = letter.seq > 0
    const definite = this.#window.giveUp(letter)
    // The window left the stream, so the pause, which was for that stream, is over.
    if (written && definite) this.#resume()
    return definite
  }

  /** Ends the wait for this letter; gives its promise's functions, null if nothing waits. */
  #settled(letter: Letter<Waiting>): Waiting | null {
    const waiting = letter.waiting
    if (!waiting) return null
    letter.waiting = null
    this.#deadlines.clear(waiting.deadline)
    if (--this.#waitingCount === 0) {
      if (!this.#ended) this.#closeWhenIdle()
      for (const idle of this.#whenIdle.splice(0)) idle()
    }
    return waiting
  }
}
