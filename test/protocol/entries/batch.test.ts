// Batches: the head and the chain that rests on it, and bodies that are there, missing or wrong.

import { createHash } from 'node:crypto'
import t from 'tap'
import {
  CHAIN_ZERO,
  assertGapless,
  bodiesMatch,
  chainOf,
  checkBodies,
  decodeHead,
  entriesOf,
  hasKind,
  isChained,
  lacks,
  lastOf,
  packDrafts,
  withChain,
  without,
  withoutMessages,
  type Batch,
  type Unchained,
} from '../../../protocol/entries/batch.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { KIND, encodeMeta, plainMeta, type Draft } from '../../../protocol/entries/entry.js'

const NONE = new Uint8Array(0)

function message(seq: number): Draft {
  const stream = new Uint8Array(16).fill(7)
  const digest = new Uint8Array(32).fill(9)
  const meta = { kind: KIND.message, answer: 0, mailbox: 'bob', stream, seq, digest }
  return { meta, body: Buffer.from(`message ${seq}`) }
}

const note: Draft = { meta: plainMeta(KIND.noop), body: Buffer.from('[0,0]') }

/** An order with entries of two kinds, as the first of a log. */
const MIXED = [message(1), note, message(2)]

function unchained(drafts: readonly Draft[] = MIXED, change: Partial<Unchained> = {}): Unchained {
  const place = { first: 1, epoch: { counter: 4, slot: 2 }, term: 3, k: 17 }
  return { ...place, lamport: 99, time: 1_790_000_000_000, ...packDrafts(drafts), ...change }
}

const batchOf = (drafts?: readonly Draft[], change?: Partial<Unchained>): Batch =>
  withChain(CHAIN_ZERO, unchained(drafts, change))

const textsOf = (batch: Batch): string[] =>
  entriesOf(batch).map(({ body }) => Buffer.from(body).toString())

t.test(
  'the layout: counts, shared parts, then meta, number of the shared part, size and hash of each body',
  async (t) => {
    const shared = Buffer.from('abc')
    const { head, bodies } = packDrafts([note, { ...note, body: NONE, shared }])
    const listing = (bytes: Uint8Array): string =>
      `0000000${bytes.length}${createHash('sha256').update(bytes).digest('hex')}`
    const entry = (number: number, body: Uint8Array): string =>
      `000c${Buffer.from(encodeMeta(note.meta)).toString('hex')}000${number}${listing(body)}`
    t.equal(
      Buffer.from(head).toString('hex'),
      `00020001${listing(shared)}${entry(0, note.body)}${entry(1, NONE)}`,
    )
    t.equal(Buffer.from(bodies).toString(), 'abc[0,0]')
  },
)

t.test('a batch has an entry for each draft, in their order', async (t) => {
  const batch = batchOf(MIXED, { first: 11 })
  t.equal(lastOf(batch), 13)
  t.match(entriesOf(batch), [
    { index: 11, place: 0, term: 3, k: 17, meta: { kind: KIND.message, seq: 1 }, bodyBytes: 9 },
    { index: 12, place: 1, term: 3, k: 17, meta: { kind: KIND.noop }, bodyBytes: 5 },
    { index: 13, place: 2, term: 3, k: 17, meta: { kind: KIND.message, seq: 2 }, bodyBytes: 9 },
  ])
  t.same(textsOf(batch), ['message 1', '[0,0]', 'message 2'])
  t.ok(hasKind(batch, KIND.term, KIND.noop))
  t.notOk(hasKind(batch, KIND.term))
})

t.test('bytes that are not exactly one head are a RangeError', async (t) => {
  const { head } = packDrafts(MIXED)
  for (let length = 0; length < head.length; length++) {
    t.throws(() => decodeHead(head.slice(0, length)), { name: 'RangeError' }, `${length} bytes`)
  }
  t.throws(() => decodeHead(Buffer.concat([head, Buffer.of(0)])), /not what it counts/)
  t.throws(() => decodeHead(Buffer.alloc(2)), { name: 'RangeError' }, 'no entry')
  for (const count of [2, 4]) {
    const other = Buffer.from(head)
    other.writeUInt16BE(count)
    t.throws(() => decodeHead(other), { name: 'RangeError' }, `${count} entries`)
  }
  const unknown = Buffer.from(head)
  unknown[6] = 99
  t.throws(() => decodeHead(unknown), /unknown kind 99/)
})

t.test('chain = SHA-256(previous ‖ header ‖ SHA-256(head))', async (t) => {
  const batch = unchained(MIXED, { first: 2 ** 33 + 1 })
  const { first, epoch, term, k, lamport, time, head } = batch
  const numbers = Buffer.alloc(56)
  const values = [first, epoch.counter, epoch.slot, term, k, lamport, time]
  for (const [i, value] of values.entries()) numbers.writeBigUInt64BE(BigInt(value), i * 8)
  const expected = createHash('sha256')
    .update(CHAIN_ZERO)
    .update(numbers)
    .update(createHash('sha256').update(head).digest())
    .digest()
  t.ok(sameBytes(chainOf(CHAIN_ZERO, batch), expected))
  t.ok(sameBytes(withChain(CHAIN_ZERO, batch).chain, expected))
})

t.test('every field is in the chain', async (t) => {
  const batch = unchained()
  const chain = chainOf(CHAIN_ZERO, batch)
  const changes: [string, Partial<Unchained>][] = [
    ['first', { first: 5 }],
    ['counter', { epoch: { counter: 5, slot: 2 } }],
    ['slot', { epoch: { counter: 4, slot: 1 } }],
    ['term', { term: 4 }],
    ['k', { k: 18 }],
    ['lamport', { lamport: 100 }],
    ['time', { time: 1_790_000_000_001 }],
    ['a meta', packDrafts([message(3), note, message(2)])],
    ['a body', packDrafts([{ ...message(1), body: Buffer.from('message 3') }, note, message(2)])],
    ['the number of entries', packDrafts([message(1), note])],
    ['their order', packDrafts([note, message(1), message(2)])],
  ]
  for (const [name, change] of changes) {
    t.notOk(sameBytes(chainOf(CHAIN_ZERO, { ...batch, ...change }), chain), name)
  }
  t.notOk(sameBytes(chainOf(chain, batch), chain), 'and all that came before')
})

t.test('a chain holds only in its order, and with the bodies that the heads list', async (t) => {
  const first = batchOf()
  const second = withChain(first.chain, unchained([message(3)], { first: 4 }))
  t.ok(isChained(CHAIN_ZERO, [first, second]))
  t.ok(isChained(first.chain, [second]))
  t.notOk(isChained(CHAIN_ZERO, [first, first]))
  t.notOk(isChained(CHAIN_ZERO, [second]))
  const others: [string, string][] = [
    ['another byte', 'message 1[0,0]message 3'],
    ['two bodies swapped', 'message 2[0,0]message 1'],
    ['a body longer', 'message 1[0,0]message 23'],
    ['a body shorter', 'message 1[0,0]message'],
  ]
  for (const [name, bodies] of others.slice(0, 2)) {
    const other = { ...first, bodies: Buffer.from(bodies) }
    t.doesNotThrow(() => checkBodies(other), 'their sizes are right')
    t.notOk(bodiesMatch(other), name)
    t.notOk(isChained(CHAIN_ZERO, [other, second]), name)
  }
  for (const [name, bodies] of others.slice(2)) {
    t.throws(() => checkBodies({ ...first, bodies: Buffer.from(bodies) }), /other bodies/, name)
  }
})

t.test('the chain still verifies without bodies; the others stay in their places', async (t) => {
  const whole = batchOf()
  const left = without(whole, ({ index }) => index === 1)
  t.same(textsOf(left), ['', '[0,0]', 'message 2'])
  t.same(
    entriesOf(left).map(({ bodyBytes }) => bodyBytes),
    [9, 5, 9],
    'sizes are known without bodies',
  )
  t.same({ ...left, absent: NONE, bodies: whole.bodies }, whole, 'head, numbers and chain stay')
  t.same(
    [0, 1, 2].map((place) => lacks(left, place)),
    [true, false, false],
  )
  t.ok(isChained(CHAIN_ZERO, [left]))
  t.doesNotThrow(() => checkBodies(left))
  t.equal(
    without(left, ({ index }) => index === 1),
    left,
    'nothing more to leave out',
  )
  t.same(textsOf(without(left, ({ index }) => index === 3)), ['', '[0,0]', ''])
  t.equal(
    without(whole, () => false),
    whole,
  )
})

t.test('the bits of a batch with more than eight entries', async (t) => {
  const whole = batchOf(Array.from({ length: 17 }, (_, i) => message(i + 1)))
  const left = without(whole, ({ index }) => [2, 9, 17].includes(index))
  t.same([...left.absent], [0b10, 0b1, 0b1])
  t.same(
    textsOf(left).map((text) => text === ''),
    Array.from({ length: 17 }, (_, i) => [2, 9, 17].includes(i + 1)),
  )
  t.ok(isChained(CHAIN_ZERO, [left]))
})

t.test('bits for a missing body: one an entry, and only for messages', async (t) => {
  const whole = batchOf()
  const claim = (bits: number[], bodies: string): Pick<Batch, 'head' | 'bodies' | 'absent'> => {
    return { ...whole, absent: Uint8Array.from(bits), bodies: Buffer.from(bodies) }
  }
  t.doesNotThrow(() => checkBodies(claim([0b101], '[0,0]')))
  t.throws(() => checkBodies(claim([0b101, 0], '[0,0]')), /not a bit for each/)
  t.throws(() => checkBodies(claim([0b010], 'message 1message 2')), /no message, and no body/)
  t.throws(() => checkBodies(claim([0b101], 'message 1[0,0]message 2')), /other bodies/)
  t.throws(() => checkBodies(claim([0b100], '[0,0]')), /other bodies/)
})

t.test('a smuggled body is not believed in place of an erased one', async (t) => {
  const left = without(batchOf(), ({ index }) => index === 1)
  const smuggled = { ...left, absent: NONE, bodies: Buffer.from('massage 1[0,0]message 2') }
  t.doesNotThrow(() => checkBodies(smuggled))
  t.notOk(isChained(CHAIN_ZERO, [smuggled]))
})

t.test('without messages: the bodies of all other kinds stay', async (t) => {
  const left = withoutMessages(batchOf())
  t.same(textsOf(left), ['', '[0,0]', ''])
  t.ok(isChained(CHAIN_ZERO, [left]))
  const other = batchOf([note, note])
  t.equal(withoutMessages(other), other)
})

/** Two messages of one pair and one of another, with equal bytes in different objects. */
const sharing = (): Batch =>
  batchOf([
    { ...message(1), shared: Buffer.from('one') },
    { ...message(2), shared: Buffer.from('one') },
    { ...message(3), shared: Buffer.from('other') },
    note,
  ])

const sharesOf = (batch: Batch): string[] =>
  entriesOf(batch).map(({ shared }) => Buffer.from(shared).toString())

t.test('equal shared parts are held once, whatever objects hold them', async (t) => {
  const batch = sharing()
  t.same(sharesOf(batch), ['one', 'one', 'other', ''])
  t.equal(Buffer.from(batch.bodies).toString(), 'oneothermessage 1message 2message 3[0,0]')
  t.ok(isChained(CHAIN_ZERO, [batch]))
  const wrong = Buffer.from(batch.bodies)
  wrong[0] = 0
  t.notOk(isChained(CHAIN_ZERO, [{ ...batch, bodies: wrong }]))
})

t.test('a shared part goes with the last body that needs it', async (t) => {
  const first = without(sharing(), ({ index }) => index === 1)
  t.same(sharesOf(first), ['one', 'one', 'other', ''])
  const both = without(first, ({ index }) => index === 2)
  t.same(sharesOf(both), ['', '', 'other', ''])
  t.equal(Buffer.from(both.bodies).toString(), 'othermessage 3[0,0]')
  t.ok(isChained(CHAIN_ZERO, [first, both].slice(1)))
  t.doesNotThrow(() => checkBodies(both))
  t.equal(Buffer.from(withoutMessages(sharing()).bodies).toString(), '[0,0]')
  const missing = {
    ...both,
    absent: Uint8Array.of(0b110011),
    bodies: Buffer.from('message 3[0,0]'),
  }
  t.throws(() => checkBodies(missing), /a shared part is missing/)
})

t.test('batches follow one another where the one before has ended', async (t) => {
  const at = (first: number): Batch => batchOf(MIXED, { first })
  t.doesNotThrow(() => assertGapless(4, [at(5), at(8)]))
  for (const [after, ...batches] of [
    [4, at(5), at(7)],
    [4, at(5), at(9)],
    [5, at(5)],
  ] as const) {
    t.throws(() => assertGapless(after, batches), { name: 'InvariantError' })
  }
})
