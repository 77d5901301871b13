// What a mailbox is, said sequentially: it comes into being by a registration; from then on messages
// are appended, each at a higher log index than the last and each stream's in the order of its seqs;
// an inbox read shows all that is there between two indices. Indices are claims that receipts and
// pages make: they say in which order the messages must have been appended, and the calls and
// returns have to allow exactly that order. (A delete would be one more change with an index.)

import type { Model, Operation } from './linearize.js'
import type { Without } from './minimal.js'
import type { Row } from './table.js'

export interface Message {
  readonly stream: string
  readonly seq: number
  readonly text: string
}

export interface Shown extends Message {
  readonly index: number
}

export interface Send {
  readonly kind: 'send'
  readonly message: Message
  /** From its receipt; of one that never returned: where a page shows it. */
  readonly index: number
}

export interface Inbox {
  readonly kind: 'inbox'
  readonly after: number
  readonly limit: number
  readonly messages: readonly Shown[]
  /** The page holds all that is above `after` up to here ... */
  readonly next: number
  /** ... and, where this is not set, all that there was. */
  readonly more: boolean
}

export type MailboxOperation =
  /** Answered by a session, or not at all. Names are told apart by the registration's token. */
  | { readonly kind: 'register'; readonly token: string }
  | { readonly kind: 'name taken'; readonly token: string }
  /** With the right password. */
  | { readonly kind: 'log in'; readonly accepted: boolean }
  | Send
  /** No such user: consumed its seq, appended nothing. */
  | { readonly kind: 'refused'; readonly message: Message }
  | Inbox

type History = readonly Operation<MailboxOperation>[]

interface State {
  /** Of the registration that made the mailbox; '': there is none. */
  readonly token: string
  /** So many messages have been appended, in the order of their indices. */
  readonly count: number
}

export const idOf = ({ stream, seq }: Message): string => `${stream}/${seq}`

export const shownAs = (one: Shown, other: Shown): boolean =>
  one.index === other.index && idOf(one) === idOf(other) && one.text === other.text

function sendsOf(history: History): Send[] {
  const sends = history.flatMap(({ what }) => (what.kind === 'send' ? [what] : []))
  return sends.sort((a, b) => a.index - b.index)
}

/** The model of one history: every message whose index is known was appended, in that order. */
export class Mailbox implements Model<State, MailboxOperation> {
  readonly init: State = { token: '', count: 0 }
  /** By place in the mailbox. */
  readonly #log: readonly Shown[]
  readonly #placeOf: ReadonlyMap<MailboxOperation, number>
  /** Places where a message cannot stand: out of its stream's order, or at an index taken. */
  readonly #misplaced = new Set<number>()
  /** Without a registration in the history nothing is known of when the mailbox came into being. */
  readonly #made: boolean

  constructor(history: History) {
    this.#made = history.some(({ what }) => what.kind === 'register')
    const sends = sendsOf(history)
    this.#log = sends.map(({ message, index }) => ({ ...message, index }))
    this.#placeOf = new Map(sends.map((send, place) => [send, place]))
    const newest = new Map<string, number>()
    for (const [place, { stream, seq, index }] of this.#log.entries()) {
      const inOrder = seq > (newest.get(stream) ?? 0) && index > (this.#log[place - 1]?.index ?? 0)
      if (!inOrder) this.#misplaced.add(place)
      newest.set(stream, seq)
    }
  }

  key({ token, count }: State): string {
    return `${count} ${token}`
  }

  isQuery({ kind }: MailboxOperation): boolean {
    return kind !== 'register' && kind !== 'send'
  }

  step(state: State, what: MailboxOperation): State | null {
    const { token, count } = state
    const exists = token !== '' || !this.#made
    switch (what.kind) {
      case 'register':
        return !exists || token === what.token ? { token: what.token, count } : null
      case 'name taken':
        return exists && token !== what.token ? state : null
      case 'log in':
        return exists === what.accepted || !this.#made ? state : null
      case 'send': {
        const fits = exists && this.#placeOf.get(what) === count && !this.#misplaced.has(count)
        return fits ? { token, count: count + 1 } : null
      }
      case 'refused':
        return exists && this.#made ? null : state
      case 'inbox':
        return exists && this.#shows(what, count) ? state : null
    }
  }

  #shows({ after, limit, messages, next, more }: Inbox, count: number): boolean {
    if (messages.length > limit || next < after) return false
    let place = this.#firstAbove(after)
    for (const message of messages) {
      if (place >= count || !shownAs(this.#log[place]!, message)) return false
      place++
    }
    // Nothing up to `next` may be missing, nor come later.
    if ((this.#log[place]?.index ?? Infinity) <= next) return false
    return more || place >= count
  }

  #firstAbove(index: number): number {
    let [low, high] = [0, this.#log.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#log[middle]!.index > index) high = middle
      else low = middle + 1
    }
    return low
  }
}

const isNaming = ({ kind }: MailboxOperation): boolean =>
  kind === 'register' || kind === 'name taken'

/**
 * Of the mailbox as if some messages had never been: they go from the pages with their sends. Where
 * a registration goes, all go: then the mailbox may have been there at any time.
 */
export const withoutMessages: Without<MailboxOperation> = (history, gone) => {
  const ids = new Set<string>()
  for (const { what } of gone) if (what.kind === 'send') ids.add(idOf(what.message))
  const nameless = [...gone].some(({ what }) => what.kind === 'register')
  return history
    .filter((operation) => !gone.has(operation) && !(nameless && isNaming(operation.what)))
    .map((operation) => {
      const { what } = operation
      if (what.kind !== 'inbox' || !what.messages.some((one) => ids.has(idOf(one)))) {
        return operation
      }
      const messages = what.messages.filter((one) => !ids.has(idOf(one)))
      return { ...operation, what: { ...what, messages } }
    })
}

export function describeMailbox(what: MailboxOperation): Row {
  const named = ({ stream, seq }: Message): string => `${stream.slice(0, 6)}/${seq}`
  switch (what.kind) {
    case 'register':
      return { asked: `register ${what.token.slice(0, 6)}`, answered: 'session' }
    case 'name taken':
      return { asked: `register ${what.token.slice(0, 6)}`, answered: 'name taken' }
    case 'log in':
      return { asked: 'log in', answered: what.accepted ? 'session' : 'no such account' }
    case 'send':
      return { asked: `send ${named(what.message)}`, answered: `at ${what.index}` }
    case 'refused':
      return { asked: `send ${named(what.message)}`, answered: 'no such user' }
    case 'inbox': {
      const { after, limit, messages, next, more } = what
      const shown = messages.map((one) => `${one.index}=${named(one)}`).join(' ')
      const end = `next ${next}${more ? ', more' : ''}`
      return { asked: `inbox after ${after}, ${limit}`, answered: `[${shown}] ${end}` }
    }
  }
}
