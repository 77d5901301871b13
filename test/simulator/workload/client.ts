// A virtual user: registers, opens streams, pipelines sends, sends again after a failover by
// (stream, seq), asks for the same thing twice, reuses a seq wrongly now and then, reads pages and
// listens. Its answers are checked by checks/clients.ts; here is only how a client behaves.

import type { Effect, Input, LinkId, Machine, Now, Slot } from '../../../protocol/machine.js'
import { ERRORS } from '../../../protocol/errors.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Start } from '../host.js'
import { Random } from '../random.js'

interface Sent {
  readonly seq: number
  readonly to: string
  readonly text: string
}

interface Stream {
  readonly id: Uint8Array
  /** Asked for on this connection; answered, on any. */
  asked: boolean
  opened: boolean
  nextSeq: number
  /** On the wire at least once, not answered, in order. */
  unanswered: Sent[]
  /** Answered; kept to be sent again. */
  answered: Sent[]
  /** Nothing is sent before then. */
  quietUntil: number
}

type Asked =
  | { readonly kind: 'log-in' }
  | { readonly kind: 'inbox' }
  | { readonly kind: 'other' }
  | { readonly kind: 'open'; readonly stream: Stream }
  | { readonly kind: 'send'; readonly stream: Stream; readonly seq: number }

const PATIENCE_MS = 3_000

export interface ClientWorld {
  readonly users: readonly string[]
  readonly processing: number
  readonly busy: () => boolean
  readonly dial: (processing: Slot) => void
}

export const userOf = (slot: Slot): string => `user${slot}`

export class Client implements Machine {
  readonly #user: string
  readonly #random: Random
  readonly #world: ClientWorld
  readonly #streams: Stream[]
  readonly #pipeline: number
  readonly #pace: number
  readonly #token: Uint8Array
  #effects: Effect[] = []
  #now = 0
  #link: LinkId | null = null
  #dialAt = 0
  #at: Slot = 0
  #loggedIn = false
  #registered = false
  #requests = 0
  #asked = new Map<number, Asked & { readonly since: number }>()
  #readAt = 0
  #readAfter = 0
  #finalRead: 'no' | 'reading' | 'done' = 'no'
  #heard = 0

  constructor(slot: Slot, start: Start, world: ClientWorld) {
    this.#user = userOf(slot)
    this.#random = new Random(Buffer.from(start.entropy(4)).readUInt32BE())
    this.#world = world
    this.#pipeline = this.#random.pick([1, 4, 16, 64])
    this.#pace = this.#random.pick([0.05, 0.2, 0.5])
    this.#token = this.#random.bytes(16)
    this.#streams = Array.from({ length: this.#random.between(1, 2) }, () => ({
      id: this.#random.bytes(16),
      asked: false,
      opened: false,
      nextSeq: 1,
      unanswered: [],
      answered: [],
      quietUntil: 0,
    }))
  }

  /** Nothing is unanswered, and the whole mailbox was read after the last send. */
  get settled(): boolean {
    const answered = this.#streams.every((stream) => stream.unanswered.length === 0)
    return answered && this.#finalRead === 'done'
  }

  step(input: Input, now: Now): Effect[] {
    this.#now = now.monotonic
    if (input.type === 'link-up') this.#connected(input.link)
    if (input.type === 'link-down' && input.link === this.#link) this.#lost()
    if (input.type === 'message' && input.link === this.#link) this.#hear(input.message)
    if (input.type === 'tick') this.#tick()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  // ---- connections ----------------------------------------------------------------------------

  #connected(link: LinkId): void {
    if (this.#link !== null) return void this.#effects.push({ type: 'close', link, reason: '' })
    this.#link = link
    this.#loggedIn = false
    this.#heard = this.#now
    for (const stream of this.#streams) stream.asked = false
    this.#ask({ kind: 'other' }, (request) => ({ type: 'STATUS', request }))
    this.#logIn()
  }

  #lost(): void {
    this.#link = null
    this.#asked.clear()
    if (this.#finalRead === 'reading') this.#finalRead = 'no'
    this.#dialAt = this.#now + this.#random.between(10, 400)
  }

  #leave(): void {
    if (this.#link !== null) this.#effects.push({ type: 'close', link: this.#link, reason: 'left' })
    this.#lost()
  }

  #tick(): void {
    if (this.#link === null) {
      if (this.#now < this.#dialAt) return
      this.#dialAt = this.#now + this.#random.between(200, 1_000)
      this.#at = this.#random.between(1, this.#world.processing)
      return this.#world.dial(this.#at)
    }
    const late = [...this.#asked.values()].some(({ since }) => this.#now - since > PATIENCE_MS)
    if (late || this.#random.chance(0.0005)) return this.#leave()
    if (!this.#loggedIn) return
    for (const stream of this.#streams) this.#work(stream)
    this.#read()
  }

  // ---- what it asks ---------------------------------------------------------------------------

  #ask(asked: Asked, message: (request: number) => Message): void {
    if (this.#link === null) return
    const request = ++this.#requests
    if (asked.kind !== 'other') this.#asked.set(request, { ...asked, since: this.#now })
    this.#effects.push({ type: 'send', link: this.#link, message: message(request) })
  }

  #logIn(): void {
    const [name, password, token] = [this.#user, `secret of ${this.#user}`, this.#token]
    const again = this.#registered && this.#random.chance(0.7)
    this.#ask({ kind: 'log-in' }, (request) =>
      again
        ? { type: 'LOGIN', request, name, password }
        : { type: 'REGISTER', request, name, password, token },
    )
  }

  #work(stream: Stream): void {
    if (this.#now < stream.quietUntil) return
    if (!stream.asked) {
      stream.asked = true
      const { id } = stream
      return this.#ask({ kind: 'open', stream }, (request) => {
        return { type: 'OPEN_STREAM', request, stream: id }
      })
    }
    if (!stream.opened || !this.#world.busy()) return
    while (stream.unanswered.length < this.#pipeline && this.#random.chance(this.#pace)) {
      const seq = stream.nextSeq++
      const to = this.#random.chance(0.02) ? 'nobody' : this.#random.pick(this.#world.users)
      const filler = this.#random.chance(0.01) ? '.'.repeat(20_000) : ''
      const sent = { seq, to, text: `${this.#user} ${seq} ${this.#random.hex(4)}${filler}` }
      stream.unanswered.push(sent)
      this.#send(stream, sent)
    }
    if (stream.answered.length > 0 && this.#random.chance(0.02)) this.#repeat(stream)
  }

  #send(stream: Stream, { seq, to, text }: Sent): void {
    const { id } = stream
    this.#ask({ kind: 'send', stream, seq }, (request) => {
      return { type: 'SEND', request, stream: id, seq, to, text }
    })
  }

  /** The same again: the original's answer (C5); or another text under its seq: CONFLICT. */
  #repeat(stream: Stream): void {
    const sent = this.#random.pick(stream.answered)
    const wrong = this.#random.chance(0.2)
    const text = wrong ? `${sent.text} reused wrongly` : sent.text
    const { id } = stream
    this.#ask({ kind: 'other' }, (request) => {
      return { type: 'SEND', request, stream: id, seq: sent.seq, to: sent.to, text }
    })
  }

  /** After a break everything unanswered again, from the lowest, in order. */
  #resend(stream: Stream): void {
    for (const sent of stream.unanswered) this.#send(stream, sent)
  }

  #read(): void {
    const asking = [...this.#asked.values()].some(({ kind }) => kind === 'inbox')
    if (asking || this.#now < this.#readAt || this.#finalRead === 'done') return
    this.#readAt = this.#now + this.#random.between(100, 2_000)
    const quiet = !this.#world.busy() && this.#streams.every((s) => s.unanswered.length === 0)
    if (quiet && this.#finalRead === 'no') {
      this.#finalRead = 'reading'
      this.#readAfter = 0
      this.#readAt = this.#now
    } else if (this.#finalRead === 'reading') this.#readAt = this.#now
    else if (this.#random.chance(0.3)) return this.#listen()
    const [after, limit] = [this.#readAfter, this.#random.between(1, 100)]
    this.#ask({ kind: 'inbox' }, (request) => ({ type: 'INBOX', request, after, limit }))
  }

  #listen(): void {
    const after = this.#random.chance(0.5) ? null : this.#readAfter
    const window = this.#random.pick([1, 8, 256])
    this.#ask({ kind: 'other' }, (request) => ({ type: 'LISTEN', request, after, window }))
  }

  // ---- what it hears --------------------------------------------------------------------------

  #hear(message: Message): void {
    this.#heard = this.#now
    switch (message.type) {
      case 'SESSION':
        this.#asked.delete(message.request)
        this.#loggedIn = true
        this.#registered = true
        return
      case 'STREAM_OPENED': {
        const asked = this.#take(message.request)
        if (asked?.kind !== 'open') return
        asked.stream.opened = true
        return this.#resend(asked.stream)
      }
      case 'RECEIPT':
        return this.#answered(message.request)
      case 'ERROR':
        return this.#refused(message)
      case 'PAGE':
        return this.#page(message)
      case 'PUSH':
        return this.#acknowledge(message.messages.at(-1)!.index)
      case 'STATUS_IS':
        // Most go to the coordinator where another one answers.
        if (message.coordinator === 0 || message.coordinator === this.#at) return
        if (this.#random.chance(0.5)) return
        this.#leave()
        this.#at = message.coordinator
        return this.#world.dial(this.#at)
    }
  }

  #take(request: number): Asked | undefined {
    const asked = this.#asked.get(request)
    this.#asked.delete(request)
    return asked
  }

  #answered(request: number): void {
    const asked = this.#take(request)
    if (asked?.kind !== 'send') return
    const { stream, seq } = asked
    const at = stream.unanswered.findIndex((sent) => sent.seq === seq)
    if (at < 0) return
    stream.answered.push(...stream.unanswered.splice(at, 1))
    if (stream.answered.length > 100) stream.answered.shift()
  }

  #refused(message: The<'ERROR'>): void {
    const { request, code } = message
    const consumed = code === ERRORS.NO_SUCH_USER.code || code === ERRORS.DIVERGED.code
    if (consumed && this.#asked.get(request)?.kind === 'send') return this.#answered(request)
    const asked = this.#take(request)
    if (!asked || asked.kind === 'other') return
    if (asked.kind === 'inbox') {
      if (this.#finalRead === 'reading') this.#finalRead = 'no'
      return
    }
    if (asked.kind === 'log-in') return this.#leave()
    // Back to the lowest, once for all that failed together.
    const { stream } = asked
    stream.asked = false
    stream.quietUntil = this.#now + this.#random.between(50, 500)
  }

  #page(message: The<'PAGE'>): void {
    this.#asked.delete(message.request)
    this.#readAfter = message.next
    if (message.messages.length > 0) this.#acknowledge(message.messages.at(-1)!.index)
    if (this.#finalRead === 'reading' && !message.more) this.#finalRead = 'done'
  }

  #acknowledge(index: number): void {
    if (this.#link === null || this.#random.chance(0.3)) return
    this.#effects.push({ type: 'send', link: this.#link, message: { type: 'CURSOR', index } })
  }

  describe(): string {
    const streams = this.#streams.map((s) => `${s.opened} ${s.unanswered.length} unanswered`)
    return `link ${this.#link} to p${this.#at}, logged in ${this.#loggedIn}, ${streams.join('; ')}`
  }

  metrics(): Record<string, number> {
    return { heard: this.#heard }
  }
}
