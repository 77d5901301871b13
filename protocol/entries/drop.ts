// Entries that erase messages: a DROP, by which the owner of a mailbox deletes some, and a CLOSED
// one, the end of an account, which erases its whole mailbox. Once it is committed, the bodies are
// erased wherever the log is kept; header, meta, chain and the hash of the body stay.

import { KIND, decodeMeta, type Entry } from './entry.js'

export interface Drop {
  /** Index of the entry itself. */
  readonly index: number
  readonly mailbox: string
  /**
   * Indices below the entry's own; later ones in a request are ignored. null: all messages below
   * the entry.
   */
  readonly indices: readonly number[] | null
}

/** A DROP that names messages by index. */
export type NamedDrop = Drop & { readonly indices: readonly number[] }

export function encodeDrop(indices: readonly number[]): Uint8Array {
  return Buffer.from(JSON.stringify(indices))
}

/** The meta alone decides. */
export function isDrop({ meta }: Pick<Entry, 'meta'>): boolean {
  return meta[0] === KIND.drop || meta[0] === KIND.closed
}

/** Throws if the entry erases nothing. */
export function decodeDrop(entry: Pick<Entry, 'index' | 'meta' | 'body'>): Drop {
  const { kind, mailbox } = decodeMeta(entry.meta)
  const { index } = entry
  if (kind === KIND.closed) return { index, mailbox, indices: null }
  const indices: unknown = JSON.parse(Buffer.from(entry.body).toString('utf8'))
  if (kind !== KIND.drop || !Array.isArray(indices) || !indices.every(Number.isSafeInteger))
    throw new RangeError('DROP body: array of indices expected')
  return { index, mailbox, indices: (indices as number[]).filter((named) => named < index) }
}

/** Whether `drop` names the message at `index` of its mailbox. */
export function names(drop: Drop, index: number): boolean {
  return drop.indices ? drop.indices.includes(index) : index < drop.index
}

/** Whether the drop erases an entry: only messages of its own mailbox. */
export function drops(drop: Drop, entry: Pick<Entry, 'index' | 'meta'>): boolean {
  if (entry.meta[0] !== KIND.message || !names(drop, entry.index)) return false
  return decodeMeta(entry.meta).mailbox === drop.mailbox
}
