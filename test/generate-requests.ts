// The table of requests in docs/PROTOCOL.md, made from the catalogue's rows between two markers. The
// rest of the document is written by hand.

import { CONVERSATIONS } from '../protocol/messages/catalogue.js'
import type { AnyMessageType, LogIn } from '../protocol/schema/message.js'

const BEGIN = '<!-- requests:begin -->'
const END = '<!-- requests:end -->'

const HEAD = ['what a client says', 'answer', 'log-in', 'a command', 'repeated'] as const

const LOG_INS: Record<LogIn, string> = {
  required: 'yes',
  none: '',
  'unless-repeated': 'yes, unless repeated',
}

function cells({ name, answers, terms }: AnyMessageType): string[] {
  if (!terms) return []
  const { login, ordered, repeated } = terms
  return [name, answers.join(', ') || 'none', LOG_INS[login], ordered ? 'yes' : '', repeated]
}

/** Padded as prettier pads it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const rule = widths.map((width) => '-'.repeat(width))
  const [head, ...body] = rows
  return [head!, rule, ...body].map(line).join('\n')
}

/** `document` with the table of the catalogue between its markers. */
export function withRequests(document: string): string {
  const [before, rest] = document.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`no ${BEGIN} and ${END} in the document`)
  const rows = (Object.values(CONVERSATIONS.client) as unknown as AnyMessageType[])
    .filter(({ by }) => by === 'client')
    .sort((a, b) => a.tag - b.tag)
    .map(cells)
  return `${before}${BEGIN}\n\n${table([HEAD, ...rows])}\n\n${END}${after}`
}
