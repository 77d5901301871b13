// Requests of a persistence replica to its file, in the terms of the log. The shell keeps one
// writer connection and one FIFO queue; each transaction is durable before it is answered.

import type { Place } from '../entries/place.js'
import type { Incarnation, Member, View } from '../entries/incarnation.js'
import type { Fence } from '../entries/fence.js'
import type { Batch } from '../entries/batch.js'
import type { Drop, NamedDrop } from '../entries/drop.js'
import type { Epoch } from '../entries/epoch.js'
import type { Origin } from '../entries/origin.js'

export interface Genesis extends Origin {
  /** Number of persistence slots; fixed for the life of the cluster. */
  readonly slots: number
}

/** Promise and ACK seen from a peer, so that a rolled-back file is noticed (best effort). */
export interface Remembered {
  readonly slot: number
  readonly incarnation: Incarnation
  readonly promised: Epoch
  readonly acked: number
}

/** A transaction. Its parts apply in the order listed here; absent parts change nothing. */
export interface Transaction {
  /**
   * Condition that the transaction checks: if it does not hold, nothing is written and the result
   * is `stale`.
   */
  readonly require?: { readonly promised?: Epoch; readonly last?: Place }
  readonly genesis?: { readonly genesis: Genesis; readonly incarnation: Incarnation }
  readonly promised?: Epoch
  /** The newest incarnation known for each slot. */
  readonly incarnations?: readonly Member[]
  readonly truncateAfter?: number
  readonly batches?: readonly Batch[]
  readonly commit?: number
  /**
   * DROPs to carry out, in log order, none above `commit`. The last index is the one through which
   * DROPs are carried out from then on.
   */
  readonly erase?: readonly NamedDrop[]
  readonly view?: View
  readonly remembered?: readonly Remembered[]
}

/** The state that the transaction left behind, read inside it. */
export interface DurableState {
  readonly promised: Epoch
  readonly logView: Epoch
  readonly last: number
  readonly chain: Uint8Array
  readonly commit: number
}

export type WriteResult =
  | { readonly outcome: 'written' | 'stale'; readonly durable: DurableState }
  /** Rolled back for lack of room; nothing changed. */
  | { readonly outcome: 'full' }

/** A message as it is stored, with the place that readers name it by. */
export interface StoredMessage {
  readonly index: number
  readonly time: number
  readonly meta: Uint8Array
  readonly envelope: Uint8Array
}

export type ReadQuery =
  /** Batches after an index, in order, at least one if there is one, up to the bounds. */
  | {
      readonly kind: 'batches'
      readonly after: number
      readonly limit: number
      readonly maxBytes: number
      /** True: the bodies of messages are left out. */
      readonly lean?: boolean
    }
  /** Messages of one mailbox after an index, none above `through`, up to the bounds. */
  | {
      readonly kind: 'mailbox'
      readonly mailbox: string
      readonly after: number
      readonly through: number
      /** Indices to leave out, whether or not their entries are still there. */
      readonly without: readonly number[]
      readonly limit: number
      readonly maxBytes: number
    }
  /** The chain at each index; indices that are not in the log are missing from the result. */
  | { readonly kind: 'places'; readonly indices: readonly number[] }
  /** The last entry that was ordered before a time, ms since 1970. */
  | { readonly kind: 'time'; readonly time: number }

export type ReadResult =
  | {
      readonly kind: 'mailbox'
      readonly messages: readonly StoredMessage[]
      readonly more: boolean
    }
  | { readonly kind: 'batches'; readonly batches: readonly Batch[] }
  | { readonly kind: 'places'; readonly places: readonly Place[] }
  /** All entries of orders at or below `index` are older than the time, none above it is. */
  | { readonly kind: 'time'; readonly index: number }
  /** The file changed under the reader or cannot be read now; the read may be repeated. */
  | { readonly kind: 'failed'; readonly reason: string }

/** Contents of a file when a replica starts. */
export interface Recovered {
  readonly genesis: Genesis
  readonly incarnation: Incarnation
  readonly durable: DurableState
  readonly view: View
  readonly incarnations: readonly Member[]
  readonly remembered: readonly Remembered[]
  /** Highest Lamport stamp in the log. */
  readonly lamport: number
  /** The last batches of the log: all after the commit index, and those before it within TAIL. */
  readonly tail: readonly Batch[]
  /**
   * The newest TERM entry at or below `commit`, if any, and the last order of its term up to there.
   */
  readonly fence: Fence
  /** DROPs at or below `commit` that the file has not carried out. */
  readonly drops: readonly Drop[]
}

/** The end of a log that stays in memory, whichever bound is reached first. */
export interface TailBounds {
  readonly entries: number
  /** Bytes of heads and bodies, as weighBatch counts them. */
  readonly bytes: number
}

export const TAIL: TailBounds = { entries: 8_192, bytes: 4 * 1024 * 1024 }
