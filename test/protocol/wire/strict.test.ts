// Bytes that no honest peer sends: each gives a WireError with its reason, never a crash.

import t from 'tap'
import { checkStrict } from '../../../protocol/wire/strict.js'
import { decodeMessage } from '../../../protocol/wire/codec.js'
import { FrameDecoder, encodeFrame } from '../../../protocol/wire/frame.js'
import { WireError } from '../../../protocol/schema/schema.js'
import { EXAMPLES } from '../../generate-messages.js'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const body = (index: number) => encodeFrame(EXAMPLES[index]!).subarray(4)

/** The WireError's text; undefined if nothing is thrown. Any other exception fails the test. */
function refusal(bytes: Buffer): string | undefined {
  try {
    decodeMessage(Buffer.from(bytes))
    return undefined
  } catch (error) {
    if (error instanceof WireError) return error.message
    throw error
  }
}

/** Every MessagePack type: its name, the bytes of one value, and whether messages may hold it. */
const TYPES: readonly [string, string, boolean][] = [
  ['positive fixint', '05', true],
  ['negative fixint', 'ff', true],
  ['fixmap', '81 01 02', false],
  ['fixarray', '91 01', true],
  ['fixstr', 'a1 61', true],
  ['nil', 'c0', true],
  ['never used', 'c1', false],
  ['false', 'c2', true],
  ['true', 'c3', true],
  ['bin8', 'c4 01 00', true],
  ['bin16', 'c5 0001 00', true],
  ['bin32', 'c6 00000001 00', true],
  ['ext8', 'c7 01 05 00', false],
  ['ext16', 'c8 0001 05 00', false],
  ['ext32', 'c9 00000001 05 00', false],
  ['float32', 'ca 3f800000', false],
  ['float64', 'cb 3ff0000000000000', false],
  ['NaN', 'cb 7ff8000000000000', false],
  ['uint8', 'cc 05', true],
  ['uint16', 'cd 0005', true],
  ['uint32', 'ce 00000005', true],
  ['uint64', 'cf 0000000000000005', true],
  ['uint64 of 2^53', 'cf 0020000000000000', false],
  ['int8', 'd0 05', true],
  ['int16', 'd1 0005', true],
  ['int32', 'd2 00000005', true],
  ['int64', 'd3 0000000000000005', true],
  ['int64 of -1', 'd3 ffffffffffffffff', false],
  ['fixext1', 'd4 05 00', false],
  ['fixext1 of undefined', 'd4 00 00', false],
  ['fixext1 record 0x72', 'd4 72 40', false],
  ['fixext2', 'd5 05 0000', false],
  ['fixext4 timestamp', 'd6 ff 00000000', false],
  ['fixext8', 'd7 05 0000000000000000', false],
  ['fixext16', `d8 05 ${'00'.repeat(16)}`, false],
  ['ext8 RegExp 0x78', 'c7 03 78 a1 61 a0', false],
  ['str8', 'd9 01 61', true],
  ['str16', 'da 0001 61', true],
  ['str32', 'db 00000001 61', true],
  ['array16', 'dc 0001 01', true],
  ['array32', 'dd 00000001 01', true],
  ['map16', 'de 0001 01 02', false],
  ['map32', 'df 00000001 01 02', false],
]

t.test('each MessagePack type is accepted or refused', async (t) => {
  for (const [name, bytes, allowed] of TYPES) {
    if (allowed) t.doesNotThrow(() => checkStrict(hex(bytes)), name)
    else t.throws(() => checkStrict(hex(bytes)), WireError, name)
    for (let cut = 0; cut < hex(bytes).length; cut++) {
      t.throws(() => checkStrict(hex(bytes).subarray(0, cut)), WireError, `${name} cut at ${cut}`)
    }
  }
})

t.test('each MessagePack type in each field gives a message or a WireError', async (t) => {
  let taken = 0
  for (const { type, ...fields } of EXAMPLES) {
    const whole = encodeFrame({ type, ...fields } as (typeof EXAMPLES)[number]).subarray(4)
    const starts = fieldStarts(whole)
    for (let i = 0; i + 1 < starts.length; i++) {
      for (const [name, bytes, allowed] of TYPES) {
        const forged = [whole.subarray(0, starts[i]), hex(bytes), whole.subarray(starts[i + 1])]
        const text = refusal(Buffer.concat(forged))
        if (text === undefined) taken++
        if (!allowed) t.ok(text, `${type} field ${i} as ${name}`)
      }
    }
  }
  t.ok(taken > 0, 'equal numbers of other widths are accepted')
})

/** Offsets of the outer array's elements, and its end, found by trying lengths. */
function fieldStarts(whole: Buffer): number[] {
  const starts = [whole[0] === 0xdc ? 3 : 1]
  while (starts.at(-1)! < whole.length) {
    const from = starts.at(-1)!
    let end = from + 1
    while (!isOneValue(whole.subarray(from, end))) end++
    starts.push(end)
  }
  return starts
}

function isOneValue(bytes: Buffer): boolean {
  try {
    checkStrict(bytes)
    return true
  } catch {
    return false
  }
}

t.test('a WireError gives the reason', async (t) => {
  const wrong: [string, string, RegExp][] = [
    ['trailing bytes', '92 05 01 00', /1 bytes after the value/],
    ['not an array', '05', /a message is an array/],
    ['unknown tag', '92 7b 01', /no message has the tag 123/],
    ['tag as text', '92 a1 61 01', /no message has the tag a/],
    ['too few fields', '91 05', /PING: array of 2 expected/],
    ['too many fields', '93 05 01 01', /PING: array of 2 expected/],
    ['wrong type', '92 05 a1 61', /PING.nonce: uint/],
    ['negative', '92 05 ff', /PING.nonce: uint/],
    ['bad UTF-8', '92 03 a2 c328', /text is not UTF-8/],
    ['surrogate', '92 03 a3 eda080', /text is not UTF-8/],
    ['overlong', '92 03 a2 c080', /text is not UTF-8/],
    ['long bad UTF-8', `92 03 d9 40 ${'61'.repeat(63)} ff`, /text is not UTF-8/],
    ['NaN', '92 05 cb 7ff8000000000000', /floats are not allowed/],
    ['map', '81 05 01', /maps are not allowed/],
    ['extension', '92 05 d4 72 40', /type 0xd4 is not allowed/],
    ['unsafe integer', '92 05 cf 0020000000000000', /outside 0/],
    ['huge array', '92 05 dd ffffffff', /array of 4294967295 is cut short/],
    ['deep nesting', `${'91'.repeat(9)} 01`, /deeper than 8/],
    ['too many values', `dc ffff ${'c0'.repeat(65535)}`, /more than 32768 values/],
  ]
  for (const [name, bytes, expected] of wrong) t.match(refusal(hex(bytes)), expected, name)
})

t.test('deep nesting does not exhaust the stack', async (t) => {
  t.match(refusal(Buffer.alloc(200_000, 0x91)), /deeper than/)
})

t.test('every flipped bit gives a message or a WireError', async (t) => {
  let messages = 0
  for (let i = 0; i < EXAMPLES.length; i++) {
    const bytes = Buffer.from(body(i))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      if (refusal(bytes) === undefined) messages++
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
  }
  t.ok(messages > 0)
})

t.test('every flipped bit of a length gives a message, a WireError or a wait', async (t) => {
  const frame = encodeFrame(EXAMPLES[0]!)
  for (let bit = 0; bit < 32; bit++) {
    const forged = Buffer.from(frame)
    forged[bit >> 3]! ^= 1 << (bit & 7)
    const decoder = new FrameDecoder(4096)
    try {
      t.ok(decoder.push(forged).length <= 1)
    } catch (error) {
      t.ok(error instanceof WireError, `bit ${bit}`)
    }
  }
})
