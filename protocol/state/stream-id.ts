// The id of a stream is the place in the order at which it was opened: four zero bytes, then term
// (u40), order (u40) and command (u16). No two commands have one place (C7), so no id is ever given
// twice, and no record is needed to tell an id of the past from one that was never given.

import { STREAM_BYTES } from '../entries/entry.js'

export interface OrderPlace {
  readonly term: number
  readonly k: number
}

const TERM_AT = 4
const ORDER_AT = TERM_AT + 5
const COMMAND_AT = ORDER_AT + 5

/** `command`: the command's position in its order, from 0. */
export function streamIdAt({ term, k }: OrderPlace, command: number): Uint8Array {
  const id = Buffer.alloc(STREAM_BYTES)
  id.writeUIntBE(term, TERM_AT, 5)
  id.writeUIntBE(k, ORDER_AT, 5)
  id.writeUInt16BE(command, COMMAND_AT)
  return id
}

/**
 * Whether the id belongs to this place of the order or to a later one: no stream has, or had, it.
 * Ids that clients chose, which older versions let them, have no place: they count as given.
 */
export function isYetToCome(stream: Uint8Array, at: OrderPlace, command: number): boolean {
  const isPlace = stream.subarray(0, TERM_AT).every((byte) => byte === 0)
  return isPlace && Buffer.compare(stream, streamIdAt(at, command)) >= 0
}
