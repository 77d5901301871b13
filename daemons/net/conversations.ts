// Checks which role may send which message. Each pair of roles has one conversation of the
// catalogue, and each row of a conversation names the role that sends the message.

import type { Peer } from '../../protocol/machine/machine.js'
import type { Tier } from '../../protocol/slots.js'
import { BY_NAME, CONVERSATIONS, type Message } from '../../protocol/messages/catalogue.js'

type Conversation = keyof typeof CONVERSATIONS

const CONVERSATION_OF: ReadonlyMap<string, Conversation> = new Map(
  (Object.keys(CONVERSATIONS) as Conversation[]).flatMap((conversation) =>
    Object.keys(CONVERSATIONS[conversation]).map((name) => [name, conversation] as const),
  ),
)

function between(own: Tier, other: Peer['role']): Conversation {
  if (other === 'client') return 'client'
  if (own !== other) return 'logService'
  return own === 'processing' ? 'ring' : 'persistence'
}

/** Whether a replica of tier `own` accepts this message from `other`. */
export function belongs({ type }: Message, own: Tier, other: Peer['role']): boolean {
  const conversation = CONVERSATION_OF.get(type)
  if (conversation === 'handshake') return true
  return conversation === between(own, other) && BY_NAME.get(type)!.by === other
}
