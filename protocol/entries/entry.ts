// An entry of the log. `meta` and `body` come from the processing tier, encoded once and never
// again; the holder of the turn adds the place. chain = SHA-256(previous chain ‖ header ‖
// SHA-256(body)), so a body can be erased later and the chain still verifies.

import { sha256, sameBytes } from '../bytes.js'
import { invariant } from '../assert.js'
import type { Epoch } from './epoch.js'

/** Kinds of entries. The numbers are stored and never reused. */
export const KIND = {
  noop: 0,
  term: 1,
  refusal: 2,
  account: 3,
  stream: 4,
  message: 5,
  marks: 6,
  drop: 7,
  /** The end of an account. */
  closed: 8,
  invitation: 9,
  /** A user is put on, or taken off, a block list. */
  block: 10,
  streamClosed: 11,
} as const

export type Kind = (typeof KIND)[keyof typeof KIND]

const LAST_KIND = Math.max(...Object.values(KIND))

/** The part of an entry that outlives its body; the file is indexed by it. */
export interface Meta {
  readonly kind: Kind
  /** 0: done as asked; otherwise the code of the refusal (errors.ts). */
  readonly answer: number
  /** The user whose mailbox, account, invitation or block list the entry is about; else empty. */
  readonly mailbox: string
  /** 16 bytes, or none. */
  readonly stream: Uint8Array
  /** Place in the stream, from 1; 0 where there is no stream. */
  readonly seq: number
  /** SHA-256 of the request, or none. */
  readonly digest: Uint8Array
}

/** The outcome of one command as the processing tier decides it. */
export interface Draft {
  readonly meta: Uint8Array
  readonly body: Uint8Array
}

export interface Entry extends Draft {
  readonly index: number
  readonly epoch: Epoch
  /** Term and order number of the coordinator that wrote the entry; 0 and 0 for marks. */
  readonly term: number
  readonly k: number
  /** 1 ... parts, within the order. */
  readonly part: number
  readonly parts: number
  readonly lamport: number
  /** Milliseconds since 1970, as the order states. */
  readonly time: number
  /** SHA-256 of a body that was erased; null: the body is there. */
  readonly bodyHash: Uint8Array | null
  readonly chain: Uint8Array
}

export type Unchained = Omit<Entry, 'chain' | 'bodyHash'>
type Erasable = Partial<Pick<Entry, 'bodyHash'>>

export const HASH_BYTES = 32
export const STREAM_BYTES = 16

/** The chain before entry 1. */
export const CHAIN_ZERO: Uint8Array = new Uint8Array(HASH_BYTES)

const NO_BYTES = new Uint8Array(0)

/** kind u8, answer u16, seq u48, then mailbox, stream and digest, each after its length as u8. */
export function encodeMeta(meta: Meta): Uint8Array {
  const mailbox = Buffer.from(meta.mailbox, 'utf8')
  invariant(mailbox.length < 256, `meta: mailbox of ${mailbox.length} bytes`)
  const out = Buffer.allocUnsafe(12 + mailbox.length + meta.stream.length + meta.digest.length)
  out[0] = meta.kind
  out.writeUInt16BE(meta.answer, 1)
  out.writeUIntBE(meta.seq, 3, 6)
  let at = 9
  for (const part of [mailbox, meta.stream, meta.digest]) {
    out[at] = part.length
    out.set(part, at + 1)
    at += 1 + part.length
  }
  return out
}

/** Throws RangeError if the bytes are not exactly one meta. */
export function decodeMeta(bytes: Uint8Array): Meta {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = view.readUInt8(0)
  if (kind > LAST_KIND) throw new RangeError(`meta: unknown kind ${kind}`)
  const parts: Buffer[] = []
  let at = 9
  for (let i = 0; i < 3; i++) {
    const length = view.readUInt8(at)
    if (at + 1 + length > view.length) throw new RangeError('meta: cut short')
    parts.push(view.subarray(at + 1, at + 1 + length))
    at += 1 + length
  }
  if (at !== view.length) throw new RangeError('meta: trailing bytes')
  const [mailbox, stream, digest] = parts
  if (stream!.length !== 0 && stream!.length !== STREAM_BYTES) throw new RangeError('meta: stream')
  if (digest!.length !== 0 && digest!.length !== HASH_BYTES) throw new RangeError('meta: digest')
  return {
    kind: kind as Kind,
    answer: view.readUInt16BE(1),
    seq: view.readUIntBE(3, 6),
    mailbox: mailbox!.toString('utf8'),
    stream: stream!,
    digest: digest!,
  }
}

/** A meta without stream: terms, marks, accounts, no-ops. */
export function plainMeta(kind: Kind, answer = 0, mailbox = ''): Uint8Array {
  return encodeMeta({ kind, answer, mailbox, stream: NO_BYTES, seq: 0, digest: NO_BYTES })
}

const FIXED_BYTES = HASH_BYTES + 76

/**
 * The input of the chain's hash: the previous chain, fixed-width integers, meta, and the body's
 * hash.
 */
function chained(previous: Uint8Array, entry: Unchained, bodyHash: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(FIXED_BYTES + entry.meta.length + HASH_BYTES)
  out.set(previous, 0)
  let at = HASH_BYTES
  for (const value of [
    entry.index,
    entry.epoch.counter,
    entry.epoch.slot,
    entry.term,
    entry.k,
    entry.part,
    entry.parts,
    entry.lamport,
    entry.time,
  ]) {
    out.writeUInt32BE(Math.floor(value / 2 ** 32), at)
    out.writeUInt32BE(value % 2 ** 32, at + 4)
    at += 8
  }
  out.writeUInt32BE(entry.meta.length, at)
  out.set(entry.meta, FIXED_BYTES)
  out.set(bodyHash, FIXED_BYTES + entry.meta.length)
  return out
}

/** Hash of the body, or of the body that was erased. */
export function bodyHashOf({ body, bodyHash = null }: Pick<Draft, 'body'> & Erasable): Uint8Array {
  // A body that is present is hashed: `bodyHash` is not trusted then.
  return bodyHash && body.length === 0 ? bodyHash : sha256(body)
}

export function chainOf(previous: Uint8Array, entry: Unchained & Erasable): Uint8Array {
  return sha256(chained(previous, entry, bodyHashOf(entry)))
}

/** Whether each entry continues the chain of the one before, the first that of `previous`. */
export function isChained(previous: Uint8Array, entries: readonly Entry[]): boolean {
  let before = previous
  return entries.every((entry) => {
    const follows = sameBytes(chainOf(before, entry), entry.chain)
    before = entry.chain
    return follows
  })
}

export function withChain(previous: Uint8Array, entry: Unchained): Entry {
  return { ...entry, bodyHash: null, chain: chainOf(previous, entry) }
}

/** The entry without its body; header, meta and chain stay. */
export function erased(entry: Entry): Entry {
  if (entry.bodyHash) return entry
  return { ...entry, body: NO_BYTES, bodyHash: sha256(entry.body) }
}

/** Bytes of an entry as counted against the bounds of groups, frames and windows. */
export function weigh(draft: Draft): number {
  return draft.meta.length + draft.body.length + 64
}
