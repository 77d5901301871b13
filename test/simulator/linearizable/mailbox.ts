// A mailbox as a sequential object. A registration creates it. From then on messages are appended,
// each at a higher log index than the last and each stream's in the order of its seqs; a delete
// takes messages out; an inbox read shows all messages between two indices. Receipts, answers of
// deletes and pages claim indices, which fix the order of the changes; the calls and returns have
// to allow exactly that order. Messages named by an unanswered delete may be there or not from then
// on.

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

interface Send {
  readonly kind: 'send'
  readonly message: Message
  /** Index from the receipt; for a send that never returned, from a page that shows it. */
  readonly index: number
}

interface Delete {
  readonly kind: 'delete'
  readonly indices: readonly number[]
  /**
   * Index from the answer; null: the delete has no answer and took effect at any time, or never.
   */
  readonly index: number | null
}

export interface Inbox {
  readonly kind: 'inbox'
  readonly after: number
  readonly limit: number
  readonly messages: readonly Shown[]
  /** The page holds all messages above `after` up to this index ... */
  readonly next: number
  /** ... and, where this is false, all messages that there were. */
  readonly more: boolean
}

export type MailboxOperation =
  /**
   * A registration, answered by a session or not at all; the token tells registrations of one name
   * apart.
   */
  | { readonly kind: 'register'; readonly token: string }
  | { readonly kind: 'name taken'; readonly token: string }
  /** A log-in with the right password. */
  | { readonly kind: 'log in'; readonly accepted: boolean }
  /** The account ends; its name stays taken. */
  | { readonly kind: 'close' }
  | Send
  /** A send refused with NO_SUCH_USER: it consumed its seq and appended nothing. */
  | { readonly kind: 'refused'; readonly message: Message }
  | Delete
  | Inbox

type History = readonly Operation<MailboxOperation>[]

interface State {
  /** Token of the registration that made the mailbox; '': there is none. */
  readonly token: string
  /** Number of changes made so far, in the order of their indices. */
  readonly count: number
  readonly closed: boolean
}

type Change = Send | (Delete & { readonly index: number })

interface Place {
  readonly index: number
  /** The appended message; null: the change is a delete. */
  readonly message: Shown | null
  /** Place from which on the message is deleted. */
  gone: number
  /** Whether an unanswered delete names the message. */
  unsure: boolean
}

export const idOf = ({ stream, seq }: Message): string => `${stream}/${seq}`

const shownAs = (one: Shown, other: Shown): boolean =>
  one.index === other.index && idOf(one) === idOf(other) && one.text === other.text

function isChange(what: MailboxOperation): what is Change {
  return what.kind === 'send' || (what.kind === 'delete' && what.index !== null)
}

function changesOf(history: History): Change[] {
  const changes = history.map(({ what }) => what).filter(isChange)
  return changes.sort((a, b) => a.index - b.index)
}

const placeOf = (change: Change): Place => {
  const { index } = change
  const message = change.kind === 'send' ? { ...change.message, index } : null
  return { index, message, gone: Infinity, unsure: false }
}

/** The model of one history: every message whose index is known was appended, in that order. */
export class Mailbox implements Model<State, MailboxOperation> {
  readonly init: State = { token: '', count: 0, closed: false }
  /** Changes by place in the mailbox. */
  readonly #log: readonly Place[]
  readonly #placeOf: ReadonlyMap<MailboxOperation, number>
  /**
   * Places of messages that cannot stand there: out of their stream's order, or at an index that is
   * taken.
   */
  readonly #misplaced = new Set<number>()
  /** Whether the history has a registration; otherwise the mailbox may have existed at any time. */
  readonly #made: boolean

  constructor(history: History) {
    this.#made = history.some(({ what }) => what.kind === 'register')
    const changes = changesOf(history)
    this.#log = changes.map(placeOf)
    this.#placeOf = new Map(changes.map((change, place) => [change, place]))
    const newest = new Map<string, number>()
    for (const [place, { message, index }] of this.#log.entries()) {
      const { stream, seq } = message ?? { stream: '', seq: Infinity }
      const inOrder = seq > (newest.get(stream) ?? 0) && index > (this.#log[place - 1]?.index ?? 0)
      if (!inOrder) this.#misplaced.add(place)
      if (message) newest.set(stream, seq)
    }
    this.#mark(history, changes)
  }

  #mark(history: History, changes: readonly Change[]): void {
    const byIndex = new Map(this.#log.map((place) => [place.index, place]))
    for (const [at, change] of changes.entries()) {
      for (const index of change.kind === 'delete' ? change.indices : []) {
        const named = byIndex.get(index)
        if (named && index < change.index) named.gone = Math.min(named.gone, at)
      }
    }
    for (const { what } of history) {
      if (what.kind !== 'delete' || what.index !== null) continue
      for (const index of what.indices) {
        const named = byIndex.get(index)
        if (named) named.unsure = true
      }
    }
  }

  key({ token, count, closed }: State): string {
    return `${count} ${token} ${closed}`
  }

  isQuery({ kind }: MailboxOperation): boolean {
    return kind !== 'register' && kind !== 'send' && kind !== 'delete' && kind !== 'close'
  }

  step(state: State, what: MailboxOperation): State | null {
    const { token, count, closed } = state
    const taken = token !== '' || !this.#made
    const exists = taken && !closed
    switch (what.kind) {
      case 'register':
        return !taken || (exists && token === what.token) ? { ...state, token: what.token } : null
      case 'name taken':
        return closed || (taken && token !== what.token) ? state : null
      case 'close':
        return exists ? { ...state, closed: true } : null
      case 'log in':
        return exists === what.accepted || !this.#made ? state : null
      case 'send': {
        const fits = exists && this.#placeOf.get(what) === count && !this.#misplaced.has(count)
        return fits ? { ...state, count: count + 1 } : null
      }
      case 'delete': {
        if (what.index === null) return state
        const fits = exists && this.#placeOf.get(what) === count && !this.#misplaced.has(count)
        return fits ? { ...state, count: count + 1 } : null
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
      while (place < count && this.#passes(this.#log[place]!, count, message)) place++
      const there = this.#log[place]?.message
      if (place >= count || !there || !shownAs(there, message)) return false
      place++
    }
    while (place < count && this.#passes(this.#log[place]!, count, null)) place++
    // No message up to `next` may be missing or come later.
    if ((this.#log[place]?.index ?? Infinity) <= next) return false
    return more || place >= count
  }

  /**
   * Whether a page of the first `count` changes may leave this change out. `next`: the next message
   * that the page shows.
   */
  #passes({ message, gone, unsure }: Place, count: number, next: Shown | null): boolean {
    if (!message || gone < count) return true
    return unsure && !(next && shownAs(message, next))
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

const restsOnClosing = ({ kind }: MailboxOperation): boolean =>
  kind === 'refused' || kind === 'log in' || kind === 'name taken'

/**
 * The history without some messages: they go from the pages together with their sends. Where a
 * registration goes, all go, and the mailbox may have existed at any time. The end of the account
 * takes with it what exists only after it. A delete stays as long as a message that it names:
 * without it, pages that leave that message out would be wrong.
 */
export const withoutMessages: Without<MailboxOperation> = (history, gone) => {
  const ids = new Set<string>()
  for (const { what } of gone) if (what.kind === 'send') ids.add(idOf(what.message))
  const there = new Set<number>()
  for (const operation of history) {
    const { what } = operation
    if (what.kind === 'send' && !gone.has(operation)) there.add(what.index)
  }
  const justifies = (what: MailboxOperation): boolean =>
    what.kind === 'delete' && what.indices.some((index) => there.has(index))
  const nameless = [...gone].some(({ what }) => what.kind === 'register')
  const open = [...gone].some(({ what }) => what.kind === 'close')
  return history
    .filter(({ what }) => !(nameless && isNaming(what)) && !(open && restsOnClosing(what)))
    .filter((operation) => !gone.has(operation) || justifies(operation.what))
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
    case 'close':
      return { asked: 'delete the account', answered: 'deleted' }
    case 'log in':
      return { asked: 'log in', answered: what.accepted ? 'session' : 'no such account' }
    case 'send':
      return { asked: `send ${named(what.message)}`, answered: `at ${what.index}` }
    case 'delete':
      return { asked: `delete ${what.indices.join(' ')}`, answered: `by ${what.index ?? '?'}` }
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
