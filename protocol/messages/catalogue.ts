// The message catalogue: every message that travels, by conversation. One source for types,
// validators, golden frames and docs/MESSAGES.md.

import type { AnyShape, MessageOf, MessageType } from '../schema/schema.js'
import * as accounts from './accounts.js'
import * as clients from './client.js'
import * as handshake from './handshake.js'
import * as ring from './ring.js'
import * as persistence from './persistence.js'
import * as waist from './log-service.js'

const client = { ...clients, ...accounts }

export const CONVERSATIONS = { handshake, client, ring, waist, persistence }

type Conversations = typeof CONVERSATIONS
type TypesOf<C> = C[keyof C]
type AnyMessageType = {
  [K in keyof Conversations]: TypesOf<Conversations[K]>
}[keyof Conversations]

/** Every message, told apart by `type`. */
export type Message = MessageOf<AnyMessageType>
export type MessageName = Message['type']
/** The message of one name. */
export type The<N extends MessageName> = Extract<Message, { readonly type: N }>

type Loose = MessageType<string, AnyShape>

export const MESSAGE_TYPES = Object.values(CONVERSATIONS).flatMap((conversation) =>
  Object.values(conversation),
) as unknown as readonly Loose[]

export const BY_TAG: ReadonlyMap<number, Loose> = new Map(
  MESSAGE_TYPES.map((type) => [type.tag, type]),
)
export const BY_NAME: ReadonlyMap<string, Loose> = new Map(
  MESSAGE_TYPES.map((type) => [type.name, type]),
)

const REQUESTS = [
  'REGISTER',
  'LOGIN',
  'OPEN_STREAM',
  'SEND',
  'SEND_SEALED',
  'INBOX',
  'LISTEN',
  'STATUS',
  'CHANGE_PASSWORD',
  'ROTATE_KEY',
  'ADD_KEY',
  'EXPORT_KEYS',
  'KEYS',
  'DELETE',
  'INVITE',
  'BLOCK',
  'UNBLOCK',
  'BLOCKED',
  'DELETE_ACCOUNT',
  'RECEIPTS',
  'FOLLOW_RECEIPTS',
] as const
/** What a client asks, and hears one answer to. */
export type ClientRequest = The<(typeof REQUESTS)[number]>

export function isClientRequest(message: Message): message is ClientRequest {
  return (REQUESTS as readonly string[]).includes(message.type)
}
