// A frame: the length of the rest as uint32, big-endian, then one MessagePack value. The length is
// checked before memory is allocated. Each frame has memory of its own, so that decoded messages do
// not change when the received chunks are overwritten.

import type { Message } from '../messages/catalogue.js'
import { decodeMessage, encodeMessage } from './codec.js'
import { WireError } from '../schema/schema.js'

const PREFIX_BYTES = 4

export function encodeFrame(message: Message): Buffer {
  const frame = encodeMessage(message, PREFIX_BYTES)
  frame.writeUInt32BE(frame.length - PREFIX_BYTES, 0)
  return frame
}

/** Decodes a stream of bytes in chunks of any size into messages. Unusable after it has thrown. */
export class FrameDecoder {
  #maxFrameBytes: number
  readonly #prefix = Buffer.alloc(PREFIX_BYTES)
  #prefixFilled = 0
  /** The frame being received; null while its length is being received. */
  #frame: Buffer | null = null
  #frameFilled = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Sets the limit for frames whose length has not yet been read. */
  setLimit(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Whether a frame is incomplete: some of its bytes have arrived, and not all. */
  get partial(): boolean {
    return this.#frame !== null || this.#prefixFilled > 0
  }

  /**
   * The messages that this chunk completes. Throws WireError, and the chunk's messages are lost.
   */
  push(chunk: Uint8Array): Message[] {
    const messages: Message[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#frame === null) {
        at = this.#takePrefix(chunk, at)
        continue
      }
      const wanted = this.#frame.length - this.#frameFilled
      const end = Math.min(at + wanted, chunk.length)
      this.#frame.set(chunk.subarray(at, end), this.#frameFilled)
      this.#frameFilled += end - at
      at = end
      if (this.#frameFilled < this.#frame.length) break
      const frame = this.#frame
      this.#frame = null
      messages.push(decodeMessage(frame))
    }
    return messages
  }

  /** Reads up to four bytes of a length; returns the offset after them. */
  #takePrefix(chunk: Uint8Array, from: number): number {
    let at = from
    while (at < chunk.length && this.#prefixFilled < PREFIX_BYTES) {
      this.#prefix[this.#prefixFilled++] = chunk[at++]!
    }
    if (this.#prefixFilled < PREFIX_BYTES) return at
    const length = this.#prefix.readUInt32BE(0)
    if (length === 0) throw new WireError('a frame of 0 bytes')
    if (length > this.#maxFrameBytes) {
      throw new WireError(`a frame of ${length} bytes; at most ${this.#maxFrameBytes} are accepted`)
    }
    this.#prefixFilled = 0
    this.#frameFilled = 0
    this.#frame = Buffer.allocUnsafe(length)
    return at
  }
}
