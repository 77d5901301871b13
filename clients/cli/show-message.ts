// Prints a received message, for people or as JSON.

import type { InboxMessage } from '../inbox-message.js'
import { harmless, paint, result, resultJson } from './output.js'
import { say } from './texts.js'

/** Date and time in UTC, to the second. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

export function showMessage(message: InboxMessage, json: boolean): void {
  const { index, from, to, time, stream, seq, text, endToEnd } = message
  if (json) return resultJson({ index, from, to, time, stream, seq, text, endToEnd })
  const when = formatTime(time)
  const unread = say(endToEnd ? 'unproven' : 'sealed')
  const content = text === null ? paint.red(unread) : harmless(text)
  result(
    `${paint.dim(`${String(index).padStart(6)}  ${when}`)}  ${paint.cyan(harmless(from))}: ${content}`,
  )
}
