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
} as const

export type Kind = (typeof KIND)[keyof typeof KIND]

const LAST_KIND = Math.max(...Object.values(KIND))

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

/** The outcome of one command as the processing tier decides it. */
export interface Draft {
  readonly meta: Uint8Array
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

/** Bytes of an entry as counted against the bounds of pages. */
export function weigh(metaBytes: number, bodyBytes: number): number {
  return metaBytes + bodyBytes + 64
}
