// Replicas and clients that the test plays: they link, send heartbeats, answer nothing of
// themselves, and send exactly what the test tells them to.

import type { Effect, Input, LinkId, Machine } from '../../protocol/machine/machine.js'
import type { Slot } from '../../protocol/slots.js'
import {
  CHAIN_ZERO,
  lastOf,
  packDrafts,
  withChain,
  type Batch,
} from '../../protocol/entries/batch.js'
import { KIND, plainMeta } from '../../protocol/entries/entry.js'
import { EPOCH_ZERO, type Epoch } from '../../protocol/entries/epoch.js'
import type { Place } from '../../protocol/entries/place.js'
import type { Incarnation } from '../../protocol/entries/incarnation.js'
import type { Message, The } from '../../protocol/messages/catalogue.js'
import type { Body } from '../../protocol/persistence/context.js'
import type { Stage } from './stage.js'

/** Sends what it is told to, and on every tick the heartbeat that the test has given it. */
class Puppet implements Machine {
  readonly #links = new Map<string, LinkId>()
  readonly #signs: (to: string) => Message | null
  #effects: Effect[] = []

  constructor(signs: (to: string) => Message | null) {
    this.#signs = signs
  }

  say(to: string, message: Message): void {
    const link = this.#links.get(to)
    if (link === undefined) throw new Error(`no link to ${to}`)
    this.#effects.push({ type: 'send', link, message })
  }

  step(input: Input): Effect[] {
    if (input.type === 'link-up' && input.peer.role !== 'client' && input.peer.lane === 'main') {
      const { role, slot } = input.peer
      this.#links.set(`${role === 'processing' ? 'p' : 's'}${slot}`, input.link)
    }
    if (input.type === 'link-down') {
      for (const [to, link] of this.#links) if (link === input.link) this.#links.delete(to)
    }
    if (input.type === 'tick') {
      for (const to of this.#links.keys()) {
        const sign = this.#signs(to)
        if (sign) this.say(to, sign)
      }
    }
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  readonly debugWords = {}

  metrics(): Record<string, number> {
    return {}
  }
}

/** A persistence replica played by the test. */
export class PlayedStore {
  readonly #stage: Stage
  readonly #name: string
  readonly #slot: Slot
  readonly #puppet: Puppet
  clock = 0
  installed: Epoch = EPOCH_ZERO
  promised: Epoch = EPOCH_ZERO
  incarnation: Incarnation = { counter: 1, nonce: '' }
  /** Fields of its heartbeats that differ from the usual ones. */
  heartbeat: Partial<The<'VIEW_HEARTBEAT'>> = {}

  constructor(stage: Stage, slot: Slot, slots: number) {
    this.#stage = stage
    this.#slot = slot
    this.#name = `s${slot}`
    const reaches = Array.from({ length: slots }, (_, i) => i + 1)
    this.#puppet = new Puppet((to) => {
      if (!to.startsWith('s')) return null
      const usual = { status: 'outside', active: false, reaches, last: 0, committed: 0 } as const
      const rest = {
        oldestWrite: 0,
        writable: true,
        term: 0,
        leaseWeight: 0,
        resign: 0,
        urgent: false,
      }
      return this.#whole({ type: 'VIEW_HEARTBEAT', ...usual, ...rest, ...this.heartbeat })
    })
    stage.add('persistence', slot, () => this.#puppet)
  }

  get member(): { slot: Slot; incarnation: Incarnation } {
    return { slot: this.#slot, incarnation: this.incarnation }
  }

  #whole(body: Body): Message {
    const { installed, promised, incarnation } = this
    return { ...body, clock: ++this.clock, installed, promised, incarnation } as Message
  }

  /** Sends a message and runs everything that follows at once. */
  say(to: string, body: Body): void {
    this.#puppet.say(to, this.#whole(body))
    this.#stage.host(this.#name).input({ type: 'tick' })
    this.#stage.run(15)
  }

  consent(to: string, epoch: Epoch): void {
    this.say(to, { type: 'CONSENT', epoch, granted: true, reason: '' })
  }

  promise(to: string, epoch: Epoch, told: Partial<The<'PROMISE'>> = {}): void {
    this.promised = epoch
    const usual = { logView: EPOCH_ZERO, last: START, commit: 0, incarnations: [], learner: false }
    this.say(to, { type: 'PROMISE', epoch, ...usual, ...told })
  }
}

/** A processing replica played by the test, as a writer to persistence. */
export class PlayedWriter {
  readonly #stage: Stage
  readonly #name: string
  readonly #puppet: Puppet
  term = 0
  nonce = ''

  constructor(stage: Stage, slot: Slot) {
    this.#stage = stage
    this.#name = `p${slot}`
    this.#puppet = new Puppet((to) =>
      to.startsWith('s') ? { type: 'HOME_HEARTBEAT', holds: 0, nonce: '', weight: 1 } : null,
    )
    stage.add('processing', slot, () => this.#puppet)
  }

  say(to: string, message: Message): void {
    this.#puppet.say(to, message)
    this.#stage.host(this.#name).input({ type: 'tick' })
  }

  /** Claims the next term at `to` and waits until the claim is won. */
  claim(to: string): void {
    const nonce = `nonce of term ${this.term + 1}`
    this.say(to, { type: 'CLAIM', expected: this.term, nonce, weight: 1 })
    const claimed = this.#stage.untilSent(to, this.#name, 'CLAIMED')
    if (claimed.outcome !== 'won') throw new Error(`claim ${claimed.outcome}`)
    this.term = claimed.term
  }

  /** Appends order k, with one entry; the append's id is k. */
  append(to: string, k: number, text = `order ${k}`): void {
    const drafts = [{ meta: plainMeta(KIND.message, 0, 'alice'), body: Buffer.from(text) }]
    const place = { id: k, term: this.term, k, time: 0 }
    this.say(to, { type: 'APPEND', ...place, ...packDrafts(drafts) })
  }
}

const START: Place = { index: 0, chain: CHAIN_ZERO }

/** A log of marks, one batch for each epoch given, in order. */
export function logOf(epochs: readonly Epoch[]): Batch[] {
  const log: Batch[] = []
  for (const [i, epoch] of epochs.entries()) {
    const place = { first: i + 1, epoch, term: 0, k: 0, lamport: i + 1, time: 0 }
    const contents = packDrafts([{ meta: plainMeta(KIND.marks), body: Buffer.from('[]') }])
    log.push(withChain(log.at(-1)?.chain ?? CHAIN_ZERO, { ...place, ...contents }))
  }
  return log
}

export const placeOf = (log: readonly Batch[]): Place => {
  const end = log.at(-1)
  return end ? { index: lastOf(end), chain: end.chain } : START
}

type Request = Extract<Message, { readonly request: number }>
type WithoutRequest<M> = M extends unknown ? Omit<M, 'request'> : never
/** A request of a client before it has its number. */
export type Asked = WithoutRequest<Request>

/** Of every account that a played client registers. */
export const PASSWORD = 'correct horse'

/** A client played by the test, connected to one processing replica at a time. */
export class PlayedClient {
  readonly #stage: Stage
  readonly #name: string
  readonly #puppet = new Puppet(() => null)
  #at = ''
  #request = 0

  constructor(stage: Stage, slot: Slot) {
    this.#stage = stage
    this.#name = `c${slot}`
    stage.add('client', slot, () => this.#puppet)
  }

  connect(to: string): void {
    this.#at = to
    this.#stage.dial(this.#name, to)
    this.#stage.run(10)
  }

  /** Sends a request without waiting; the request's number. */
  send(asked: Asked): number {
    const request = ++this.#request
    this.#puppet.say(this.#at, { ...asked, request } as Message)
    this.#stage.host(this.#name).input({ type: 'tick' })
    return request
  }

  /** The answer to a request; undefined: there is none yet. */
  answer(request: number): Request | undefined {
    for (const { to, message } of this.#stage.said) {
      if (to !== this.#name || message.type === 'PROGRESS' || !('request' in message)) continue
      if (message.request === request) return message
    }
    return undefined
  }

  /** Sends a request; its answer. */
  ask(asked: Asked): Request {
    const request = this.send(asked)
    this.#stage.until(`answer to ${asked.type}`, () => this.answer(request) !== undefined)
    return this.answer(request)!
  }

  /** Registers an account and opens a stream; the stream's id. */
  register(name: string): Uint8Array {
    const token = new Uint8Array(16).fill(name.length)
    const session = this.ask({
      type: 'REGISTER',
      name,
      password: PASSWORD,
      token,
      keys: null,
      invitation: null,
    })
    if (session.type !== 'SESSION') throw new Error(`no session: ${JSON.stringify(session)}`)
    const opened = this.ask({ type: 'OPEN_STREAM', token })
    if (opened.type !== 'STREAM_OPENED') throw new Error(`no stream: ${JSON.stringify(opened)}`)
    return opened.stream
  }
}
