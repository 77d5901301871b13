// Texts from stdin. A text is taken as it is or refused: bytes that are not UTF-8 are never
// replaced, lines end at LF or CRLF only, and no more is held in memory than a message may have.

import { sayTalk } from './texts.js'

const LF = 0x0a
const CR = 0x0d
/** UTF-8's byte order mark, which no reader of a text sees. */
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

export interface Line {
  /** From 1. */
  readonly number: number
  /** null: longer than the limit; the rest of the line was passed over. */
  readonly bytes: Buffer | null
}

/** The text, or why it cannot be sent. */
export type Read = { readonly text: string } | { readonly refused: string }

/** Checks what a message's text needs, and decodes it. `most`: bytes. */
export function readText(bytes: Buffer | null, most: number): Read {
  if (!bytes || bytes.length > most) return { refused: sayTalk('tooLong', { most }) }
  if (bytes.length === 0) return { refused: sayTalk('empty') }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { refused: sayTalk('notUtf8') }
  }
}

function withoutBom(bytes: Buffer): Buffer {
  return bytes.subarray(0, BOM.length).equals(BOM) ? bytes.subarray(BOM.length) : bytes
}

function withoutCr(bytes: Buffer): Buffer {
  return bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes
}

/** Reads to the end of the input, or until more than `most` bytes came: then it gives null. */
export async function readAtMost(
  input: AsyncIterable<Buffer>,
  most: number,
): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    length += chunk.length
    // The mark and the newline of the last line are not part of the text.
    if (length > most + BOM.length + 2) return null
  }
  const bytes = withoutBom(Buffer.concat(chunks))
  return bytes.at(-1) === LF ? withoutCr(bytes.subarray(0, -1)) : bytes
}

/** The lines of the input, each as soon as it is there. A last line may lack its LF. */
export async function* linesOf(
  input: AsyncIterable<Buffer>,
  most: number,
): AsyncGenerator<Line, void, undefined> {
  let number = 0
  let parts: Buffer[] = []
  let length = 0
  const take = (part: Buffer): void => {
    // One byte more than allowed, and a CR, suffice to know that a line is too long.
    if (length <= most + BOM.length + 1) parts.push(part)
    length += part.length
  }
  const line = (): Line => {
    number++
    const whole = withoutCr(Buffer.concat(parts))
    const bytes = number === 1 ? withoutBom(whole) : whole
    parts = []
    length = 0
    return { number, bytes: bytes.length > most ? null : bytes }
  }
  for await (const chunk of input) {
    let from = 0
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      take(chunk.subarray(from, at))
      yield line()
      from = at + 1
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
  if (length > 0) yield line()
}
