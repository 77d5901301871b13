// Results go to stdout, everything else to stderr. Colour and overwritten lines only on a terminal.

import Table from 'cli-table3'
import pico from 'picocolors'

const coloured = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'

export const paint = pico.createColors(coloured(process.stdout))
export const paintNote = pico.createColors(coloured(process.stderr))

export function result(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Prints a value as JSON on one line. */
export function resultJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** The reader of stdout (head, a pager) has closed it. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

let awaited = false
let closed = false

/** Whether stdout has lost its reader. */
export const outputIsClosed = (): boolean => closed

/**
 * Writes a line, and resolves once the system has taken it: a slow reader slows the writer down.
 * Rejects with OutputClosed if there is no reader any more.
 */
export function printed(text: string): Promise<void> {
  awaited = true
  return new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => {
      if (error) reject(new OutputClosed(error.message, { cause: error }))
      else resolve()
    })
  })
}

/**
 * Decides what a closed stdout means. What `printed` wrote rejects, and its caller knows what was
 * lost; for every other output `end` ends the process.
 */
export function onClosedOutput(end: () => void): void {
  process.stdout.on('error', () => {
    closed = true
    if (!awaited) end()
  })
}

export function note(text: string): void {
  clearProgress()
  process.stderr.write(`${text}\n`)
}

/** Shortest time between two progress lines, unless stderr is a terminal. */
const LINE_EVERY_MS = 1_000
let shown = ''
let shownAt = -Infinity

/** Shows progress: one overwritten line on a terminal, elsewhere at most a line each second. */
export function progress(text: string): void {
  if (text === shown) return
  const now = performance.now()
  if (!process.stderr.isTTY && now - shownAt < LINE_EVERY_MS) return
  shownAt = now
  if (process.stderr.isTTY) {
    const width = process.stderr.columns || 80
    process.stderr.write(`\r\u001b[K${paintNote.dim(text.slice(0, width - 1))}`)
  } else {
    process.stderr.write(`${text}\n`)
  }
  shown = text
}

export function clearProgress(): void {
  if (shown && process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  shown = ''
}

export function table(head: string[], rows: (string | number)[][]): string {
  const grid = new Table({
    head: head.map((text) => paint.bold(text)),
    style: { head: [], border: [], compact: true },
  })
  grid.push(...rows.map((row) => row.map(String)))
  return grid.toString()
}

/**
 * Control characters except tab and newline, line and paragraph separators, and marks that change
 * the direction of text.
 */
const CONTROLS =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Escapes everything in a stranger's text that a terminal would obey, except tab and newline. */
export function harmless(text: string): string {
  return text.replace(CONTROLS, escaped)
}

/** As {@link harmless}, for what stays on one line. */
export function harmlessLine(text: string): string {
  return harmless(text).replace(/[\t\n]/g, escaped)
}
