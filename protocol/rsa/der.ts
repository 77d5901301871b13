// The subset of DER (X.690) that RSA keys need. Invariant: the reader accepts one encoding of each
// value, with definite and minimal lengths, minimal non-negative integers, and no bytes after the
// end. `context0` to `context3` are constructed elements [0] to [3], `bits1` is the bit string [1].

import { bitLength, concat, toInteger, toOctets } from './octets.js'
import { RsaError } from './rsa-error.js'

const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  context0: 0xa0,
  context1: 0xa1,
  context2: 0xa2,
  context3: 0xa3,
  bits1: 0x81,
} as const

type Tag = keyof typeof tags

/** Reads the elements of one constructed value in order; RsaError `encoding` for invalid bytes. */
export class DerReader {
  /** All elements, read or not. */
  readonly octets: Uint8Array
  #at = 0

  constructor(octets: Uint8Array) {
    this.octets = octets
  }

  sequence(): DerReader {
    return this.constructed('sequence')
  }

  /** Reads a constructed element: a sequence, or one that its tag tells from others. */
  constructed(tag: Tag): DerReader {
    return new DerReader(this.#element(tag))
  }

  /** Reads an optional constructed element; undefined if another follows, or none. */
  optional(tag: Tag): DerReader | undefined {
    return this.nextIs(tag) ? this.constructed(tag) : undefined
  }

  /** Reads a non-negative integer. */
  integer(): bigint {
    const content = this.#element('integer')
    const [first = 0x80, second = 0x80] = content
    if (first >= 0x80) throw encodingError('an integer is empty or negative')
    if (first === 0 && content.length > 1 && second < 0x80) {
      throw encodingError('an integer is not minimal')
    }
    return toInteger(content)
  }

  octetString(): Uint8Array {
    return this.#element('octetString')
  }

  /** Reads a bit string without unused bits. */
  bitString(tag: 'bitString' | 'bits1' = 'bitString'): Uint8Array {
    const content = this.#element(tag)
    if (content[0] !== 0) throw encodingError('a bit string is not of whole octets')
    return content.subarray(1)
  }

  /** Reads an object identifier as its encoded arcs. */
  objectIdentifier(): Uint8Array {
    return this.#element('objectIdentifier')
  }

  null(): void {
    if (this.#element('null').length !== 0) throw encodingError('a null is not empty')
  }

  /** Reads the parameters of an algorithm that has none: a null, or nothing (RFC 4055 2.1). */
  nullOrNothing(): void {
    if (!this.isAtEnd) this.null()
    this.end()
  }

  /** Whether an element of this type follows; for optional elements. */
  nextIs(tag: Tag): boolean {
    return this.octets[this.#at] === tags[tag]
  }

  /** Whether every element was read. */
  get isAtEnd(): boolean {
    return this.#at === this.octets.length
  }

  /** Throws unless every element was read. */
  end(): void {
    if (!this.isAtEnd) throw encodingError('bytes follow the last element')
  }

  #element(tag: Tag): Uint8Array {
    if (this.#byte() !== tags[tag]) throw encodingError(`expected: ${tag}`)
    const length = this.#length()
    const start = this.#at
    if (length > this.octets.length - start) throw encodingError('truncated')
    this.#at += length
    return this.octets.subarray(start, this.#at)
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const count = first - 0x80
    // Keys of 8192 bits stay far below 2^16 octets.
    if (count === 0 || count > 3) throw encodingError('an indefinite or oversized length')
    let length = 0
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte()
    if (length < 0x80 || length < 256 ** (count - 1)) throw encodingError('a length is not minimal')
    return length
  }

  #byte(): number {
    const byte = this.octets[this.#at]
    if (byte === undefined) throw encodingError('truncated')
    this.#at++
    return byte
  }
}

export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return element('sequence', concat(...elements))
}

/** x >= 0. */
export function derInteger(x: bigint): Uint8Array {
  // DER integers are signed, so x needs one bit more, which is 0.
  return element('integer', toOctets(x, Math.floor(bitLength(x) / 8) + 1))
}

export function derOctetString(content: Uint8Array): Uint8Array {
  return element('octetString', content)
}

export function derBitString(content: Uint8Array): Uint8Array {
  return element('bitString', concat(Uint8Array.of(0), content))
}

export function derObjectIdentifier(arcs: Uint8Array): Uint8Array {
  return element('objectIdentifier', arcs)
}

export function derNull(): Uint8Array {
  return element('null', new Uint8Array(0))
}

function element(tag: Tag, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(tags[tag]), lengthOctets(content.length), content)
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Uint8Array.of(0x80 + octets.length, ...octets)
}

function encodingError(reason: string): RsaError {
  return new RsaError('encoding', `not DER of an RSA key: ${reason}`)
}
