// The mailbox as a sequential object: hand-made histories for each kind of error, and random ones
// of a real sequential mailbox, which pass until one answer is changed.

import t from 'tap'
import { Random } from '../random.js'
import { linearize, type Operation } from './linearize.js'
import {
  Mailbox,
  withoutMessages,
  type Inbox,
  type MailboxOperation,
  type Message,
  type Shown,
} from './mailbox.js'
import { minimal } from './minimal.js'

type History = readonly Operation<MailboxOperation>[]

const verdict = (of: History): string => linearize(of, new Mailbox(of))
const isWrong = (of: History): boolean => verdict(of) === 'not linearizable'

const at = (called: number, returned: number, what: MailboxOperation, who = 'c'): History => [
  { called, returned, who, what },
]

const message = (seq: number, stream = 's'): Message => ({ stream, seq, text: `${stream}${seq}` })
const send = (seq: number, index: number, stream = 's'): MailboxOperation => {
  return { kind: 'send', message: message(seq, stream), index }
}
const shown = (seq: number, index: number, stream = 's'): Shown => ({
  ...message(seq, stream),
  index,
})
function page(messages: readonly Shown[], rest: Partial<Inbox> = {}): Inbox {
  const next = messages.at(-1)?.index ?? 0
  return { kind: 'inbox', after: 0, limit: 100, messages, next, more: false, ...rest }
}

const REGISTERED = at(0, 1, { kind: 'register', token: 'a' })
const SENT_ONE = [...REGISTERED, ...at(10, 20, send(1, 5))]
const SENT_TWO = [...SENT_ONE, ...at(30, 40, send(2, 7))]

t.test('answers that a mailbox may give', async (t) => {
  const right = (name: string, ...of: History): unknown =>
    t.equal(verdict(of), 'linearizable', name)
  right('all of it', ...SENT_TWO, ...at(50, 60, page([shown(1, 5), shown(2, 7)])))
  right('a read at once with a send, before it', ...SENT_ONE, ...at(12, 13, page([])))
  right('and after it', ...SENT_ONE, ...at(12, 13, page([shown(1, 5)])))
  right('a short page', ...SENT_TWO, ...at(50, 60, page([shown(1, 5)], { limit: 1, more: true })))
  right('its rest', ...SENT_TWO, ...at(50, 60, page([shown(2, 7)], { after: 5 })))
  right('next beyond the last message', ...SENT_TWO, ...at(50, 60, page([], { after: 7, next: 9 })))
  right(
    'refused before the registration',
    ...at(0, 9, { kind: 'register', token: 'a' }),
    ...at(1, 2, { kind: 'refused', message: message(1) }),
  )
  right('taken by another', ...REGISTERED, ...at(5, 6, { kind: 'name taken', token: 'b' }))
})

const remove = (index: number | null, ...indices: number[]): MailboxOperation => {
  return { kind: 'delete', indices, index }
}
const ONE_GONE = [...SENT_TWO, ...at(50, 60, remove(9, 5))]

t.test('pages that may show deleted messages', async (t) => {
  const right = (name: string, ...of: History): unknown =>
    t.equal(verdict(of), 'linearizable', name)
  right('not after the answer', ...ONE_GONE, ...at(70, 80, page([shown(2, 7)])))
  right('at once with it, before it', ...ONE_GONE, ...at(55, 56, page([shown(1, 5), shown(2, 7)])))
  right('and after it', ...ONE_GONE, ...at(55, 56, page([shown(2, 7)])))
  const unsure = [...SENT_TWO, ...at(50, Infinity, remove(null, 5))]
  right('without an answer: gone', ...unsure, ...at(70, 80, page([shown(2, 7)])))
  right('or not', ...unsure, ...at(70, 80, page([shown(1, 5), shown(2, 7)])))
  right(
    'what is not there yet stays',
    ...SENT_ONE,
    ...at(12, 20, remove(6, 5, 7)),
    ...at(30, 40, send(2, 7)),
    ...at(50, 60, page([shown(2, 7)])),
  )
})

t.test('pages that may not show deleted messages', async (t) => {
  const wrong = (name: string, ...of: History): unknown =>
    t.equal(verdict(of), 'not linearizable', name)
  wrong('the deleted one', ...ONE_GONE, ...at(70, 80, page([shown(1, 5), shown(2, 7)])))
  wrong('another one missing', ...ONE_GONE, ...at(70, 80, page([])))
  const back = at(58, 59, page([shown(1, 5), shown(2, 7)]))
  wrong('back again', ...ONE_GONE, ...at(52, 53, page([shown(2, 7)])), ...back)
  const late = [...SENT_ONE, ...at(30, 40, remove(6, 5)), ...at(50, 60, send(2, 7))]
  const torn = page([shown(1, 5), shown(2, 7)])
  wrong('a page of no one moment: what came later, and what was gone', ...late, ...at(1, 80, torn))
  wrong(
    'missing before it was deleted',
    ...SENT_ONE,
    ...at(22, 23, page([])),
    ...at(30, 40, remove(6, 5)),
  )
})

t.test('answers that a mailbox may not give', async (t) => {
  const wrong = (name: string, ...of: History): unknown =>
    t.equal(verdict(of), 'not linearizable', name)
  const after = (...messages: Shown[]): History => [...SENT_TWO, ...at(50, 60, page(messages))]
  wrong('a stale read', ...after(shown(1, 5)))
  wrong('an acknowledged send lost', ...after(shown(2, 7)))
  wrong('everything lost', ...after())
  wrong('a duplicate', ...after(shown(1, 5), shown(2, 7), shown(1, 9)))
  wrong('another index than the receipt', ...after(shown(1, 5), shown(2, 8)))
  wrong('other words', ...after(shown(1, 5), { ...shown(2, 7), text: 'else' }))
  wrong('what nobody sent', ...after(shown(1, 5), shown(2, 7), shown(3, 9)))
  wrong(
    'a page longer than asked',
    ...SENT_TWO,
    ...at(50, 60, page([shown(1, 5), shown(2, 7)], { limit: 1 })),
  )
  wrong(
    'a hole before next',
    ...SENT_TWO,
    ...at(50, 60, page([], { limit: 0, next: 7, more: true })),
  )
  wrong(
    'next beyond what is still to come',
    ...SENT_ONE,
    ...at(22, 25, page([shown(1, 5)], { next: 8 })),
    ...at(30, 40, send(2, 7)),
  )
  wrong('an index below one acknowledged before', ...SENT_ONE, ...at(30, 40, send(1, 3, 'r')))
  wrong(
    'a stream out of order',
    ...REGISTERED,
    ...at(10, 30, send(2, 5)),
    ...at(11, 31, send(1, 7)),
  )
  wrong(
    'refused though registered',
    ...REGISTERED,
    ...at(5, 6, { kind: 'refused', message: message(1) }),
  )
  wrong(
    'a log-in refused though registered',
    ...REGISTERED,
    ...at(5, 6, { kind: 'log in', accepted: false }),
  )
  wrong('the name given twice', ...REGISTERED, ...at(5, 6, { kind: 'register', token: 'b' }))
})

t.test('a send that never returned happens late or never', async (t) => {
  const open = [...REGISTERED, ...at(10, Infinity, send(1, 5))]
  const shows = page([shown(1, 5)])
  t.equal(verdict(open), 'linearizable', 'never happened')
  t.equal(verdict([...open, ...at(20, 21, page([])), ...at(30, 31, shows)]), 'linearizable', 'late')
  t.ok(isWrong([...open, ...at(20, 21, shows), ...at(30, 31, page([]))]), 'seen and gone')
  t.ok(isWrong([...REGISTERED, ...at(20, 21, shows), ...at(30, Infinity, send(1, 5))]), 'too early')
})

// ---- random histories -------------------------------------------------------------------------

/** Clients that work on one mailbox that really is sequential. */
function play(random: Random): Operation<MailboxOperation>[] {
  const log: Shown[] = []
  const history: Operation<MailboxOperation>[] = [...REGISTERED]
  const nextSeq = new Map<string, number>()
  let index = 0
  let end = 10
  for (let i = 0; i < 40; i++) {
    // Each operation takes effect at its own moment, between its call and its return.
    const moment = 10 + i * 10
    const called = moment - random.below(60) - random.float()
    const returned = moment + random.below(60) + random.float()
    end = Math.max(end, returned)
    index += random.between(1, 3)
    if (random.chance(0.6)) {
      const stream = random.pick(['r', 's'])
      const seq = (nextSeq.get(stream) ?? 0) + random.between(1, 2)
      nextSeq.set(stream, seq)
      log.push(shown(seq, index, stream))
      const lost = random.chance(0.15)
      history.push(...at(called, lost ? Infinity : returned, send(seq, index, stream)))
    } else history.push(...at(called, returned, pageOf(log, index, random)))
  }
  return [...history, ...at(end + 1, end + 2, pageOf(log, index, null))]
}

function pageOf(log: readonly Shown[], index: number, random: Random | null): Inbox {
  const after = random ? random.below(index + 1) : 0
  const limit = random ? random.below(20) : 100
  const all = log.filter((one) => one.index > after)
  const messages = all.slice(0, limit)
  const more = messages.length < all.length
  const next = more ? (messages.at(-1)?.index ?? after) : Math.max(after, index)
  return { kind: 'inbox', after, limit, messages, next, more }
}

const SEEDS = 300

t.test(`${SEEDS} random histories of a sequential mailbox pass`, async (t) => {
  const failed: number[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    if (verdict(play(new Random(seed, 'mailbox'))) !== 'linearizable') failed.push(seed)
  }
  t.same(failed, [])
})

type Mutation = (messages: readonly Shown[], place: number) => Shown[]

/** Mutations that make the last page, which shows everything, a wrong one. */
const MUTATIONS: Record<string, Mutation> = {
  swap: (all, i) =>
    all
      .with(i, { ...all[i + 1]!, index: all[i]!.index })
      .with(i + 1, { ...all[i]!, index: all[i + 1]!.index }),
  drop: (all, i) => all.toSpliced(i, 1),
  duplicate: (all, i) => all.toSpliced(i, 0, { ...all[i]!, index: all[i]!.index - 0.5 }),
  stale: (all, i) => all.slice(0, i),
}

for (const [name, mutate] of Object.entries(MUTATIONS)) {
  t.test(`${SEEDS} random histories with a wrong page (${name}) fail, minimally`, async (t) => {
    const failed: string[] = []
    let tried = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new Random(seed, 'mailbox')
      const history = play(random)
      const last = history.at(-1)!
      const { messages, ...rest } = last.what as Inbox
      // A message that was never acknowledged and is on no other page need not have happened.
      const acknowledged = messages.findLastIndex((one) => isAcknowledged(history, one))
      if (acknowledged < 1) continue
      tried++
      const place = name === 'stale' || name === 'drop' ? acknowledged : random.below(acknowledged)
      const what = { ...rest, messages: mutate(messages, place) }
      const mutant = [...history.slice(0, -1), { ...last, what }]
      if (!isWrong(mutant)) failed.push(`${seed}: not noticed`)
      if (seed % 10 > 0) continue
      const least = minimal(mutant, isWrong, withoutMessages)
      if (!isWrong(least)) failed.push(`${seed}: the sub-history is right`)
      const spare = least.filter((one) => isWrong(withoutMessages(least, new Set([one]))))
      if (spare.length > 0) failed.push(`${seed}: more could go`)
    }
    t.same(failed, [])
    t.ok(tried > SEEDS / 2)
  })
}

function isAcknowledged(history: History, { index }: Shown): boolean {
  return history.some(
    ({ what, returned }) => what.kind === 'send' && what.index === index && returned !== Infinity,
  )
}
