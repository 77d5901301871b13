// What a persistence replica asks of its file, in the terms of the log. The shell keeps one writer
// connection and one FIFO queue; each batch is one transaction, durable before it is answered.

import type { NamedDrop } from '../entries/drop.js'
import type { Entry } from '../entries/entry.js'
import type { Epoch } from '../entries/epoch.js'

/** A voter is a (slot, incarnation): a replica that lost its file comes back as another one. */
export interface Incarnation {
  readonly counter: number
  /** Random, hex. Genesis: empty. */
  readonly nonce: string
}

/**
 * Below 0: `a` is superseded by `b`. Two lives may come to the same number where the first was lost
 * before a majority had recorded it; then the nonces decide, for everybody in the same way.
 */
export function compareIncarnations(a: Incarnation, b: Incarnation): number {
  if (a.counter !== b.counter) return a.counter - b.counter
  return a.nonce < b.nonce ? -1 : a.nonce > b.nonce ? 1 : 0
}

export interface Member {
  readonly slot: number
  readonly incarnation: Incarnation
}

export interface View {
  readonly epoch: Epoch
  readonly members: readonly Member[]
}

export interface Genesis {
  readonly clusterId: string
  /** Number of persistence slots; fixed for the life of the cluster. */
  readonly slots: number
}

/** A place in the log: an index and the chain there. */
export interface Place {
  readonly index: number
  readonly chain: Uint8Array
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
export interface Durable {
  readonly promised: Epoch
  readonly logView: Epoch
  readonly last: number
  readonly chain: Uint8Array
  readonly commit: number
}

export type WriteResult =
  | { readonly outcome: 'written' | 'stale'; readonly durable: Durable }
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
  readonly durable: Durable
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

/** The newest term in a stretch of the log, and how far its orders go. */
export interface Fence {
  readonly term: number
  readonly owner: Owner | null
  /** Last (k, part of parts) of that term; k = 0 is the TERM entry itself. */
  readonly k: number
  readonly part: number
  readonly parts: number
}

/** A processing replica's one life: a restarted one never continues a term. */
export interface Owner {
  readonly slot: number
  readonly boot: string
  /** Random, of the CLAIM. */
  readonly nonce: string
}

export const NO_FENCE: Fence = { term: 0, owner: null, k: 0, part: 1, parts: 1 }
