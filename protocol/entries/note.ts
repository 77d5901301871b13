// The body of a NOOP, the entry of a command that changed nothing: its reason.

import { isCount, readJson, writeJson } from './json-body.js'

export interface Note {
  /** Code of the refusal (errors.ts); 0: done before, or nothing to do. */
  readonly code: number
  /** The expected seq, or the seq that was answered before. */
  readonly value: number
}

export function encodeNote(note: Note): Uint8Array {
  return writeJson([note.code, note.value])
}

/** Throws if the bytes are no note. */
export function decodeNote(body: Uint8Array): Note {
  const note = readJson(body)
  if (!Array.isArray(note) || note.length !== 2 || !note.every(isCount)) {
    throw new RangeError('note body: code and value expected')
  }
  const [code, value] = note as [number, number]
  return { code, value }
}
