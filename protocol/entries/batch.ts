// A batch: the entries of one order, or one TERM, or one writing of marks. The log is a chain of
// batches; its indices count entries. The head lists each entry's meta and the hash of its body, and
// is what replicas vote on: chain = SHA-256(previous chain ‖ header ‖ SHA-256(head)). So a body can
// be erased later and the chain still verifies. Head and bodies are encoded once, by the processing
// tier, and never again; the holder of the turn adds the place.

import { sameBytes, sha256 } from '../bytes.js'
import { invariant } from '../assert.js'
import {
  HASH_BYTES,
  KIND,
  bitsOf,
  decodeMeta,
  metaLength,
  writeMeta,
  type Draft,
  type Entry,
  type Kind,
  type Meta,
} from './entry.js'
import type { Epoch } from './epoch.js'

/** What an order puts into the log. */
export interface Contents {
  /**
   * Number of entries and number of shared parts (u16 each); of each shared part its length (u32)
   * and SHA-256; of each entry the length of its meta (u16), the meta, the number of its shared part
   * (u16, from 1; 0: none), the length of its body (u32), and SHA-256 of the body.
   */
  readonly head: Uint8Array
  /** The shared parts and then the bodies, end to end. */
  readonly bodies: Uint8Array
}

export interface Batch extends Contents {
  /** Log index of the first entry. */
  readonly first: number
  readonly epoch: Epoch
  /** Term and order number of the coordinator; a TERM has k = 0, marks have 0 and 0. */
  readonly term: number
  readonly k: number
  readonly lamport: number
  /** Milliseconds since 1970, as the order states. */
  readonly time: number
  /**
   * A bit an entry and then a bit a shared part, the lowest first: it is not in `bodies`. Empty: all
   * are there.
   */
  readonly absent: Uint8Array
  readonly chain: Uint8Array
}

export type Unchained = Omit<Batch, 'chain' | 'absent'>

/** A batch as far as its entries go. */
export type Listed = Omit<Batch, 'epoch' | 'lamport' | 'chain'>

/** What a head says of bytes in `bodies`. */
interface Listing {
  readonly bytes: number
  readonly hash: Uint8Array
}

interface HeadEntry extends Listing {
  readonly meta: Meta
  readonly metaBytes: number
  /** Number of the shared part, from 1; 0: none. */
  readonly shared: number
}

interface Head {
  readonly shared: readonly Listing[]
  readonly entries: readonly HeadEntry[]
  /** A bit for each kind that one of the entries has. */
  readonly kinds: number
}

/** The chain before entry 1. */
export const CHAIN_ZERO: Uint8Array = new Uint8Array(HASH_BYTES)

const NO_BYTES = new Uint8Array(0)
const LISTING_BYTES = 4 + HASH_BYTES

export function packDrafts(drafts: readonly Draft[]): Contents {
  const { parts, numberOf } = sharedParts(drafts)
  const metaBytes = drafts.reduce((sum, { meta }) => sum + 4 + metaLength(meta), 0)
  const head = Buffer.allocUnsafe(4 + metaBytes + LISTING_BYTES * (parts.length + drafts.length))
  head.writeUInt16BE(drafts.length, 0)
  head.writeUInt16BE(parts.length, 2)
  let at = 4
  const list = ({ length: bytes }: Uint8Array, hash: Uint8Array): Listing => {
    head.writeUInt32BE(bytes, at)
    head.set(hash, at + 4)
    at += LISTING_BYTES
    return { bytes, hash }
  }
  const listed = parts.map(({ bytes, hash }) => list(bytes, hash))
  const entries = drafts.map(({ meta, body, shared }): HeadEntry => {
    const end = writeMeta(meta, head, at + 2)
    const metaBytes = end - at - 2
    head.writeUInt16BE(metaBytes, at)
    const number = shared ? numberOf.get(shared)! : 0
    head.writeUInt16BE(number, end)
    at = end + 2
    const { bytes, hash } = list(body, sha256(body))
    return { meta, metaBytes, shared: number, bytes, hash }
  })
  known.set(head, { shared: listed, entries, kinds: kindsOf(entries) })
  const bodies = [...parts.map(({ bytes }) => bytes), ...drafts.map(({ body }) => body)]
  return { head, bodies: Buffer.concat(bodies) }
}

/** The different shared parts. Equal bytes are one part, whatever objects hold them. */
function sharedParts(drafts: readonly Draft[]) {
  const numberOf = new Map<Uint8Array, number>()
  const numberOfHash = new Map<string, number>()
  const parts: { readonly bytes: Uint8Array; readonly hash: Uint8Array }[] = []
  for (const { shared } of drafts) {
    if (!shared || numberOf.has(shared)) continue
    const hash = sha256(shared)
    const key = hash.toString('latin1')
    const number = numberOfHash.get(key) ?? parts.push({ bytes: shared, hash })
    numberOfHash.set(key, number)
    numberOf.set(shared, number)
  }
  return { parts, numberOf }
}

function readHead(bytes: Uint8Array): Head {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const [count, parts] = [view.readUInt16BE(0), view.readUInt16BE(2)]
  let at = 4
  const listing = (): Listing => {
    const listed = { bytes: view.readUInt32BE(at), hash: view.subarray(at + 4, at + LISTING_BYTES) }
    at += LISTING_BYTES
    return listed
  }
  const shared = Array.from({ length: parts }, listing)
  const entries: HeadEntry[] = []
  for (let i = 0; i < count; i++) {
    const metaBytes = view.readUInt16BE(at)
    const end = at + 2 + metaBytes
    const meta = decodeMeta(view.subarray(at + 2, end))
    const number = view.readUInt16BE(end)
    if (number > parts) throw new RangeError('head: no such shared part')
    at = end + 2
    const { bytes: bodyBytes, hash } = listing()
    entries.push({ meta, metaBytes, shared: number, bytes: bodyBytes, hash })
  }
  if (count === 0 || at !== view.length) throw new RangeError('head: not what it counts')
  return { shared, entries, kinds: kindsOf(entries) }
}

const kindsOf = (entries: readonly HeadEntry[]): number =>
  bitsOf(entries.map(({ meta }) => meta.kind))

/** A head is read several times on its way, and never changes. */
const known = new WeakMap<Uint8Array, Head>()

/** Throws RangeError if the bytes are no head. */
export function decodeHead(head: Uint8Array): Head {
  const before = known.get(head)
  if (before) return before
  const decoded = readHead(head)
  known.set(head, decoded)
  return decoded
}

export function countOf({ head }: Pick<Batch, 'head'>): number {
  return (head[0]! << 8) | head[1]!
}

/** Log index of the last entry. */
export function lastOf(batch: Pick<Batch, 'first' | 'head'>): number {
  return batch.first + countOf(batch) - 1
}

const bit = (bits: Uint8Array, at: number): boolean =>
  bits.length > 0 && ((bits[at >> 3]! >> (at & 7)) & 1) === 1

/** Whether the body of the entry at this place of the batch, from 0, is not there. */
export function lacks({ absent }: Pick<Batch, 'absent'>, place: number): boolean {
  return bit(absent, place)
}

/** The shared parts of the batch and then its bodies, as views; empty where one is absent. */
function views({ head, bodies, absent }: Pick<Batch, 'head' | 'bodies' | 'absent'>) {
  const { shared, entries } = decodeHead(head)
  let at = 0
  const view = ({ bytes }: Listing, missing: boolean): Uint8Array => {
    if (missing) return NO_BYTES
    at += bytes
    return bodies.subarray(at - bytes, at)
  }
  const parts = shared.map((part, i) => view(part, bit(absent, entries.length + i)))
  return { parts, bodies: entries.map((entry, place) => view(entry, bit(absent, place))) }
}

/** The entries of the batch. Bodies are views on the batch's bytes. */
export function entriesOf(batch: Listed): Entry[] {
  const { first, term, k, time } = batch
  const { parts, bodies } = views(batch)
  return decodeHead(batch.head).entries.map(({ meta, bytes, shared: number }, place) => {
    const shared = number > 0 ? parts[number - 1]! : NO_BYTES
    const body = bodies[place]!
    return { index: first + place, term, k, place, time, meta, body, bodyBytes: bytes, shared }
  })
}

/** Metas of the batch with their log indices. */
export function metasOf(batch: Batch): { readonly index: number; readonly meta: Meta }[] {
  const { entries } = decodeHead(batch.head)
  return entries.map(({ meta }, place) => ({ index: batch.first + place, meta }))
}

/** Whether the batch has an entry of one of these kinds. */
export function hasKind(batch: Pick<Batch, 'head'>, ...kinds: readonly Kind[]): boolean {
  return (decodeHead(batch.head).kinds & bitsOf(kinds)) !== 0
}

/** Whether the batch has entries of this kind alone. */
export function isAll(batch: Pick<Batch, 'head'>, kind: Kind): boolean {
  return decodeHead(batch.head).kinds === bitsOf([kind])
}

/**
 * The batch without the bodies of the entries that `left` names, and without the shared parts that
 * only they need; head and chain stay.
 */
export function without(
  batch: Batch,
  left: (entry: { readonly index: number; readonly meta: Meta }) => boolean,
): Batch {
  const { entries, shared } = decodeHead(batch.head)
  const kept = entries.map(({ meta }, place) => {
    return !lacks(batch, place) && !left({ index: batch.first + place, meta })
  })
  if (kept.every((stays, place) => stays === !lacks(batch, place))) return batch
  const needed = shared.map((_, i) =>
    entries.some((entry, at) => kept[at] && entry.shared === i + 1),
  )
  const bits = [...kept, ...needed]
  const absent = new Uint8Array(Math.ceil(bits.length / 8))
  for (const [at, stays] of bits.entries()) if (!stays) absent[at >> 3]! |= 1 << (at & 7)
  const { parts, bodies } = views(batch)
  const stay = [...parts.filter((_, i) => needed[i]), ...bodies.filter((_, at) => kept[at])]
  return { ...batch, absent, bodies: Buffer.concat(stay) }
}

/** The batch without the bodies of messages, as who only follows the log needs it. */
export function withoutMessages(batch: Batch): Batch {
  return without(batch, ({ meta }) => meta.kind === KIND.message)
}

/**
 * Throws RangeError where the bodies are not those that the head lists. Hashes are for
 * `bodiesMatch`.
 */
export function checkBodies(batch: Pick<Batch, 'head' | 'bodies' | 'absent'>): void {
  const { entries, shared } = decodeHead(batch.head)
  const { absent, bodies } = batch
  if (absent.length > 0 && absent.length !== Math.ceil((entries.length + shared.length) / 8))
    throw new RangeError('batch: not a bit for each entry and shared part')
  let bytes = 0
  const lacked = (at: number): boolean => bit(absent, entries.length + at)
  for (const [at, part] of shared.entries()) if (!lacked(at)) bytes += part.bytes
  for (const [place, entry] of entries.entries()) {
    const gone = lacks(batch, place)
    if (gone && entry.meta.kind !== KIND.message)
      throw new RangeError('batch: no message, and no body')
    if (!gone && entry.shared > 0 && lacked(entry.shared - 1))
      throw new RangeError('batch: a shared part is missing')
    if (!gone) bytes += entry.bytes
  }
  if (bytes !== bodies.length) throw new RangeError('batch: other bodies than the head lists')
}

/** The input of the chain's hash: the previous chain, fixed-width integers, the head's hash. */
function chained(previous: Uint8Array, batch: Unchained): Buffer {
  const out = Buffer.allocUnsafe(HASH_BYTES + 56 + HASH_BYTES)
  out.set(previous, 0)
  let at = HASH_BYTES
  for (const value of [
    batch.first,
    batch.epoch.counter,
    batch.epoch.slot,
    batch.term,
    batch.k,
    batch.lamport,
    batch.time,
  ]) {
    out.writeUInt32BE(Math.floor(value / 2 ** 32), at)
    out.writeUInt32BE(value % 2 ** 32, at + 4)
    at += 8
  }
  out.set(sha256(batch.head), at)
  return out
}

export function chainOf(previous: Uint8Array, batch: Unchained): Uint8Array {
  return sha256(chained(previous, batch))
}

export function withChain(previous: Uint8Array, batch: Unchained): Batch {
  return { ...batch, absent: NO_BYTES, chain: chainOf(previous, batch) }
}

/** Whether each body and shared part that is there is the one that the head lists. */
export function bodiesMatch(batch: Pick<Batch, 'head' | 'bodies' | 'absent'>): boolean {
  const { entries, shared } = decodeHead(batch.head)
  const { parts, bodies } = views(batch)
  const matches = (bytes: Uint8Array, { hash }: Listing): boolean => sameBytes(sha256(bytes), hash)
  return (
    parts.every((part, i) => bit(batch.absent, entries.length + i) || matches(part, shared[i]!)) &&
    bodies.every((body, place) => lacks(batch, place) || matches(body, entries[place]!))
  )
}

/**
 * Whether each batch continues the chain of the one before, the first that of `previous`, with the
 * bodies that its head lists.
 */
export function isChained(previous: Uint8Array, batches: readonly Batch[]): boolean {
  let before = previous
  return batches.every((batch) => {
    const follows = sameBytes(chainOf(before, batch), batch.chain) && bodiesMatch(batch)
    before = batch.chain
    return follows
  })
}

/** Bytes of a batch as counted against the bounds of groups, frames and windows. */
export function weighBatch({ head, bodies }: Contents): number {
  return head.length + bodies.length + 160
}

/** Throws where a batch does not follow the one before. */
export function assertGapless(
  after: number,
  batches: readonly Pick<Batch, 'first' | 'head'>[],
): void {
  let last = after
  for (const batch of batches) {
    invariant(batch.first === last + 1, `log: entry ${batch.first} after ${last}`)
    last = lastOf(batch)
  }
}
