// The message catalogue: every message on the wire, by conversation. Its rows yield the types, the
// validators, the golden frames, the documents, and which side may send which message.

import type { AnyMessageType, LogIn, MessageOf, Speaker } from '../schema/message.js'
import * as accounts from './accounts.js'
import * as clients from './client.js'
import * as handshake from './handshake.js'
import * as mailbox from './mailbox.js'
import * as ring from './ring.js'
import * as persistence from './persistence.js'
import * as logService from './log-service.js'

export const CONVERSATIONS = {
  handshake,
  client: { ...clients, ...mailbox, ...accounts },
  ring,
  logService,
  persistence,
}

type Conversations = typeof CONVERSATIONS
type RowsOf<C> = C[keyof C]
type AnyRow = { [K in keyof Conversations]: RowsOf<Conversations[K]> }[keyof Conversations]

/** The sides of each conversation that may send its messages. */
interface Ends {
  handshake: 'either'
  client: 'client' | 'processing'
  ring: 'processing'
  logService: 'processing' | 'persistence'
  persistence: 'persistence'
}

/** Each row under its own name, sent by one of these sides, and answered by rows beside it. */
type Between<By extends Speaker, C> = {
  readonly [N in keyof C]: {
    readonly name: N
    readonly by: By
    readonly answers: readonly (keyof C)[]
  }
}

type Sound = { readonly [K in keyof Conversations]: Between<Ends[K], Conversations[K]> }

/** Every message, told apart by `type`. */
export type Message = MessageOf<AnyRow>
export type MessageName = Message['type']
/** The message of one name. */
export type The<N extends MessageName> = Extract<Message, { readonly type: N }>

export const MESSAGE_TYPES = Object.values(CONVERSATIONS satisfies Sound).flatMap((rows) =>
  Object.values(rows),
) as unknown as readonly AnyMessageType[]

export const BY_TAG: ReadonlyMap<number, AnyMessageType> = new Map(
  MESSAGE_TYPES.map((type) => [type.tag, type]),
)
export const BY_NAME: ReadonlyMap<string, AnyMessageType> = new Map(
  MESSAGE_TYPES.map((type) => [type.name, type]),
)

type SaidByClients = Extract<RowsOf<Conversations['client']>, { readonly by: 'client' }>
type Unanswered = Extract<SaidByClients, { readonly answers: readonly never[] }>

/** Requests of a client: each is answered by one message. */
export type ClientRequest = MessageOf<Exclude<SaidByClients, Unanswered>>
export type ClientRequestName = ClientRequest['type']
/** Messages of a client that no message answers. The handshake's messages are neither. */
export type ClientNotice = MessageOf<Unanswered>

/** Every request of a client, and whether it needs a log-in. */
export const CLIENT_REQUESTS: ReadonlyMap<ClientRequestName, LogIn> = new Map(
  MESSAGE_TYPES.flatMap(({ name, answers, terms }) =>
    terms && answers.length > 0 ? [[name as ClientRequestName, terms.login] as const] : [],
  ),
)

export function isClientRequest(message: Message): message is ClientRequest {
  return CLIENT_REQUESTS.has(message.type as ClientRequestName)
}
