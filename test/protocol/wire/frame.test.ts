// Frames that arrive in pieces of any size, and false lengths.

import t from 'tap'
import { FrameDecoder, encodeFrame } from '../../../protocol/wire/frame.js'
import { WireError } from '../../../protocol/schema/schema.js'
import { EXAMPLES } from '../../generate-messages.js'

const LIMIT = 256 * 1024

/** Replaces Buffers by plain bytes, so that messages compare by value. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
}

t.test('every message survives encoding and decoding', async (t) => {
  for (const message of EXAMPLES) {
    const [back, ...rest] = new FrameDecoder(LIMIT).push(encodeFrame(message))
    t.same(plain(back), plain(message), message.type)
    t.same(rest, [])
  }
})

t.test('numbers up to 2^53 - 1 survive', async (t) => {
  for (const nonce of [0, 127, 128, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const [back] = new FrameDecoder(LIMIT).push(encodeFrame({ type: 'PING', nonce }))
    t.same(back, { type: 'PING', nonce })
  }
})

t.test('a stream cut at any byte gives the same messages', async (t) => {
  const stream = Buffer.concat(EXAMPLES.slice(0, 12).map(encodeFrame))
  const whole = plain(new FrameDecoder(LIMIT).push(stream))
  for (let cut = 0; cut <= stream.length; cut++) {
    const decoder = new FrameDecoder(LIMIT)
    const parts = [...decoder.push(stream.subarray(0, cut)), ...decoder.push(stream.subarray(cut))]
    if (JSON.stringify(plain(parts)) !== JSON.stringify(whole)) t.fail(`differs when cut at ${cut}`)
  }
})

t.test('one byte at a time gives the same messages', async (t) => {
  const stream = Buffer.concat(EXAMPLES.map(encodeFrame))
  const decoder = new FrameDecoder(LIMIT)
  const messages = [...stream].flatMap((byte) => decoder.push(Uint8Array.of(byte)))
  t.same(plain(messages), plain(EXAMPLES))
})

t.test('a decoded message does not change when its chunk is overwritten', async (t) => {
  const chunk = Buffer.from(
    encodeFrame({ type: 'OPEN_STREAM', request: 1, token: Buffer.alloc(16, 7) }),
  )
  const [message] = new FrameDecoder(LIMIT).push(chunk)
  chunk.fill(0xff)
  t.same(plain(message), { type: 'OPEN_STREAM', request: 1, token: Array(16).fill(7) })
})

t.test('frames encoded earlier do not change when others are encoded', async (t) => {
  const frames = EXAMPLES.map(encodeFrame)
  const hex = frames.map((frame) => frame.toString('hex'))
  for (let i = 0; i < 100; i++) for (const message of EXAMPLES) encodeFrame(message)
  t.same(
    frames.map((frame) => frame.toString('hex')),
    hex,
  )
})

t.test('lengths of 0 and above the limit are refused before the frame arrives', async (t) => {
  const refused: [string, number[], RegExp][] = [
    ['0', [0, 0, 0, 0], /0 bytes/],
    ['2^32 - 1', [0xff, 0xff, 0xff, 0xff], /4294967295 bytes; at most 64/],
    ['limit + 1', [0, 0, 0, 65], /65 bytes; at most 64/],
  ]
  for (const [name, prefix, expected] of refused) {
    t.throws(() => new FrameDecoder(64).push(Buffer.from(prefix)), { message: expected }, name)
  }
  t.same(new FrameDecoder(64).push(Buffer.from([0, 0, 0, 64])), [], 'the limit itself is taken')
})

t.test('a new limit applies from the next length on', async (t) => {
  const frame = encodeFrame({ type: 'GOODBYE', reason: 'x'.repeat(100) })
  const decoder = new FrameDecoder(frame.length)
  decoder.push(frame.subarray(0, 10))
  decoder.setLimit(8)
  t.equal(decoder.push(frame.subarray(10)).length, 1)
  t.throws(() => decoder.push(frame), WireError)
})
