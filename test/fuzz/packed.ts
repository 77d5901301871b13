// Writes MessagePack as no honest peer does: numbers of any width, and raw bytes in place of any
// value.

import type { WireValue } from '../../protocol/schema/schema.js'
import type { Random } from '../simulator/random.js'

/** Raw bytes in place of a value. */
export class Raw {
  readonly name: string
  readonly bytes: Buffer

  constructor(name: string, hex: string) {
    this.name = name
    this.bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  }
}

export type Wild = Exclude<WireValue, WireValue[]> | Raw | Wild[]

/** Values that no message may hold, at any place. */
export const FORBIDDEN: readonly Raw[] = [
  new Raw('never used', 'c1'),
  new Raw('fixmap', '81 a1 61 02'),
  new Raw('empty map', '80'),
  new Raw('map16', 'de 0001 01 02'),
  new Raw('map32', 'df 00000001 01 02'),
  new Raw('map of 2^32-1', 'df ffffffff'),
  new Raw('map with a key twice', '82 a1 61 01 a1 61 02'),
  new Raw('map with __proto__', `81 a9 ${Buffer.from('__proto__').toString('hex')} 81 a1 78 01`),
  new Raw('ext8', 'c7 01 05 00'),
  new Raw('ext16', 'c8 0001 05 00'),
  new Raw('ext32', 'c9 00000001 05 00'),
  new Raw('ext32 of 2^32-1', 'c9 ffffffff 05 00'),
  new Raw('fixext1 undefined', 'd4 00 00'),
  new Raw('fixext1 record 0x72', 'd4 72 40'),
  new Raw('record 0x72 with its keys', 'd4 72 40 91 a1 61 01'),
  new Raw('fixext2', 'd5 05 0000'),
  new Raw('fixext4 timestamp', 'd6 ff 00000000'),
  new Raw('fixext8 timestamp', 'd7 ff 0000000000000000'),
  new Raw('fixext16', `d8 05 ${'00'.repeat(16)}`),
  new Raw('ext8 RegExp 0x78', 'c7 03 78 a1 61 a0'),
  new Raw('ext8 Error 0x65', 'c7 05 65 92 a1 61 a1 62'),
  new Raw('ext8 Set 0x73', 'c7 03 73 92 01 02'),
  new Raw('ext8 typed array 0x74', 'c7 05 74 01 00 00 00'),
  new Raw('ext8 pointer 0x70', 'd6 70 00000000'),
  new Raw('float32', 'ca 3f800000'),
  new Raw('float64', 'cb 3ff0000000000000'),
  new Raw('NaN', 'cb 7ff8000000000000'),
  new Raw('Infinity', 'cb 7ff0000000000000'),
  new Raw('-0', 'cb 8000000000000000'),
  new Raw('uint64 of 2^53', 'cf 0020000000000000'),
  new Raw('uint64 of 2^64-1', 'cf ffffffffffffffff'),
  new Raw('int64 of -1', 'd3 ffffffffffffffff'),
  new Raw('int64 of -2^63', 'd3 8000000000000000'),
  new Raw('text that is not UTF-8', 'a2 c328'),
  new Raw('text with a surrogate', 'a3 eda080'),
  new Raw('overlong text', 'a2 c080'),
  new Raw('text cut inside a character', 'a1 c3'),
  new Raw('long text with a bad end', `d9 40 ${'61'.repeat(63)} ff`),
  new Raw('text of 2^32-1', 'db ffffffff 61'),
  new Raw('bytes of 2^32-1', 'c6 ffffffff 00'),
  new Raw('array of 2^32-1', 'dd ffffffff'),
  new Raw('deep nesting', `${'91'.repeat(40)} 01`),
]

const HEADS = { text: [0xd9, 0xda, 0xdb], bytes: [0xc4, 0xc5, 0xc6] } as const

function sized(types: readonly [number, number, number], body: Buffer): Buffer {
  const { length } = body
  const width = length < 0x100 ? 1 : length < 0x10000 ? 2 : 4
  const head = Buffer.alloc(1 + width)
  head[0] = types[width >> 1]!
  head.writeUIntBE(length, 1, width)
  return Buffer.concat([head, body])
}

const UINTS = [1, 2, 4, 8] as const

/** Writes an integer in its shortest form, or sometimes in a longer one. */
function integer(value: number, random: Random): Buffer {
  const long = random.chance(0.1)
  if (value >= 0 && value < 0x80 && !long) return Buffer.from([value])
  if (value < 0) return Buffer.from([0xd2, ...int32(value)])
  const fitting = UINTS.filter((width) => value < 2 ** (8 * width))
  const width = long ? random.pick(fitting) : fitting[0]!
  const out = Buffer.alloc(1 + width)
  out[0] = 0xcc + UINTS.indexOf(width)
  if (width === 8) out.writeBigUInt64BE(BigInt(value), 1)
  else out.writeUIntBE(value, 1, width)
  return out
}

function int32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeInt32BE(Math.max(value, -(2 ** 31)))
  return out
}

export function pack(value: Wild, random: Random): Buffer {
  if (value instanceof Raw) return value.bytes
  if (value === null) return Buffer.from([0xc0])
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2])
  if (typeof value === 'number' || typeof value === 'bigint') return integer(Number(value), random)
  if (typeof value === 'string') return sized(HEADS.text, Buffer.from(value))
  if (value instanceof Uint8Array) return sized(HEADS.bytes, Buffer.from(value))
  const head = value.length < 16 ? Buffer.from([0x90 | value.length]) : array32(value.length)
  return Buffer.concat([head, ...value.map((one) => pack(one, random))])
}

function array32(length: number): Buffer {
  const head = Buffer.alloc(5)
  head[0] = 0xdd
  head.writeUInt32BE(length, 1)
  return head
}

/** Puts a body behind its length. */
export function framed(body: Buffer): Buffer {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeUInt32BE(body.length)
  frame.set(body, 4)
  return frame
}
