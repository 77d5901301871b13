// Which messages may come from whom: each pair of roles has one conversation of the catalogue, and
// where the two ends differ, each message has one end that says it.

import type { Peer } from '../../protocol/machine/machine.js'
import type { Tier } from '../../protocol/slots.js'
import { CONVERSATIONS, type Message } from '../../protocol/messages/catalogue.js'

type Conversation = keyof typeof CONVERSATIONS
type Said<C extends Conversation> = Record<keyof (typeof CONVERSATIONS)[C], Peer['role']>

/** Complete, or it does not build: a new message is not let in from the wrong side by oversight. */
const SAID_BY: Said<'client'> & Said<'waist'> = {
  REGISTER: 'client',
  LOGIN: 'client',
  SESSION: 'processing',
  PROGRESS: 'processing',
  OPEN_STREAM: 'client',
  STREAM_OPENED: 'processing',
  SEND: 'client',
  RECEIPT: 'processing',
  INBOX: 'client',
  PAGE: 'processing',
  LISTEN: 'client',
  LISTENING: 'processing',
  PUSH: 'processing',
  CURSOR: 'client',
  STATUS: 'client',
  STATUS_IS: 'processing',
  LOGOUT: 'client',
  CHANGE_PASSWORD: 'client',
  ROTATE_KEY: 'client',
  KEYS: 'client',
  KEYS_ARE: 'processing',
  DELETE: 'client',
  DELETED: 'processing',
  SEND_SEALED: 'client',
  EXPORT_KEYS: 'client',
  WRAPPED_KEYS: 'processing',
  ADD_KEY: 'client',
  INVITE: 'client',
  INVITED: 'processing',
  BLOCK: 'client',
  UNBLOCK: 'client',
  BLOCKED: 'client',
  BLOCKED_ARE: 'processing',
  DELETE_ACCOUNT: 'client',
  ACCOUNT_DELETED: 'processing',
  DELIVERED: 'client',
  RECEIPTS: 'client',
  RECEIPTS_ARE: 'processing',
  FOLLOW_RECEIPTS: 'client',
  FOLLOWING_RECEIPTS: 'processing',
  ACCEPTED: 'processing',
  RECEIPT_STATE: 'processing',
  HOME_HEARTBEAT: 'processing',
  STORE_HEARTBEAT: 'persistence',
  CLAIM: 'processing',
  CLAIMED: 'persistence',
  RESIGN: 'persistence',
  APPEND: 'processing',
  APPENDED: 'persistence',
  FENCED: 'persistence',
  GAP: 'persistence',
  NOT_APPENDED: 'persistence',
  FEED: 'processing',
  ENTRIES: 'persistence',
  READ: 'processing',
  READ_PAGE: 'persistence',
  NOT_YET: 'persistence',
  TIP: 'processing',
  TIP_IS: 'persistence',
}

const CONVERSATION_OF: ReadonlyMap<string, Conversation> = new Map(
  (Object.keys(CONVERSATIONS) as Conversation[]).flatMap((conversation) =>
    Object.keys(CONVERSATIONS[conversation]).map((name) => [name, conversation] as const),
  ),
)

function between(own: Tier, other: Peer['role']): Conversation {
  if (other === 'client') return 'client'
  if (own !== other) return 'waist'
  return own === 'processing' ? 'ring' : 'persistence'
}

/** Whether a replica of tier `own` takes this message from `other`. */
export function belongs({ type }: Message, own: Tier, other: Peer['role']): boolean {
  const conversation = CONVERSATION_OF.get(type)
  if (conversation === 'handshake') return true
  if (conversation !== between(own, other)) return false
  const by = (SAID_BY as Partial<Record<string, Peer['role']>>)[type]
  return by === undefined || by === other
}
