// Encodes and decodes one message as a MessagePack value: the catalogue defines its fields, and
// msgpackr writes and reads the bytes. Invalid bytes from outside give a WireError.

import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr'
import { BY_NAME, BY_TAG } from '../messages/catalogue.js'
import type { Message } from '../messages/catalogue.js'
import { invariant } from '../assert.js'
import { WireError } from '../schema/schema.js'
import { checkStrict } from './strict.js'

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** Encodes a message behind `reserved` (below 256) bytes that the caller fills. */
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

/** Decodes a message. Its fields are views of `bytes`, which must not be written to again. */
export function decodeMessage(bytes: Buffer): Message {
  checkStrict(bytes)
  const value = unpack(bytes)
  if (!Array.isArray(value)) throw new WireError('a message is an array: its tag, then its fields')
  const tag: unknown = value[0]
  const type = typeof tag === 'number' ? BY_TAG.get(tag) : undefined
  if (!type) throw new WireError(`no message has the tag ${String(tag)}`)
  return type.read(value) as Message
}
