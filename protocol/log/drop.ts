// A DROP entry: the owner of a mailbox deletes messages. Once it is committed, the bodies of those
// named are erased wherever the log is kept; header, meta, chain and the hash of the body stay.

import { KIND, decodeMeta, type Entry } from './entry.js'

export interface Drop {
  /** Of the DROP entry itself. */
  readonly index: number
  readonly mailbox: string
  /** All below it: what comes later is not meant, whatever was asked. */
  readonly indices: readonly number[]
}

export function encodeDrop(indices: readonly number[]): Uint8Array {
  return Buffer.from(JSON.stringify(indices))
}

/** Throws where the entry is not a DROP. */
export function decodeDrop(entry: Pick<Entry, 'index' | 'meta' | 'body'>): Drop {
  const { kind, mailbox } = decodeMeta(entry.meta)
  const indices: unknown = JSON.parse(Buffer.from(entry.body).toString('utf8'))
  if (kind !== KIND.drop || !Array.isArray(indices) || !indices.every(Number.isSafeInteger))
    throw new RangeError('DROP body: array of indices expected')
  const { index } = entry
  return { index, mailbox, indices: (indices as number[]).filter((named) => named < index) }
}

/** Whether the drop erases an entry: only messages of its own mailbox. */
export function drops(drop: Drop, entry: Pick<Entry, 'index' | 'meta'>): boolean {
  if (entry.meta[0] !== KIND.message || !drop.indices.includes(entry.index)) return false
  return decodeMeta(entry.meta).mailbox === drop.mailbox
}
