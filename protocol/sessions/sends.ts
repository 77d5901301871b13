// Sends of clients: refusals before a place in the order, and answers from the committed log. Rate
// and quota are soft: each replica counts for itself, and sends without an entry yet are not
// counted.

import { ERRORS, errorName } from '../errors.js'
import type { Message, The } from '../messages/catalogue.js'
import { KIND, type Entry } from '../entries/entry.js'
import { decodeNote } from '../entries/note.js'
import type { Executor } from '../state/executor.js'
import type { Answered } from '../state/ledger-view.js'
import type { ProcessingContext } from '../processing/context.js'
import { idOf } from '../bytes.js'
import type { RequestContext } from './request-context.js'
import { RateLimiter } from './rates.js'
import type { Receipts } from './receipts.js'
import { openedBy } from '../state/commands/open-stream.js'
import type { ClientCommand } from '../state/commands/registry.js'
import type { Session } from './session.js'
import { refusal } from '../messages/refusal.js'

const MAY_BE_STORED = 'the message may be stored: its answer is no longer kept'

type Send = The<'SEND' | 'SEND_SEALED'>

export class Sends {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #receipts: Receipts
  readonly #requests: RequestContext
  readonly #rates: RateLimiter

  constructor(
    context: ProcessingContext,
    executor: Executor,
    receipts: Receipts,
    requests: RequestContext,
  ) {
    this.#context = context
    this.#executor = executor
    this.#receipts = receipts
    this.#requests = requests
    const { sendsPerSecond: perSecond, sendBurst: burst } = context.limits
    this.#rates = new RateLimiter({ perSecond, burst })
  }

  /** Users whose rate is counted. */
  get counted(): number {
    return this.#rates.size
  }

  openStream(session: Session, user: string, message: The<'OPEN_STREAM'>): void {
    const { request, token } = message
    const refused = this.#whyTooFast(user, request)
    if (refused) return this.#requests.reply(session, refused)
    const { openStreams: most } = this.#context.limits
    const command = { kind: 'open-stream', user, token, most } as const
    this.#requests.submit(session, request, command, ({ meta, body }) => {
      const code = meta.kind === KIND.noop ? decodeNote(body).code : 0
      if (code !== 0) return this.#requests.refuseByCode(session, request, code)
      // A repeated request: the stream that the first one opened.
      const known = openedBy(this.#executor.base, user, token)
      const stream = meta.kind === KIND.stream ? meta.stream : Buffer.from(known![0], 'latin1')
      this.#requests.reply(session, { type: 'STREAM_OPENED', request, stream })
    })
  }

  closeStream(session: Session, user: string, message: The<'CLOSE_STREAM'>): void {
    const { request, stream } = message
    const command = { kind: 'close-stream', user, stream } as const
    this.#requests.submit(session, request, command, ({ meta, body }) => {
      const code = meta.kind === KIND.noop ? decodeNote(body).code : 0
      if (code !== 0) return this.#requests.refuseByCode(session, request, code)
      this.#requests.reply(session, { type: 'STREAM_CLOSED', request })
    })
  }

  send(session: Session, user: string, message: Send): void {
    const refused = this.#whyRefused(user, message)
    if (refused) return this.#requests.reply(session, refused)
    const answer = (entry: Entry): void => {
      const told = this.#answer(message, entry)
      this.#requests.reply(session, told)
      if (told.type === 'RECEIPT') this.#receipts.stored(session, message.to, told.index)
    }
    const placed = (): void => this.#receipts.accepted(session, message)
    this.#requests.submit(session, message.request, commandOf(user, message), answer, placed)
  }

  #whyRefused(user: string, message: Send): The<'ERROR'> | null {
    const { request, seq, to } = message
    if (seq === 0) return refusal(request, 'BAD_REQUEST', 'seq starts at 1')
    const tooFast = this.#whyTooFast(user, request)
    if (tooFast) return tooFast
    const [held, most] = [this.#executor.base.sizes.of(to), this.#context.limits.mailboxBytes]
    if (held < most || this.#isKnown(message)) return null
    // Not `held`: the size of a mailbox is its owner's alone to know.
    const detail = `${to} may hold ${most} bytes`
    return refusal(request, 'MAILBOX_FULL', detail, { retryAfter: null })
  }

  #whyTooFast(user: string, request: number): The<'ERROR'> | null {
    const retryAfter = this.#rates.take(user, this.#context.now.monotonic)
    if (retryAfter === 0) return null
    const { sendsPerSecond } = this.#context.limits
    const detail = `${sendsPerSecond} a second; again in ${retryAfter} ms`
    return refusal(request, 'RATE_LIMITED', detail, { retryAfter })
  }

  /**
   * The seq is answered already or belongs to another send, or the stream has ended: execution tells
   * which, even if the mailbox is full.
   */
  #isKnown({ stream, seq }: Send): boolean {
    return seq < (this.#executor.base.stream(idOf(stream))?.next ?? Infinity)
  }

  /** The answer to a send, from its entry; a repeated send gets the original's answer (C5). */
  #answer(message: Send, { index, time, meta, body }: Entry): Message {
    const { request, seq, stream } = message
    const answered = (known: Pick<Answered, 'code' | 'index' | 'time'>): Message => {
      if (known.code !== 0) return refusal(request, errorName(known.code) ?? 'BAD_REQUEST')
      return { type: 'RECEIPT', request, seq, index: known.index, time: known.time }
    }
    if (meta.kind === KIND.message || meta.kind === KIND.refusal)
      return answered({ code: meta.answer, index, time })
    const { code, value } = decodeNote(body)
    if (code === ERRORS.OUT_OF_ORDER.code) {
      return refusal(request, 'OUT_OF_ORDER', `expected ${value}`, { expected: value })
    }
    if (code === ERRORS.STREAM_CLOSED.code) {
      // Each seq below the next one was executed before the stream's end; 0: that is not remembered.
      const definite = value > 0 && seq >= value
      return refusal(request, 'STREAM_CLOSED', definite ? '' : MAY_BE_STORED, { definite })
    }
    if (code !== 0) return refusal(request, errorName(code) ?? 'BAD_REQUEST')
    const known = this.#executor.base.answered(idOf(stream), value)
    if (!known) return refusal(request, 'OLD_DUPLICATE')
    return answered(known)
  }
}

function commandOf(user: string, message: Send): ClientCommand {
  const { stream, seq, to } = message
  if (message.type === 'SEND') return { kind: 'send', user, stream, seq, to, text: message.text }
  return { kind: 'send-sealed', user, stream, seq, to, sealed: message.sealed }
}
