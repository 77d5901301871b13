// Entries that erase messages: a DROP, by which the owner of a mailbox deletes some; an EXPIRED one,
// by which retention erases the oldest; and a CLOSED one, the end of an account, which erases its
// whole mailbox. Once it is committed, the bodies are erased wherever the log is kept; header, meta,
// chain and the hash of the body stay.

import { entriesOf, hasKind, without, type Batch } from './batch.js'
import { KIND, type Entry, type Meta } from './entry.js'
import { decodeExpiry } from './expiry.js'

export interface Drop {
  /** Index of the entry itself. */
  readonly index: number
  readonly mailbox: string
  /**
   * Indices below the entry's own; later ones in a request are ignored. null: all messages through
   * `through`.
   */
  readonly indices: readonly number[] | null
  /** Below the entry's own index; 0 where `indices` names messages. */
  readonly through: number
}

/** A DROP that names messages by index. */
export type NamedDrop = Drop & { readonly indices: readonly number[] }

export function encodeDrop(indices: readonly number[]): Uint8Array {
  return Buffer.from(JSON.stringify(indices))
}

/** The meta alone decides. */
export function isDrop({ kind }: Pick<Meta, 'kind'>): boolean {
  return kind === KIND.drop || kind === KIND.expired || kind === KIND.closed
}

/** Throws if the entry erases nothing. */
export function decodeDrop({ index, meta, body }: Pick<Entry, 'index' | 'meta' | 'body'>): Drop {
  const { kind, mailbox } = meta
  if (kind === KIND.closed) return { index, mailbox, indices: null, through: index - 1 }
  if (kind === KIND.expired) {
    const { through } = decodeExpiry(body)
    return { index, mailbox, indices: null, through: Math.min(through, index - 1) }
  }
  const indices: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  if (kind !== KIND.drop || !Array.isArray(indices) || !indices.every(Number.isSafeInteger))
    throw new RangeError('DROP body: array of indices expected')
  const named = (indices as number[]).filter((one) => one < index)
  return { index, mailbox, indices: named, through: 0 }
}

/** Whether `drop` names the message at `index` of its mailbox. */
export function names(drop: Drop, index: number): boolean {
  return drop.indices ? drop.indices.includes(index) : index <= drop.through
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
  if (!hasKind(batch, KIND.drop, KIND.expired, KIND.closed)) return []
  return entriesOf(batch)
    .filter(({ meta }) => isDrop(meta))
    .map(decodeDrop)
}
