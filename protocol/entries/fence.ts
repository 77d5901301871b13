// The body of a TERM entry, which names the owner of the term; and the fence that a log's TERMs
// make.

import { entriesOf, hasKind, type Batch } from './batch.js'
import { KIND } from './entry.js'

export function encodeTerm(owner: Owner): Uint8Array {
  return Buffer.from(JSON.stringify([owner.slot, owner.boot, owner.nonce]), 'utf8')
}

/** Throws if the bytes are not a TERM's body. */
export function decodeTerm(body: Uint8Array): Owner {
  const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  if (!Array.isArray(value)) throw new RangeError('TERM body: array expected')
  const [slot, boot, nonce] = value as unknown[]
  if (!Number.isSafeInteger(slot) || typeof boot !== 'string' || typeof nonce !== 'string') {
    throw new RangeError('TERM body: slot, boot and nonce expected')
  }
  return { slot: slot as number, boot, nonce }
}

/** The newest term in a stretch of the log, and the last of its orders. */
export interface Fence {
  readonly term: number
  readonly owner: Owner | null
  /** The last order of that term; 0 is the TERM entry itself. */
  readonly k: number
  /** The highest time of an order so far, ms since 1970; 0: there is none. */
  readonly time: number
}

/** A boot of a processing replica: a restarted replica never continues a term. */
export interface Owner {
  readonly slot: number
  readonly boot: string
  /** Random; the nonce of the CLAIM. */
  readonly nonce: string
}

export const NO_FENCE: Fence = { term: 0, owner: null, k: 0, time: 0 }

export function advanceFence(fence: Fence, batch: Batch): Fence {
  const { term, k } = batch
  if (term === 0) return fence
  const time = Math.max(fence.time, batch.time)
  if (hasKind(batch, KIND.term)) {
    return { term, owner: decodeTerm(entriesOf(batch)[0]!.body), k: 0, time }
  }
  return { ...fence, k, time }
}
