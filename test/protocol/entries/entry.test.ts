import { createHash } from 'node:crypto'
import t from 'tap'
import {
  CHAIN_ZERO,
  KIND,
  chainOf,
  decodeMeta,
  encodeMeta,
  erased,
  plainMeta,
  withChain,
  type Meta,
  type Unchained,
} from '../../../protocol/entries/entry.js'
import { sameBytes, sha256 } from '../../../protocol/bytes.js'

const META: Meta = {
  kind: KIND.message,
  answer: 0x0102,
  mailbox: 'joão',
  stream: new Uint8Array(16).fill(7),
  seq: 2 ** 40 + 3,
  digest: new Uint8Array(32).fill(9),
}

const ENTRY: Unchained = {
  index: 2 ** 33 + 1,
  epoch: { counter: 4, slot: 2 },
  term: 3,
  k: 17,
  part: 2,
  parts: 5,
  lamport: 99,
  time: 1_790_000_000_000,
  meta: encodeMeta(META),
  body: Buffer.from('body'),
}

t.test('a meta survives encoding and decoding', (t) => {
  const decoded = decodeMeta(encodeMeta(META))
  t.same(
    { ...decoded, stream: [...decoded.stream], digest: [...decoded.digest] },
    {
      ...META,
      stream: [...META.stream],
      digest: [...META.digest],
    },
  )
  t.same(decodeMeta(plainMeta(KIND.account, 0, 'bob')).mailbox, 'bob')
  t.end()
})

t.test('the layout: kind u8, answer u16, seq u48, then mailbox, stream, digest', (t) => {
  const bytes = Buffer.from(encodeMeta({ ...META, mailbox: 'ab' }))
  const head = `05 0102 010000000003 026162 10 ${'07'.repeat(16)} 20`.replaceAll(' ', '')
  t.equal(bytes.toString('hex'), head + '09'.repeat(32))
  t.equal(Buffer.from(plainMeta(KIND.noop)).toString('hex'), '000000' + '00'.repeat(9))
  t.end()
})

t.test('bytes that are not exactly one meta are a RangeError', (t) => {
  const good = encodeMeta(META)
  for (let length = 0; length < good.length; length++) {
    t.throws(() => decodeMeta(good.subarray(0, length)), { name: 'RangeError' }, `${length} bytes`)
  }
  t.throws(() => decodeMeta(Buffer.concat([good, Buffer.of(0)])), { message: /trailing/ })
  t.throws(() => decodeMeta(Buffer.from([99, ...good.subarray(1)])), { message: /kind 99/ })
  const short = encodeMeta({ ...META, stream: new Uint8Array(15) })
  t.throws(() => decodeMeta(short), { message: /stream/ })
  t.throws(() => decodeMeta(encodeMeta({ ...META, digest: new Uint8Array(31) })), /digest/)
  t.throws(() => encodeMeta({ ...META, mailbox: 'x'.repeat(256) }), { name: 'InvariantError' })
  t.end()
})

t.test('chain = SHA-256(previous ‖ header ‖ SHA-256(body))', (t) => {
  const numbers = Buffer.alloc(72)
  const { index, epoch, term, k, part, parts, lamport, time, meta, body } = ENTRY
  const values = [index, epoch.counter, epoch.slot, term, k, part, parts, lamport, time]
  for (const [i, value] of values.entries()) numbers.writeBigUInt64BE(BigInt(value), i * 8)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(meta.length)
  const expected = createHash('sha256')
    .update(CHAIN_ZERO)
    .update(numbers)
    .update(length)
    .update(meta)
    .update(createHash('sha256').update(body).digest())
    .digest()
  t.ok(sameBytes(chainOf(CHAIN_ZERO, ENTRY), expected))
  t.ok(sameBytes(withChain(CHAIN_ZERO, ENTRY).chain, expected))
  t.end()
})

t.test('every field is in the chain', (t) => {
  const chain = chainOf(CHAIN_ZERO, ENTRY)
  const changes: Partial<Unchained>[] = [
    { index: 5 },
    { epoch: { counter: 5, slot: 2 } },
    { epoch: { counter: 4, slot: 1 } },
    { term: 4 },
    { k: 18 },
    { part: 3 },
    { parts: 6 },
    { lamport: 100 },
    { time: 1_790_000_000_001 },
    { meta: encodeMeta({ ...META, answer: 1 }) },
    { body: Buffer.from('bodz') },
  ]
  for (const change of changes) {
    t.notOk(sameBytes(chainOf(CHAIN_ZERO, { ...ENTRY, ...change }), chain), JSON.stringify(change))
  }
  t.notOk(sameBytes(chainOf(chain, ENTRY), chain), 'and all that came before')
  t.end()
})

t.test('the chain still verifies after a body is erased', (t) => {
  const whole = withChain(CHAIN_ZERO, ENTRY)
  const without = erased(whole)
  t.equal(without.body.length, 0)
  t.same(without, { ...whole, body: new Uint8Array(0), bodyHash: sha256(ENTRY.body) })
  t.ok(sameBytes(chainOf(CHAIN_ZERO, without), whole.chain))
  t.equal(erased(without), without)
  const other = { ...without, bodyHash: sha256(Buffer.from('other')) }
  t.notOk(sameBytes(chainOf(CHAIN_ZERO, other), whole.chain))
  const smuggled = { ...without, body: Buffer.from('other') }
  t.notOk(sameBytes(chainOf(CHAIN_ZERO, smuggled), whole.chain), 'a body is not believed by a hash')
  t.end()
})
