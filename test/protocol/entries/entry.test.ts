import t from 'tap'
import {
  KIND,
  decodeMeta,
  encodeMeta,
  plainMeta,
  type Meta,
} from '../../../protocol/entries/entry.js'

const META: Meta = {
  kind: KIND.message,
  answer: 0x0102,
  mailbox: 'joão',
  stream: new Uint8Array(16).fill(7),
  seq: 2 ** 40 + 3,
  digest: new Uint8Array(32).fill(9),
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
  t.same(decodeMeta(encodeMeta(plainMeta(KIND.account, 0, 'bob'))).mailbox, 'bob')
  t.end()
})

t.test('the layout: kind u8, answer u16, seq u48, then mailbox, stream, digest', (t) => {
  const bytes = Buffer.from(encodeMeta({ ...META, mailbox: 'ab' }))
  const head = `05 0102 010000000003 026162 10 ${'07'.repeat(16)} 20`.replaceAll(' ', '')
  t.equal(bytes.toString('hex'), head + '09'.repeat(32))
  t.equal(Buffer.from(encodeMeta(plainMeta(KIND.noop))).toString('hex'), '000000' + '00'.repeat(9))
  t.end()
})

t.test('bytes that are not exactly one meta are a RangeError', (t) => {
  const good = encodeMeta(META)
  for (let length = 0; length < good.length; length++) {
    t.throws(() => decodeMeta(good.subarray(0, length)), { name: 'RangeError' }, `${length} bytes`)
  }
  t.throws(() => decodeMeta(Buffer.concat([good, Buffer.of(0)])), { message: /not as long/ })
  t.throws(() => decodeMeta(Buffer.from([99, ...good.subarray(1)])), { message: /kind 99/ })
  const short = encodeMeta({ ...META, stream: new Uint8Array(15) })
  t.throws(() => decodeMeta(short), { message: /stream/ })
  t.throws(() => decodeMeta(encodeMeta({ ...META, digest: new Uint8Array(31) })), /digest/)
  t.throws(() => encodeMeta({ ...META, mailbox: 'x'.repeat(256) }), { name: 'InvariantError' })
  t.end()
})
