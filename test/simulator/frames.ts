// A message on its way is frozen, so that no machine can change what another one holds; in a share
// of the runs it is encoded and decoded by the catalogue instead.

import { BY_NAME, BY_TAG, type Message } from '../../protocol/messages/catalogue.js'
import { MAX_PEER_FRAME } from '../../protocol/schema/shared.js'
import type { WireValue } from '../../protocol/schema/schema.js'
import { Violation } from './violation.js'

export function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (value instanceof Uint8Array || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
}

/** A copy as the codec gives it back: fresh bytes, numbers instead of BigInts. */
function arrive(value: WireValue): WireValue {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  return Array.isArray(value) ? value.map(arrive) : value
}

/** Size as MessagePack, in bytes, rounded up. */
function weigh(value: WireValue): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value)
  if (value instanceof Uint8Array) return 5 + value.length
  if (Array.isArray(value)) return value.reduce<number>((sum, part) => sum + weigh(part), 5)
  return typeof value === 'bigint' ? 9 : 5
}

export function travel(message: Message): Message {
  const type = BY_NAME.get(message.type)
  if (!type) throw new Violation('wire', `${message.type} is not in the catalogue`)
  const value = type.write(message)
  const size = weigh(value)
  if (size > MAX_PEER_FRAME + 1_024) {
    throw new Violation('wire', `${message.type} of ${size} bytes; ${MAX_PEER_FRAME} is the most`)
  }
  try {
    return BY_TAG.get(type.tag)!.read(arrive(value) as unknown[]) as Message
  } catch (error) {
    throw new Violation('wire', (error as Error).message, { cause: error })
  }
}
