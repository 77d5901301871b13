// An entry of the log, and the meta that outlives its body. Entries come in batches (batch.ts).

import { invariant } from '../assert.js'

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
  /** Several streams end, of any users. */
  streamsEnded: 12,
  /** Messages of a mailbox have outlasted its retention. */
  expired: 13,
  /** How long a user wants its messages kept. */
  retention: 14,
} as const

export type Kind = (typeof KIND)[keyof typeof KIND]

const LAST_KIND = Math.max(...Object.values(KIND))

/** Kinds as bits, for sets of them; stored with each batch. */
export const bitsOf = (kinds: readonly Kind[]): number =>
  kinds.reduce<number>((bits, kind) => bits | (1 << kind), 0)

/** The part of an entry that outlives its body. */
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

/** An entry before it has a place: the outcome of one command as the processing tier decides it. */
export interface Draft {
  readonly meta: Meta
  readonly body: Uint8Array
  /** Bytes that the bodies of several messages share; a batch holds them once. */
  readonly shared?: Uint8Array
}

/** An entry in its place in the log. */
export interface Entry {
  readonly index: number
  /** Term and order number of the coordinator that ordered it; 0 and 0 for marks. */
  readonly term: number
  readonly k: number
  /** Place in its batch, and so in its order, from 0. */
  readonly place: number
  /** Milliseconds since 1970, as the order states. */
  readonly time: number
  readonly meta: Meta
  /** Empty where the body was erased, or left out. */
  readonly body: Uint8Array
  /** Size of the body in the log, also where it is not here. */
  readonly bodyBytes: number
  /** The bytes that it shares with other entries of its batch; empty: none, or not here. */
  readonly shared: Uint8Array
}

export const HASH_BYTES = 32
export const STREAM_BYTES = 16

const NO_BYTES = new Uint8Array(0)

const FIXED_BYTES = 12

/** Bytes of the encoded meta. */
export function metaLength({ mailbox, stream, digest }: Meta): number {
  return FIXED_BYTES + Buffer.byteLength(mailbox) + stream.length + digest.length
}

/**
 * kind u8, answer u16, seq u48, then mailbox, stream and digest, each after its length as u8.
 * Writes at `start`, and returns the place after it.
 */
export function writeMeta(meta: Meta, out: Buffer, start: number): number {
  const { kind, answer, seq, mailbox, stream, digest } = meta
  out[start] = kind
  out.writeUInt16BE(answer, start + 1)
  out.writeUIntBE(seq, start + 3, 6)
  const name = start + 10
  const nameBytes = out.write(mailbox, name)
  invariant(nameBytes < 256, `meta: mailbox of ${nameBytes} bytes`)
  out[name - 1] = nameBytes
  let at = name + nameBytes
  out[at] = stream.length
  out.set(stream, at + 1)
  at += 1 + stream.length
  out[at] = digest.length
  out.set(digest, at + 1)
  return at + 1 + digest.length
}

export function encodeMeta(meta: Meta): Uint8Array {
  const out = Buffer.allocUnsafe(metaLength(meta))
  writeMeta(meta, out, 0)
  return out
}

/** Throws RangeError if the bytes are not exactly one meta. */
export function decodeMeta(bytes: Uint8Array): Meta {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = view.readUInt8(0)
  if (kind > LAST_KIND) throw new RangeError(`meta: unknown kind ${kind}`)
  const mailboxEnd = 10 + view.readUInt8(9)
  const streamEnd = mailboxEnd + 1 + view.readUInt8(mailboxEnd)
  const digestEnd = streamEnd + 1 + view.readUInt8(streamEnd)
  if (digestEnd !== view.length) throw new RangeError('meta: not as long as it says')
  const stream = streamEnd === mailboxEnd + 1 ? NO_BYTES : view.subarray(mailboxEnd + 1, streamEnd)
  const digest = digestEnd === streamEnd + 1 ? NO_BYTES : view.subarray(streamEnd + 1)
  if (stream.length !== 0 && stream.length !== STREAM_BYTES) throw new RangeError('meta: stream')
  if (digest.length !== 0 && digest.length !== HASH_BYTES) throw new RangeError('meta: digest')
  return {
    kind: kind as Kind,
    answer: view.readUInt16BE(1),
    seq: view.readUIntBE(3, 6),
    mailbox: view.toString('utf8', 10, mailboxEnd),
    stream,
    digest,
  }
}

/** A meta without stream: terms, marks, accounts, no-ops. */
export function plainMeta(kind: Kind, answer = 0, mailbox = ''): Meta {
  return { kind, answer, mailbox, stream: NO_BYTES, seq: 0, digest: NO_BYTES }
}

/** Bytes of an entry as counted against the bounds of pages. */
export function weigh(metaBytes: number, bodyBytes: number): number {
  return metaBytes + bodyBytes + 64
}
