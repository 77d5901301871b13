// Which messages may come from whom: each pair of roles has one conversation of the catalogue.

import type { Peer, Tier } from '../../protocol/machine.js'
import { CONVERSATIONS } from '../../protocol/messages/catalogue.js'
import type { Message } from '../../protocol/messages/catalogue.js'

type Conversation = keyof typeof CONVERSATIONS

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
export function belongs(message: Message, own: Tier, other: Peer['role']): boolean {
  const conversation = CONVERSATION_OF.get(message.type)
  return conversation === 'handshake' || conversation === between(own, other)
}
