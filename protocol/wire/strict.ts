// Checks the bytes of one MessagePack value before msgpackr decodes them: exactly one value, only
// the types that messages use, all within bounds. Decoders accept far more (extensions, maps,
// floats, U+FFFD in place of bad UTF-8). Invariant: checked bytes have one meaning only. Source:
// the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md

import { isUtf8 } from 'node:buffer'
import { WireError } from '../schema/schema.js'

/** Depth of nested arrays, the message's own included. */
const MAX_DEPTH = 8
/** Values of one frame, arrays included. */
const MAX_VALUES = 32_768

/** Bytes of ASCII up to which a loop is faster than isUtf8. */
const SHORT_TEXT = 48
/** High word of 2^53. */
const UNSAFE_HIGH = 0x200000

function refuse(at: number, what: string): never {
  throw new WireError(`byte ${at}: ${what}`)
}

/** Big-endian length of `width` bytes at `at`; throws if the bytes end before. */
function lengthAt(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) refuse(at, 'a length is cut short')
  let length = 0
  for (let i = 0; i < width; i++) length = length * 256 + bytes[at + i]!
  return length
}

function skipText(bytes: Uint8Array, at: number, length: number): number {
  const end = at + length
  if (end > bytes.length) refuse(at, `text of ${length} bytes is cut short`)
  if (length <= SHORT_TEXT) {
    let i = at
    while (i < end && bytes[i]! < 0x80) i++
    if (i === end) return end
  }
  if (!isUtf8(bytes.subarray(at, end))) refuse(at, 'text is not UTF-8')
  return end
}

function skipBinary(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) refuse(at, `${length} bytes are cut short`)
  return at + length
}

function skipInteger(bytes: Uint8Array, at: number, type: number): number {
  const width = 1 << (type & 3)
  if (at + width > bytes.length) refuse(at, 'an integer is cut short')
  if (width === 8) {
    // A negative int64 has a high word above this too, and no field takes negative integers.
    const high = lengthAt(bytes, at, 4)
    if (high >= UNSAFE_HIGH) refuse(at, 'integer outside 0 ... 2^53 - 1')
  }
  return at + width
}

function refuseType(at: number, type: number): never {
  if (type === 0xca || type === 0xcb) return refuse(at, 'floats are not allowed')
  if ((type & 0xf0) === 0x80 || type === 0xde || type === 0xdf) {
    return refuse(at, 'maps are not allowed')
  }
  return refuse(at, `MessagePack type 0x${type.toString(16)} is not allowed`)
}

/** Offset of the end of a value that is no array and whose type byte stands before `at`. */
function skipScalar(bytes: Uint8Array, at: number, type: number): number {
  if (type < 0x80 || type >= 0xe0) return at
  if (type >= 0xa0 && type < 0xc0) return skipText(bytes, at, type & 0x1f)
  if (type === 0xc0 || type === 0xc2 || type === 0xc3) return at
  if (type >= 0xcc && type <= 0xd3) return skipInteger(bytes, at, type)
  if (type >= 0xd9 && type <= 0xdb) {
    const width = 1 << (type - 0xd9)
    return skipText(bytes, at + width, lengthAt(bytes, at, width))
  }
  if (type >= 0xc4 && type <= 0xc6) {
    const width = 1 << (type - 0xc4)
    return skipBinary(bytes, at + width, lengthAt(bytes, at, width))
  }
  return refuseType(at - 1, type)
}

/** Throws WireError unless `bytes` are one strict value. */
export function checkStrict(bytes: Uint8Array): void {
  // Values still to come in each open array; the outermost holds the one message.
  const open: number[] = [1]
  let values = 0
  let at = 0
  for (;;) {
    while (open.length > 0 && open[open.length - 1] === 0) open.pop()
    if (open.length === 0) break
    open[open.length - 1]!--
    if (at >= bytes.length) refuse(at, 'the frame ends inside its value')
    if (++values > MAX_VALUES) refuse(at, `more than ${MAX_VALUES} values`)
    const type = bytes[at++]!
    const fixed = (type & 0xf0) === 0x90
    if (!fixed && type !== 0xdc && type !== 0xdd) {
      at = skipScalar(bytes, at, type)
      continue
    }
    const width = fixed ? 0 : type === 0xdc ? 2 : 4
    const count = fixed ? type & 0x0f : lengthAt(bytes, at, width)
    at += width
    // Each element takes a byte at least, so a larger count is refused without any work.
    if (count > bytes.length - at) refuse(at, `array of ${count} is cut short`)
    if (open.length > MAX_DEPTH) refuse(at, `arrays nested deeper than ${MAX_DEPTH}`)
    open.push(count)
  }
  if (at !== bytes.length) refuse(at, `${bytes.length - at} bytes after the value`)
}
