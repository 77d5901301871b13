// Messages between replicas that are well-formed and invalid: each is refused with its reason.

import t from 'tap'
import {
  KIND,
  encodeMeta,
  withChain,
  isChained,
  type Entry,
  type Kind,
} from '../../../protocol/entries/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { whyInvalid } from '../../../protocol/messages/validate.js'
import { EXAMPLES } from '../../generate-messages.js'

const NONE = new Uint8Array(0)
const BODIES: Record<string, string> = {
  noop: '[0,0]',
  term: '[1,"b","n"]',
  account: '{}',
  cursors: '[["a",1]]',
  drop: '[1]',
}

const exampleOf = <N extends Message['type']>(type: N): The<N> =>
  EXAMPLES.find((one) => one.type === type) as The<N>

function entry(name: keyof typeof KIND, change: Partial<Entry> = {}): Entry {
  const kind: Kind = KIND[name]
  const ofStream = name === 'message'
  const stream = ofStream ? new Uint8Array(16) : NONE
  const meta = encodeMeta({ kind, answer: 0, mailbox: 'a', stream, seq: 1, digest: NONE })
  const term = name === 'cursors' ? 0 : 1
  const k = name === 'cursors' || name === 'term' ? 0 : 1
  return withChain(new Uint8Array(32), {
    ...{ index: 1, epoch: { counter: 1, slot: 1 }, term, k, part: 1, parts: 1, lamport: 1 },
    ...{ time: 1, meta, body: Buffer.from(BODIES[name] ?? ''), ...change },
  })
}

function replicate(entries: readonly Entry[]): Message {
  const previous = { index: 0, chain: new Uint8Array(32) }
  return { ...exampleOf('REPLICATE'), clock: 10, previous, entries }
}

const feed = (...entries: Entry[]): Message => {
  const bodyBytes = entries.map(({ body }) => body.length)
  return { type: 'ENTRIES', entries, bodyBytes }
}

t.test('valid messages pass', async (t) => {
  for (const name of ['noop', 'term', 'message', 'cursors', 'drop', 'stream', 'refusal'] as const) {
    t.equal(whyInvalid(replicate([entry(name)]), 1), null, name)
    if (name !== 'refusal') t.equal(whyInvalid(feed(entry(name)), 1), null, name)
  }
  const second = entry('noop', { index: 2, lamport: 2 })
  t.equal(whyInvalid(replicate([entry('noop'), second]), 1), null)
  t.equal(whyInvalid(feed(), 1), null)
})

t.test('invalid entries are refused', async (t) => {
  const wrong: [string, Message, RegExp][] = [
    ['meta', replicate([entry('noop', { meta: Buffer.alloc(9, 0xff) })]), /unknown kind 255/],
    ['term body', replicate([entry('term', { body: Buffer.from('[1.5,"",""]') })]), /slot, boot/],
    ['no JSON', replicate([entry('drop', { body: Buffer.from('[') })]), /cannot be read/],
    ['drop', replicate([entry('drop', { body: Buffer.from('["1"]') })]), /array of indices/],
    ['cursors', replicate([entry('cursors', { body: Buffer.from('[["a",1e99]]') })]), /marks body/],
    ['cursors in a term', replicate([entry('cursors', { term: 1 })]), /kind 6 in term 1/],
    ['outside a term', replicate([entry('noop', { term: 0 })]), /kind 0 in term 0/],
    ['in order 0', replicate([entry('noop', { k: 0 })]), /kind 0 in order 0/],
    ['part 0', replicate([entry('noop', { part: 0 })]), /part 0 of 1/],
    ['parts', replicate([entry('noop', { part: 3, parts: 2 })]), /part 3 of 2/],
    ['stamp', replicate([entry('noop', { lamport: 11 })]), /stamped 11 by a clock at 10/],
    ['a gap', replicate([entry('noop', { index: 2 })]), /out of order/],
    ['stamps', feed(entry('noop'), entry('noop', { index: 2 })), /stamps that do not grow/],
    ['a hole', feed(entry('noop'), entry('noop', { index: 3, lamport: 2 })), /out of order/],
    ['account', feed(entry('account')), /cannot be read/],
    ['note', feed(entry('noop', { body: Buffer.from('[1]') })), /code and value/],
    ['erased', feed({ ...entry('noop'), bodyHash: new Uint8Array(32) }), /of a message is erased/],
    ['page', { ...exampleOf('READ_PAGE'), entries: [entry('noop')] }, /no message/],
  ]
  for (const [name, message, expected] of wrong) {
    t.match(whyInvalid(message, 1) ?? 'valid', expected, name)
  }
})

t.test('invalid appends, promises and commands are refused', async (t) => {
  const append = { ...exampleOf('APPEND'), term: 1, k: 1 }
  const { origin, ...command } = exampleOf('FORWARD').commands[0]!
  const forward = (slot: number): Message => {
    return { type: 'FORWARD', commands: [{ ...command, origin: { ...origin, slot } } as never] }
  }
  t.equal(whyInvalid({ ...append, drafts: [entry('message')] }, 1), null)
  t.equal(whyInvalid(forward(2), 2), null)
  const wrong: [string, Message, RegExp][] = [
    ['a TERM', { ...append, k: 0, drafts: [entry('term')] }, /CLAIM alone/],
    ['cursors', { ...append, drafts: [entry('cursors')] }, /kind 6 in term 1/],
    ['unreadable', { ...append, drafts: [entry('account')] }, /cannot be read/],
    ['promise', { ...exampleOf('PROMISE'), commit: 2 ** 40 }, /beyond the end/],
    ['install', { ...exampleOf('INSTALL'), commit: 2 ** 40 }, /beyond the end/],
    ['whose', forward(1), /another replica's/],
    ['order', { ...exampleOf('ORDER'), k: 0 }, /order 0/],
  ]
  for (const [name, message, expected] of wrong) {
    t.match(whyInvalid(message, 2) ?? 'valid', expected, name)
  }
})

t.test('a chain holds only in its order', async (t) => {
  const first = entry('noop')
  const second = withChain(first.chain, { ...entry('noop'), index: 2 })
  t.ok(isChained(new Uint8Array(32), [first, second]))
  t.notOk(isChained(new Uint8Array(32), [first, first]))
  t.notOk(isChained(first.chain, [first]))
})
