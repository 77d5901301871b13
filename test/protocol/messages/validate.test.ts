// Messages between replicas that are well-formed and invalid: each is refused with its reason.

import t from 'tap'
import {
  packDrafts,
  withChain,
  without,
  type Batch,
  type Contents,
} from '../../../protocol/entries/batch.js'
import { KIND, encodeMeta, type Draft, type Kind } from '../../../protocol/entries/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { whyInvalid } from '../../../protocol/messages/validate.js'
import { MAX_GROUP } from '../../../protocol/schema/shared.js'
import { EXAMPLES } from '../../generate-messages.js'

const NONE = new Uint8Array(0)
const BODIES: Record<string, string> = {
  noop: '[0,0]',
  term: '[1,"b","n"]',
  account: '{}',
  message: 'envelope',
  marks: '[["a",1]]',
  drop: '[1]',
}

type KindName = keyof typeof KIND

const exampleOf = <N extends Message['type']>(type: N): The<N> =>
  EXAMPLES.find((one) => one.type === type) as The<N>

function draft(name: KindName, body = BODIES[name] ?? ''): Draft {
  const kind: Kind = KIND[name]
  const stream = name === 'message' ? new Uint8Array(16) : NONE
  const meta = { kind, answer: 0, mailbox: 'a', stream, seq: 1, digest: NONE }
  return { meta, body: Buffer.from(body) }
}

/** A message of a page, or what pretends to be one. */
function stored(name: KindName) {
  const { meta, body: envelope } = draft(name)
  return { index: 1, time: 1, meta: encodeMeta(meta), envelope }
}

const contents = (...drafts: (Draft | KindName)[]): Contents =>
  packDrafts(drafts.map((one) => (typeof one === 'string' ? draft(one) : one)))

/** The batch of an entry of this kind in its usual place. */
function batch(name: KindName, change: Partial<Batch> = {}): Batch {
  const term = name === 'marks' ? 0 : 1
  const k = name === 'marks' || name === 'term' ? 0 : 1
  const place = { first: 1, epoch: { counter: 1, slot: 1 }, term, k, lamport: 1, time: 1 }
  return { ...withChain(new Uint8Array(32), { ...place, ...contents(name) }), ...change }
}

function replicate(...batches: Batch[]): Message {
  const previous = { index: 0, chain: new Uint8Array(32) }
  return { ...exampleOf('REPLICATE'), clock: 10, previous, batches }
}

const feed = (...batches: Batch[]): Message => ({ type: 'BATCHES', batches })

const mixed = contents('message', 'noop', 'message')

t.test('valid messages pass', async (t) => {
  for (const name of ['noop', 'term', 'message', 'marks', 'drop', 'stream', 'refusal'] as const) {
    t.equal(whyInvalid(replicate(batch(name)), 1), null, name)
    if (name !== 'refusal') t.equal(whyInvalid(feed(batch(name)), 1), null, name)
  }
  const whole = batch('noop', mixed)
  const next = batch('noop', { first: 4, lamport: 2 })
  for (const first of [whole, without(whole, ({ index }) => index === 3)]) {
    t.equal(whyInvalid(replicate(first, next), 1), null)
    t.equal(whyInvalid(feed(first, next), 1), null)
  }
  t.equal(whyInvalid(feed(), 1), null)
  const page = { ...exampleOf('READ_PAGE'), messages: [stored('message')] }
  t.equal(whyInvalid(page, 1), null)
})

t.test('invalid batches are refused', async (t) => {
  const of = (name: KindName, body: string): Message =>
    replicate(batch(name, contents(draft(name, body))))
  const { head, bodies } = mixed
  const unknown = Buffer.from(head)
  unknown[6] = 0xff
  const large = contents(...Array<KindName>(MAX_GROUP + 1).fill('message'))
  const wrong: [string, Message, RegExp][] = [
    ['meta', replicate(batch('noop', { head: unknown })), /unknown kind 255/],
    [
      'cut head',
      replicate(batch('noop', { head: head.slice(0, -1) })),
      /not what it counts|out of range/,
    ],
    [
      'long head',
      replicate(batch('noop', { head: Buffer.concat([head, Buffer.of(1)]) })),
      /not what it counts/,
    ],
    ['no entry', replicate(batch('noop', { head: Buffer.alloc(38) })), /not what it counts/],
    ['too many entries', replicate(batch('message', large)), /a batch of 513 entries/],
    ['bodies', replicate(batch('noop', { head, bodies: bodies.slice(1) })), /other bodies/],
    ['no bodies', replicate(batch('message', { bodies: NONE })), /other bodies/],
    [
      'bits',
      replicate(batch('message', { absent: Uint8Array.of(1, 0), bodies: NONE })),
      /not a bit for each/,
    ],
    [
      'erased',
      feed(batch('noop', { absent: Uint8Array.of(1), bodies: NONE })),
      /no message, and no body/,
    ],
    ['erased and there', feed(batch('message', { absent: Uint8Array.of(1) })), /other bodies/],
    ['term body', of('term', '[1.5,"",""]'), /slot, boot/],
    ['no JSON', of('drop', '['), /cannot be read/],
    ['drop', of('drop', '["1"]'), /array of indices/],
    ['marks', of('marks', '[["a",1e99]]'), /marks body/],
    ['marks in a term', replicate(batch('marks', { term: 1 })), /kind 6 in term 1/],
    ['outside a term', replicate(batch('noop', { term: 0 })), /kind 0 in term 0/],
    ['in order 0', replicate(batch('noop', { k: 0 })), /kind 0 in order 0/],
    ['a TERM in an order', replicate(batch('noop', contents('noop', 'term'))), /kind 1 in order 1/],
    ['two TERMs', replicate(batch('term', contents('term', 'term'))), /kind 1 among 2/],
    ['marks in two', replicate(batch('marks', contents('marks', 'marks'))), /kind 6 among 2/],
    ['stamp', replicate(batch('noop', { lamport: 11 })), /stamped 11 by a clock at 10/],
    ['a gap', replicate(batch('noop', { first: 2 })), /out of order/],
    ['stamps', feed(batch('noop'), batch('noop', { first: 2 })), /stamps that do not grow/],
    ['a hole', feed(batch('noop'), batch('noop', { first: 3, lamport: 2 })), /out of order/],
    [
      'an overlap',
      feed(batch('noop', mixed), batch('noop', { first: 2, lamport: 2 })),
      /out of order/,
    ],
    ['account', feed(batch('account')), /cannot be read/],
    ['second of a batch', feed(batch('noop', contents('message', 'account'))), /cannot be read/],
    ['note', feed(batch('noop', contents(draft('noop', '[1]')))), /code and value/],
    ['page', { ...exampleOf('READ_PAGE'), messages: [stored('noop')] }, /no message/],
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
  t.equal(whyInvalid({ ...append, ...contents('message') }, 1), null)
  t.equal(whyInvalid({ ...append, ...mixed }, 1), null)
  t.equal(whyInvalid(forward(2), 2), null)
  const wrong: [string, Message, RegExp][] = [
    ['a TERM', { ...append, k: 0, ...contents('term') }, /CLAIM alone/],
    ['marks', { ...append, ...contents('marks') }, /kind 6 in term 1/],
    ['unreadable', { ...append, ...contents('noop', 'account') }, /cannot be read/],
    ['without a body', { ...append, ...contents('message'), bodies: NONE }, /other bodies/],
    ['head', { ...append, head: Buffer.alloc(38, 1) }, /not what it counts|out of range/],
    ['promise', { ...exampleOf('PROMISE'), commit: 2 ** 40 }, /beyond the end/],
    ['install', { ...exampleOf('INSTALL'), commit: 2 ** 40 }, /beyond the end/],
    ['whose', forward(1), /another replica's/],
    ['order', { ...exampleOf('ORDER'), k: 0 }, /order 0/],
  ]
  for (const [name, message, expected] of wrong) {
    t.match(whyInvalid(message, 2) ?? 'valid', expected, name)
  }
})
