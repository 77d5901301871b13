// One stream of a virtual user: pipelined sends, everything unanswered again from the lowest seq
// after a break, and what a client should not do but may: the same request twice, at once or long
// after, a seq used again with another text, more of a stream that has ended, and many streams.

import { ERRORS } from '../../../protocol/errors.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { KEPT_ANSWERS } from '../../../protocol/state/answer-ring.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { sealedBy } from '../held.js'
import type { Line } from './line.js'

interface Sent {
  readonly seq: number
  readonly to: string
  readonly text: string
}

/** A stream that has ended, and what the user sent in it. */
interface Closed {
  readonly id: Uint8Array
  readonly token: Uint8Array
  readonly sent: readonly Sent[]
}

/** Answers that settle a seq: it was consumed, by this text or by another. */
const CONSUMED: readonly number[] = [
  ERRORS.NO_SUCH_USER.code,
  ERRORS.BLOCKED.code,
  ERRORS.CLIENT_HELD.code,
  ERRORS.NOT_CLIENT_HELD.code,
  ERRORS.BAD_ENVELOPE.code,
  ERRORS.DIVERGED.code,
  ERRORS.CONFLICT.code,
  ERRORS.OLD_DUPLICATE.code,
]

const isClosed = (answer: Message): boolean =>
  answer.type === 'ERROR' && answer.code === ERRORS.STREAM_CLOSED.code

/** Number of sends kept, some of whose answers are forgotten, or just about to be. */
const KEPT = KEPT_ANSWERS + 50
/** Ended streams that a user still asks about. */
const KEPT_CLOSED = 4
/** Ids of streams that users know of each other. */
const SHARED_IDS = 20

export class SendStream {
  readonly #line: Line
  /** null: the stream is not open yet. */
  #id: Uint8Array | null = null
  #token: Uint8Array
  readonly #pace: number
  #window: number
  /** Whether the stream was asked for on this connection. */
  #asked = false
  #opened = false
  #nextSeq = 1
  /** Sends that wait, in order; their seqs are above those in flight. */
  #waiting: Sent[] = []
  #inFlight: Sent[] = []
  #answered: Sent[] = []
  /** Streams that have ended, the oldest first. */
  #closed: Closed[] = []
  #quietUntil = 0

  constructor(line: Line, pace: number, window: number) {
    this.#line = line
    this.#token = line.random.bytes(16)
    this.#pace = pace
    this.#window = window
  }

  get idle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0
  }

  disconnected(): void {
    this.#asked = false
    this.#opened = false
  }

  work(): void {
    const { random, now, world } = this.#line
    if (now < this.#quietUntil) return
    if (world.busy() && random.chance(0.002)) return this.#rest()
    if (!this.#asked) return this.#open()
    if (!this.#opened) return
    while (this.#inFlight.length < this.#window) {
      const sent = this.#waiting.shift() ?? this.#fresh()
      if (!sent) break
      this.#send(sent)
    }
    if (random.chance(0.02)) this.again(this.#line)
    // Mostly the user waits until all sends are answered, as a client should.
    const closes = world.busy() && random.chance(0.006)
    if (closes && (this.idle || random.chance(0.3))) this.#close()
    if (world.busy() && random.chance(0.0005)) this.#openMany()
  }

  /** The user sends nothing for a while: the stream may end meanwhile. */
  #rest(): void {
    const { random, now } = this.#line
    this.#quietUntil = now + random.between(500, 5_000)
    this.#line.did('workload: a user rests')
  }

  /** Opens more streams than a user may have, and forgets them. */
  #openMany(): void {
    const { random } = this.#line
    for (let left = random.between(1, 30); left > 0; left--) {
      const token = random.bytes(16)
      this.#line.ask((request) => ({ type: 'OPEN_STREAM', request, token }))
    }
    this.#line.did('workload: many streams are opened')
  }

  #close(): void {
    const stream = this.#id
    this.sayClose(this.#line, (answer) => {
      if (stream === this.#id && answer.type === 'STREAM_CLOSED') this.#goOnElsewhere()
    })
    if (this.#line.random.chance(0.1)) this.sayClose(this.#line)
  }

  sayClose(line: Line, then?: (answer: Message) => void, stream = this.#id): void {
    if (!stream) return
    line.ask((request) => ({ type: 'CLOSE_STREAM', request, stream }), then)
  }

  #open(): void {
    const { random, world } = this.#line
    const token = this.#token
    this.#waiting = [...this.#inFlight, ...this.#waiting]
    this.#inFlight = []
    // A stream that is open stays open: the user goes on in it.
    if (this.#id) {
      this.#asked = true
      this.#opened = true
      if (random.chance(0.1)) this.#openAgain(this.#id)
      return
    }
    if (!world.busy() && this.#waiting.length === 0) return
    this.#asked = true
    const build = (request: number): Message => ({ type: 'OPEN_STREAM', request, token })
    this.#line.ask(build, (answer) => {
      if (token !== this.#token || this.#id) return
      if (answer.type !== 'STREAM_OPENED') return this.#refused(answer)
      this.#id = answer.stream
      this.#opened = true
      world.streams.unshift(answer.stream)
      world.streams.splice(SHARED_IDS)
    })
    if (random.chance(0.1)) this.#line.ask(build)
  }

  /** Gets the same stream, unless that has ended. */
  #openAgain(id: Uint8Array): void {
    const token = this.#token
    this.#line.ask(
      (request) => ({ type: 'OPEN_STREAM', request, token }),
      (answer) => {
        if (answer.type !== 'STREAM_OPENED' || this.#id !== id) return
        if (!sameBytes(answer.stream, id)) this.#goOnElsewhere()
      },
    )
  }

  #fresh(): Sent | undefined {
    const { random, world, user } = this.#line
    if (!world.busy() || !random.chance(this.#pace)) return undefined
    const seq = this.#nextSeq++
    const to = random.chance(0.02) ? 'nobody' : random.pick(world.users)
    const filler = random.chance(0.01) ? '.'.repeat(20_000) : ''
    return { seq, to, text: `${user} ${seq} ${random.hex(4)}${filler}` }
  }

  #say(
    line: Line,
    { seq, to, text }: Sent,
    then?: (answer: Message) => void,
    stream = this.#id,
  ): void {
    if (!stream) return
    const { world, user } = line
    // Every sixteenth seq is sealed also for a recipient who does not hold keys: that is refused.
    const seals = world.held.has(user) && (world.held.has(to) || seq % 16 === 0)
    const place = { stream, seq, to }
    line.ask((request) => {
      return seals
        ? { type: 'SEND_SEALED', request, ...place, sealed: sealedBy(user, { ...place, text }) }
        : { type: 'SEND', request, ...place, text }
    }, then)
  }

  #send(sent: Sent): void {
    const { random } = this.#line
    const reused = random.chance(0.01)
    const first = random.chance(0.5)
    this.#inFlight.push(sent)
    if (reused && first) this.#reuse(this.#line, sent, 'before')
    const stream = this.#id
    this.#say(this.#line, sent, (answer) => {
      if (stream === this.#id) this.#answer(sent.seq, answer)
    })
    if (reused && !first) this.#reuse(this.#line, sent, 'behind')
    if (!random.chance(0.02)) return
    this.#say(this.#line, sent)
    this.#line.did('workload: sent twice at once')
  }

  /** Another text, or the same text to another user, under the same seq. */
  #reuse(line: Line, sent: Sent, where: string): void {
    const { random, world } = line
    const other = random.pick(world.users)
    const text = other !== sent.to && random.chance(0.3) ? sent.text : `${sent.text} reused`
    this.#say(line, { ...sent, to: text === sent.text ? other : sent.to, text })
    line.did(`workload: seq reused ${where}`)
  }

  /** Repeats an earlier send, perhaps over another connection. */
  again(line: Line): void {
    const { random } = line
    if (this.#closed.length > 0 && random.chance(0.2)) {
      return this.#askClosed(line, random.pick(this.#closed))
    }
    const from = random.chance(0.3) ? this.#inFlight : this.#answered
    if (from.length === 0) return
    const sent = (random.chance(0.2) && this.#halfForgotten()) || random.pick(from)
    if (random.chance(0.2)) this.#reuse(line, sent, 'long after')
    else this.#say(line, sent)
  }

  /** What the user may ask of a stream that has ended, and gets no further by. */
  #askClosed(line: Line, { id, token, sent }: Closed): void {
    const { random } = line
    const last = sent.at(-1)
    const next = { seq: (last?.seq ?? 0) + 1, to: line.user, text: 'after the end' }
    const again = random.pick([...sent.slice(-20), next])
    random.pick([
      () => this.#say(line, again, undefined, id),
      () => this.sayClose(line, undefined, id),
      () => line.ask((request) => ({ type: 'OPEN_STREAM', request, token })),
    ])()
  }

  /** A send whose answer the replicas that are further on may have forgotten. */
  #halfForgotten(): Sent | undefined {
    const behind = this.#line.random.below(this.#window + 5)
    const seq = this.#nextSeq - KEPT_ANSWERS - behind
    return this.#answered.find((sent) => sent.seq === seq)
  }

  #answer(seq: number, answer: Message): void {
    const code = answer.type === 'ERROR' ? answer.code : 0
    if (code === ERRORS.MAILBOX_FULL.code) return this.#leaveOut(seq)
    if (isClosed(answer)) return this.#goOnElsewhere()
    const consumed = CONSUMED.includes(code)
    if (answer.type !== 'RECEIPT' && !consumed) return this.#refused(answer)
    for (const list of [this.#inFlight, this.#waiting]) {
      const at = list.findIndex((sent) => sent.seq === seq)
      if (at >= 0) this.#answered.push(...list.splice(at, 1))
    }
    if (this.#answered.length > KEPT) this.#answered.shift()
  }

  /** Sends behind this seq continue in another stream. */
  #leaveOut(seq: number): void {
    this.#continueWith([...this.#inFlight, ...this.#waiting].filter((sent) => sent.seq !== seq))
    this.#line.did('workload: a stream is left')
  }

  /** The stream is closed; sends without an answer are new ones in another stream. */
  #goOnElsewhere(): void {
    const [id, token] = [this.#id, this.#token]
    if (id) this.#closed.push({ id, token, sent: [...this.#answered, ...this.#inFlight] })
    if (this.#closed.length > KEPT_CLOSED) this.#closed.shift()
    this.#continueWith([...this.#inFlight, ...this.#waiting])
    this.#line.did('workload: a stream is closed')
  }

  #continueWith(rest: readonly Sent[]): void {
    this.#id = null
    this.#token = this.#line.random.bytes(16)
    this.#waiting = rest.map((sent, i) => ({ ...sent, seq: i + 1 }))
    this.#nextSeq = rest.length + 1
    this.#inFlight = []
    this.#answered = []
    this.disconnected()
  }

  /** Goes back to the lowest seq, once for all that failed together. */
  #refused(answer: Message): void {
    const { random, now } = this.#line
    if (answer.type === 'ERROR' && answer.code === ERRORS.OVERLOADED.code) {
      this.#window = Math.max(1, this.#window >> 1)
    }
    this.disconnected()
    this.#quietUntil = now + random.between(50, 500)
  }

  describe(): string {
    const { length } = this.#inFlight
    return `${this.#opened ? 'open' : 'closed'}, ${length} in flight, ${this.#waiting.length} waiting`
  }
}
