// Numbers and byte strings end to end: the values of records that are many.

const CHUNK = 128

/** Bytes of a number of 53 bits, at the most. */
const MOST_OF_NUMBER = 8

/** Writes numbers of up to 53 bits, seven bits a byte, the lowest first (LEB128). */
export class Packer {
  #buffer = Buffer.allocUnsafe(256)
  #length = 0

  number(value: number): this {
    this.#makeRoom(MOST_OF_NUMBER)
    let rest = value
    for (; rest >= CHUNK; rest = Math.floor(rest / CHUNK)) {
      this.#buffer[this.#length++] = (rest % CHUNK) | CHUNK
    }
    this.#buffer[this.#length++] = rest
    return this
  }

  bytes(value: Uint8Array): this {
    this.number(value.length)
    this.#makeRoom(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'))
  }

  done(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#buffer, 0, this.#length)
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

/** Throws RangeError where the bytes are not what is read. */
export class Unpacker {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length
  }

  number(): number {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined || factor > Number.MAX_SAFE_INTEGER)
        throw new RangeError('record: a number is cut short')
      value += (byte % CHUNK) * factor
      if (byte < CHUNK) return value
      factor *= CHUNK
    }
  }

  /** A copy. */
  bytes(): Uint8Array {
    const length = this.number()
    if (this.#at + length > this.#bytes.length) throw new RangeError('record: cut short')
    this.#at += length
    return this.#bytes.slice(this.#at - length, this.#at)
  }

  text(): string {
    return Buffer.from(this.bytes()).toString('utf8')
  }
}
