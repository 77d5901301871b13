// A message of the mailbox, as the service sends it and as an application gets it.

import type { The } from '../protocol/messages/catalogue.js'

export type WireMessage = The<'PUSH'>['messages'][number]

/** A message of the mailbox. */
export interface InboxMessage {
  /** Log index of the message. */
  readonly index: number
  /** The sender. */
  readonly from: string
  /** The recipient: the account that is logged in. */
  readonly to: string
  /** When it was ordered, ms since 1970; end to end: the time that the sender signed. */
  readonly time: number
  /** The stream of the sender's sends, in hexadecimal. */
  readonly stream: string
  /** Number of the message in its stream. */
  readonly seq: number
  /** null: the envelope does not open, or its sender did not sign it for this place. */
  readonly text: string | null
  /** Whether only the recipient can read the message and its sender signed it. */
  readonly endToEnd: boolean
}

export function toInboxMessage(message: WireMessage, endToEnd = false): InboxMessage {
  const { index, from, to, time, seq, text } = message
  const stream = Buffer.from(message.stream).toString('hex')
  return { index, from, to, time, stream, seq, text, endToEnd }
}

/** Makes the stored body of a message at this place, which the sender signs. */
export type Seal = (stream: Uint8Array, seq: number) => Promise<Uint8Array>
