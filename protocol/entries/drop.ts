// Entries that erase messages: a DROP, by which the owner of a mailbox deletes some, and a CLOSED
// one, the end of an account, which erases its whole mailbox. Once it is committed, the bodies are
// erased wherever the log is kept; header, meta, chain and the hash of the body stay.

import { entriesOf, hasKind, without, type Batch } from './batch.js'
import { KIND, type Entry, type Meta } from './entry.js'

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
export function isDrop({ kind }: Pick<Meta, 'kind'>): boolean {
  return kind === KIND.drop || kind === KIND.closed
}

/** Throws if the entry erases nothing. */
export function decodeDrop({ index, meta, body }: Pick<Entry, 'index' | 'meta' | 'body'>): Drop {
  const { kind, mailbox } = meta
  if (kind === KIND.closed) return { index, mailbox, indices: null }
  const indices: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  if (kind !== KIND.drop || !Array.isArray(indices) || !indices.every(Number.isSafeInteger))
    throw new RangeError('DROP body: array of indices expected')
  return { index, mailbox, indices: (indices as number[]).filter((named) => named < index) }
}

/** Whether `drop` names the message at `index` of its mailbox. */
export function names(drop: Drop, index: number): boolean {
  return drop.indices ? drop.indices.includes(index) : index < drop.index
}

/** Whether the drop erases an entry: only messages of its own mailbox. */
export function drops(drop: Drop, { index, meta }: Pick<Entry, 'index' | 'meta'>): boolean {
  return meta.kind === KIND.message && meta.mailbox === drop.mailbox && names(drop, index)
}

/** The batch without the bodies that the drop erases. */
export function erase(drop: Drop, batch: Batch): Batch {
  return without(batch, (entry) => drops(drop, entry))
}

/** The DROPs that a batch holds, in log order. */
export function dropsOf(batch: Batch): Drop[] {
  if (!hasKind(batch, KIND.drop, KIND.closed)) return []
  return entriesOf(batch)
    .filter(({ meta }) => isDrop(meta))
    .map(decodeDrop)
}
