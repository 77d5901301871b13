// A message of the own mailbox, as the service sends it and as an application gets it.

import type { The } from '../protocol/messages/catalogue.js'

export type WireMessage = The<'PUSH'>['messages'][number]

/** A message out of the own mailbox. */
export interface InboxMessage {
  /** Place in the log. */
  readonly index: number
  /** The sender. */
  readonly from: string
  /** The recipient: the own account. */
  readonly to: string
  /** Milliseconds since 1970; end to end: as the sender signed it. */
  readonly time: number
  /** The stream of the sender's sends, in hexadecimal. */
  readonly stream: string
  /** Place in the stream. */
  readonly seq: number
  /** null: the envelope does not open, or is not its sender's for this place. */
  readonly text: string | null
  /** The service cannot read it, and its sender signed it. */
  readonly endToEnd: boolean
}

export function toInboxMessage(message: WireMessage, endToEnd = false): InboxMessage {
  const { index, from, to, time, seq, text } = message
  const stream = Buffer.from(message.stream).toString('hex')
  return { index, from, to, time, stream, seq, text, endToEnd }
}

/** The stored body of a message, made when its place is known. */
export type Seal = (stream: Uint8Array, seq: number) => Promise<Uint8Array>
