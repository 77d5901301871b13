// The body of a TERM entry, which names the owner of the term; and the fence that a log's TERMs
// make.

import { entriesOf, hasKind, type Batch } from './batch.js'
import { KIND, plainMeta, type Draft } from './entry.js'

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
  /**
   * The highest time of an order so far, ms since 1970; 0: there is none. A TERM of nobody sets it back.
   */
  readonly time: number
}

/** A boot of a processing replica: a restarted replica never continues a term. */
export interface Owner {
  readonly slot: number
  readonly boot: string
  /** Random; the nonce of the CLAIM. */
  readonly nonce: string
}

/** Owner of a TERM that people put at the end of a log with `troca recover --set-time`. */
const NO_SLOT = 0

/** The TERM after which the time of orders goes on at the batch's time, also where it was ahead. */
export function termOfNobody(nonce: string): Draft {
  return { meta: plainMeta(KIND.term), body: encodeTerm({ slot: NO_SLOT, boot: '', nonce }) }
}

export const NO_FENCE: Fence = { term: 0, owner: null, k: 0, time: 0 }

export function advanceFence(fence: Fence, batch: Batch): Fence {
  const { term, k } = batch
  if (term === 0) return fence
  const time = Math.max(fence.time, batch.time)
  if (!hasKind(batch, KIND.term)) return { ...fence, k, time }
  const owner = decodeTerm(entriesOf(batch)[0]!.body)
  return { term, owner, k: 0, time: owner.slot === NO_SLOT ? batch.time : time }
}
