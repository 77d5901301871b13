// What a persistence replica asks of its file, in the terms of the log. The shell keeps one writer
// connection and one FIFO queue; each batch is one transaction, durable before it is answered.

import type { Place } from '../entries/place.js'
import type { Incarnation, Member, View } from '../entries/incarnation.js'
import type { Fence } from '../entries/fence.js'
import type { NamedDrop } from '../entries/drop.js'
import type { Entry } from '../entries/entry.js'
import type { Epoch } from '../entries/epoch.js'

export interface Genesis {
  readonly clusterId: string
  /** Number of persistence slots; fixed for the life of the cluster. */
  readonly slots: number
}

/** What a peer was seen to have said, so that a rolled-back file is noticed (best effort). */
export interface Remembered {
  readonly slot: number
  readonly incarnation: Incarnation
  readonly promised: Epoch
  readonly acked: number
}

/** One transaction. Parts apply in the order listed here; absent parts change nothing. */
export interface WriteBatch {
  /** Of the transaction itself; if it does not hold, nothing is written and `stale` is answered. */
  readonly require?: { readonly promised?: Epoch; readonly last?: Place }
  readonly genesis?: { readonly genesis: Genesis; readonly incarnation: Incarnation }
  readonly promised?: Epoch
  /** The newest incarnation known for each slot. */
  readonly incarnations?: readonly Member[]
  readonly truncateAfter?: number
  readonly entries?: readonly Entry[]
  readonly commit?: number
  /** In log order, none above `commit`; the last one is how far they are carried out from now on. */
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
  /** Rolled back for want of room; nothing changed. */
  | { readonly outcome: 'full' }

export type ReadQuery =
  /** Entries after an index, in order, at least one if there is one, up to the bounds. */
  | {
      readonly kind: 'entries'
      readonly after: number
      readonly limit: number
      readonly maxBytes: number
    }
  /** The same of one mailbox's messages, none above `through`. */
  | {
      readonly kind: 'mailbox'
      readonly mailbox: string
      readonly after: number
      readonly through: number
      /** Left out, whether or not it is still there. */
      readonly without: readonly number[]
      readonly limit: number
      readonly maxBytes: number
    }
  /** The chain at each index; those not in the log are left out of the answer. */
  | { readonly kind: 'places'; readonly indices: readonly number[] }

export type ReadResult =
  | {
      readonly kind: 'entries' | 'mailbox'
      readonly entries: readonly Entry[]
      readonly more: boolean
    }
  | { readonly kind: 'places'; readonly places: readonly Place[] }
  /** The file changed under the reader or cannot be read just now; ask again. */
  | { readonly kind: 'failed'; readonly reason: string }

/** What a file holds when a replica starts. */
export interface Recovered {
  readonly genesis: Genesis
  readonly incarnation: Incarnation
  readonly durable: DurableState
  readonly view: View
  readonly incarnations: readonly Member[]
  readonly remembered: readonly Remembered[]
  /** Highest Lamport stamp in the log. */
  readonly lamport: number
  /** The last entries of the log, from min(commit, last - `TAIL_ENTRIES`) + 1 on. */
  readonly tail: readonly Entry[]
  /** The newest TERM entry at or below `commit`, if any, and the last order of it there. */
  readonly fence: Fence
  /** DROP entries at or below `commit` that the file has not carried out. */
  readonly drops: readonly Entry[]
}

/** How many entries a replica keeps in memory behind the end of its log. */
export const TAIL_ENTRIES = 8192
