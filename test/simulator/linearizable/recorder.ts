// Collects the requests of clients and their answers into one history per mailbox. A repeated
// request is the same operation: it took effect within some try that was not definitely refused,
// and before the first answer that says so. Tries that were definitely refused tell nothing more.

import { ERRORS } from '../../../protocol/errors.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Operation } from './linearize.js'
import { idOf, type MailboxOperation, type Message as Sent } from './mailbox.js'

type Request = The<
  'REGISTER' | 'LOGIN' | 'SEND' | 'INBOX' | 'DELETE' | 'CHANGE_PASSWORD' | 'DELETE_ACCOUNT'
>
type Answer = The<'SESSION' | 'RECEIPT' | 'PAGE' | 'DELETED' | 'ACCOUNT_DELETED' | 'ERROR'>

interface Try {
  readonly who: string
  readonly called: number
  readonly mailbox: string
  readonly asked: Request
  returned: number
  answer: Answer | null
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const ASKS = new Set([
  ...['REGISTER', 'LOGIN', 'SEND', 'INBOX', 'DELETE', 'CHANGE_PASSWORD', 'DELETE_ACCOUNT'],
])
const ANSWERS = new Set(['SESSION', 'RECEIPT', 'PAGE', 'DELETED', 'ACCOUNT_DELETED', 'ERROR'])

function isError(one: Try, name: keyof typeof ERRORS): boolean {
  return one.answer?.type === 'ERROR' && one.answer.code === ERRORS[name].code
}

function groupBy<Key>(tries: readonly Try[], keyOf: (one: Try) => Key): Map<Key, Try[]> {
  const groups = new Map<Key, Try[]>()
  for (const one of tries) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return groups
}

/** Whether the try may have had an effect. */
const counts = ({ answer }: Try): boolean => answer?.type !== 'ERROR' || !answer.definite

export class Recorder {
  readonly #tries: Try[] = []
  readonly #open = new Map<string, Try>()
  /** Virtual time of every call and return. */
  readonly times: number[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** `user`: the user who is logged in on that connection. */
  asked(who: string, user: string, message: Message): void {
    if (!ASKS.has(message.type)) return
    const asked = message as Request
    const mailbox = 'to' in asked ? asked.to : 'name' in asked ? asked.name : user
    const one = { who, called: this.#place(), mailbox, asked, returned: Infinity, answer: null }
    this.#tries.push(one)
    this.#open.set(`${who}/${asked.request}`, one)
  }

  answered(who: string, message: Message): void {
    if (!ANSWERS.has(message.type)) return
    const answer = message as Answer
    const key = `${who}/${answer.request}`
    const one = this.#open.get(key)
    this.#open.delete(key)
    if (!one) return
    one.answer = answer
    one.returned = this.#place()
  }

  #place(): number {
    return this.times.push(this.#now()) - 1
  }

  /** The histories by mailbox. */
  histories(): Map<string, Operation<MailboxOperation>[]> {
    const byMailbox = groupBy(this.#tries, ({ mailbox }) => mailbox)
    return new Map([...byMailbox].map(([mailbox, tries]) => [mailbox, historyOf(tries)]))
  }
}

function historyOf(tries: readonly Try[]): Operation<MailboxOperation>[] {
  const by = (key: (one: Try) => string): Try[][] => [...groupBy(tries, key).values()]
  const pages = tries.flatMap((one) => inboxOf(one))
  const shown = new Map<string, number>()
  for (const { what } of pages) {
    if (what.kind !== 'inbox') continue
    for (const one of what.messages) shown.set(`${idOf(one)} ${one.text}`, one.index)
  }
  const registrations = by(({ asked }) => (asked.type === 'REGISTER' ? hex(asked.token) : ''))
  const sends = by(({ asked }) => {
    return asked.type === 'SEND' ? `${hex(asked.stream)}/${asked.seq} ${asked.text}` : ''
  })
  const closings = by(({ asked }) => (asked.type === 'DELETE_ACCOUNT' ? hex(asked.token) : ''))
  return [
    ...registrations.flatMap((again) => registrationOf(again)),
    ...closings.flatMap((again) => closingOf(again)),
    ...tries.flatMap((one) => logInOf(one, tries)),
    ...sends.flatMap((again) => sendOf(again, shown)),
    ...tries.flatMap((one) => deleteOf(one)),
    ...pages,
  ].sort((a, b) => a.called - b.called)
}

function operation(
  tries: readonly Try[],
  answers: readonly Try[],
  what: MailboxOperation,
): Operation<MailboxOperation> {
  const called = Math.min(...tries.map((one) => one.called))
  const returned = Math.min(Infinity, ...answers.map((one) => one.returned))
  return { called, returned, who: tries[0]!.who, what }
}

function registrationOf(tries: readonly Try[]): Operation<MailboxOperation>[] {
  const { asked } = tries[0]!
  if (asked.type !== 'REGISTER') return []
  const token = hex(asked.token)
  const taken = tries.filter((one) => isError(one, 'NAME_TAKEN'))
  const counting = tries.filter(counts)
  const sessions = counting.filter(({ answer }) => answer?.type === 'SESSION')
  return [
    ...taken.map((one) => operation([one], [one], { kind: 'name taken', token })),
    ...(counting.length > 0 ? [operation(counting, sessions, { kind: 'register', token })] : []),
  ]
}

function closingOf(tries: readonly Try[]): Operation<MailboxOperation>[] {
  const counting = tries.filter((one) => one.asked.type === 'DELETE_ACCOUNT' && counts(one))
  if (counting.length === 0) return []
  const answers = counting.filter(({ answer }) => answer?.type === 'ACCOUNT_DELETED')
  return [operation(counting, answers, { kind: 'close' })]
}

function logInOf(one: Try, tries: readonly Try[]): Operation<MailboxOperation>[] {
  const { asked, answer } = one
  if (asked.type !== 'LOGIN') return []
  const right = tries.some(({ asked: other, answer: session }) => {
    const registered = other.type === 'REGISTER' && session?.type === 'SESSION'
    return registered && other.password === asked.password
  })
  // The mailbox model does not know which password is right when.
  const changing = tries.some(({ asked: other, called }) => {
    return other.type === 'CHANGE_PASSWORD' && called < one.returned
  })
  const accepted = answer?.type === 'SESSION'
  if (!right || changing || (!accepted && !isError(one, 'BAD_CREDENTIALS'))) return []
  return [operation([one], [one], { kind: 'log in', accepted })]
}

function sendOf(
  tries: readonly Try[],
  shown: ReadonlyMap<string, number>,
): Operation<MailboxOperation>[] {
  const { asked } = tries[0]!
  if (asked.type !== 'SEND') return []
  const { seq, text } = asked
  const message: Sent = { stream: hex(asked.stream), seq, text }
  const refused = tries.filter((one) => isError(one, 'NO_SUCH_USER'))
  const counting = tries.filter(counts)
  // A message has one index; where two receipts of it differ, neither can be right.
  const receipts = groupBy(counting, ({ answer }) =>
    answer?.type === 'RECEIPT' ? answer.index : 0,
  )
  receipts.delete(0)
  const seen = shown.get(`${idOf(message)} ${text}`)
  if (receipts.size === 0 && seen !== undefined) receipts.set(seen, [])
  return [
    ...(refused.length > 0
      ? [operation([...refused, ...counting], refused, { kind: 'refused', message })]
      : []),
    ...[...receipts].flatMap(([index, answers]) =>
      counting.length > 0 ? [operation(counting, answers, { kind: 'send', message, index })] : [],
    ),
  ]
}

function deleteOf(one: Try): Operation<MailboxOperation>[] {
  const { asked, answer } = one
  if (asked.type !== 'DELETE' || !counts(one)) return []
  const index = answer?.type === 'DELETED' ? answer.index : null
  const answers = index === null ? [] : [one]
  return [operation([one], answers, { kind: 'delete', indices: asked.indices, index })]
}

function inboxOf(one: Try): Operation<MailboxOperation>[] {
  const { asked, answer } = one
  if (asked.type !== 'INBOX' || answer?.type !== 'PAGE') return []
  const { after, limit } = asked
  const { next, more } = answer
  const messages = answer.messages.map(({ index, stream, seq, text }) => {
    return { index, stream: hex(stream), seq, text: text ?? '' }
  })
  return [operation([one], [one], { kind: 'inbox', after, limit, messages, next, more })]
}
