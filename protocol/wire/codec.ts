// One message to and from its MessagePack value: the catalogue says what may be in it, msgpackr
// writes and reads the bytes. Whatever is wrong with bytes from outside is a WireError.

import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr'
import { BY_NAME, BY_TAG } from '../messages/catalogue.js'
import type { Message } from '../messages/catalogue.js'
import { invariant } from '../assert.js'
import { WireError } from '../schema/schema.js'
import { checkStrict } from './strict.js'

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** The message's bytes behind `reserved` (below 256) bytes left free for the caller. */
export function encodeMessage(message: Message, reserved: number): Buffer {
  const type = BY_NAME.get(message.type)
  invariant(type !== undefined, `no message is called ${message.type}`)
  return packr.pack(type.write(message), RESERVE_START_SPACE | reserved)
}

function unpack(bytes: Buffer): unknown {
  try {
    return unpackr.unpack(bytes)
  } catch (error) {
    throw new WireError(`not MessagePack: ${(error as Error).message}`)
  }
}

/** `bytes` must never be written to again: fields of the message are views of them. */
export function decodeMessage(bytes: Buffer): Message {
  checkStrict(bytes)
  const value = unpack(bytes)
  if (!Array.isArray(value)) throw new WireError('a message is an array: its tag, then its fields')
  const tag: unknown = value[0]
  const type = typeof tag === 'number' ? BY_TAG.get(tag) : undefined
  if (!type) throw new WireError(`no message has the tag ${String(tag)}`)
  return type.read(value) as Message
}
