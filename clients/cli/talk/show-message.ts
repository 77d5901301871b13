// Prints a received message, for people or as JSON. Invariant: a text or a name cannot pass for
// another message: every line after the first one of a message is indented and marked.

import wrapAnsi from 'wrap-ansi'
import type { InboxMessage } from '../../inbox-message.js'
import { harmless, harmlessLine, paint, printed } from '../output.js'
import { say } from '../texts.js'

/** Room for the text of the first line, at least; in less, the text begins on the next line. */
const LEAST_ROOM = 16
const INDENT = ' '.repeat(8)
const MARK = '│ '
const TAB = '    '

/** Local date and time to the second, with the offset of the zone: what --since takes. */
export function formatTime(ms: number): string {
  const local = new Date(ms)
  const ahead = -local.getTimezoneOffset()
  const shifted = new Date(ms + ahead * 60_000).toISOString().slice(0, 19).replace('T', ' ')
  const two = (n: number): string => String(n).padStart(2, '0')
  const offset = Math.abs(ahead)
  return `${shifted}${ahead < 0 ? '-' : '+'}${two(Math.floor(offset / 60))}:${two(offset % 60)}`
}

/** Pieces of a line that fit in the columns; together they are the line. */
function pieces(line: string, columns: number): string[] {
  return wrapAnsi(line, columns, { hard: true, trim: false }).split('\n')
}

/** The lines of a text as they follow a heading of this width; the first may be empty. */
export function textLines(text: string, heading: number, columns: number): string[] {
  const [first = '', ...rest] = harmless(text).split('\n')
  if (!Number.isFinite(columns)) return [first, ...rest]
  const room = columns - heading
  const below = Math.max(LEAST_ROOM, columns - INDENT.length - MARK.length)
  const spaced = first.replaceAll('\t', TAB)
  const [begin = '', ...after] = room < LEAST_ROOM ? ['', spaced] : pieces(spaced, room)
  const overflow = after.join('')
  const following = [...(overflow === '' ? [] : [overflow]), ...rest]
  return [begin, ...following.flatMap((line) => pieces(line.replaceAll('\t', TAB), below))]
}

/** Resolves once the message is written; rejects if the reader of the output has gone. */
export function showMessage(message: InboxMessage, json: boolean): Promise<void> {
  const { index, from, to, time, stream, seq, text, endToEnd } = message
  if (json) return printed(JSON.stringify({ index, from, to, time, stream, seq, text, endToEnd }))
  const place = `${String(index).padStart(6)}  ${formatTime(time)}`
  const sender = harmlessLine(from)
  const heading = place.length + 2 + sender.length + 2
  const columns = process.stdout.isTTY ? process.stdout.columns || 80 : Infinity
  const lines =
    text === null
      ? [paint.red(say(endToEnd ? 'unproven' : 'sealed'))]
      : textLines(text, heading, columns)
  const shown = lines.join(`\n${INDENT}${paint.dim(MARK)}`)
  return printed(`${paint.dim(place)}  ${paint.cyan(sender)}: ${shown}`)
}
