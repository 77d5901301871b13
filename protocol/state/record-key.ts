// Keys of the records that the committed state consists of. A ledger names the record that it is
// about to change by its key; protocol/snapshot turns records into bytes and back.

/** The first character of a key. Records are loaded in the order of their keys. */
export const RECORD = {
  account: 'a',
  blocked: 'b',
  closed: 'c',
  /** The ended streams of a user. */
  ended: 'e',
  expired: 'x',
  invitation: 'i',
  marks: 'm',
  sent: 'n',
  retention: 'r',
  stream: 's',
  /** The answers of a stream: its owner and next seq come first. */
  answers: 't',
  sizes: 'z',
} as const

type RecordKind = (typeof RECORD)[keyof typeof RECORD]

/** Log indices of one page: the sends of a user and the messages of a mailbox lie in pages. */
const PAGE_ENTRIES = 16_384
const PAGE_DIGITS = 9

/** Records of one page of sizes: mailboxes share them, or ten thousand would make a record each. */
const BUCKETS = 16

/** The number of the record that has the sizes of this mailbox, in every page. */
export function bucketOf(mailbox: string): number {
  let hash = 0
  for (let i = 0; i < mailbox.length; i++) hash = (hash * 31 + mailbox.charCodeAt(i)) % 65_521
  return hash % BUCKETS
}

export const ALL_BUCKETS: readonly number[] = Array.from({ length: BUCKETS }, (_, i) => i)

/** Seqs of one record of answers; the records of a stream are a ring. */
const RING_SEQS = 16
const RING_RECORDS = 17

export const pageOf = (index: number): number => Math.floor(index / PAGE_ENTRIES)
/** The lowest index of a page. */
export const firstOf = (page: number): number => page * PAGE_ENTRIES

/** The kept answers of a stream, 256 at the most, lie in different places of its ring. */
export const ringPlaceOf = (seq: number): number => Math.floor(seq / RING_SEQS) % RING_RECORDS

/** Places of the ring that may have a record of a stream whose next seq is `next`. */
export function ringPlacesOf(next: number): Set<number> {
  // A record stays, with answers that are forgotten, until its place is written again.
  const first = Math.max(1, next - RING_SEQS * RING_RECORDS)
  const places = new Set<number>()
  for (let seq = first; seq < next; seq++) places.add(ringPlaceOf(seq))
  return places
}

const paged =
  (kind: RecordKind) =>
  (name: string, page: number): string =>
    kind + page.toString(16).padStart(PAGE_DIGITS, '0') + name

const named =
  (kind: RecordKind) =>
  (name: string): string =>
    kind + name

const ofSizes = paged(RECORD.sizes)

/** `id` as idOf() makes it. */
export const recordKey = {
  account: named(RECORD.account),
  blocked: named(RECORD.blocked),
  closed: named(RECORD.closed),
  ended: named(RECORD.ended),
  expired: named(RECORD.expired),
  invitation: named(RECORD.invitation),
  marks: named(RECORD.marks),
  retention: named(RECORD.retention),
  sent: paged(RECORD.sent),
  stream: named(RECORD.stream),
  answers: (id: string, place: number): string =>
    RECORD.answers + String.fromCharCode(65 + place) + id,
  sizes: (bucket: number, page: number): string => ofSizes(String(bucket), page),
}

/** Name and page of a key that `sent` or `sizes` made. */
export function pageOfKey(key: string): { readonly name: string; readonly page: number } {
  const page = Number.parseInt(key.slice(1, 1 + PAGE_DIGITS), 16)
  return { name: key.slice(1 + PAGE_DIGITS), page }
}

/** Stream and place of a key that `answers` made. */
export function ringOfKey(key: string): { readonly id: string; readonly place: number } {
  return { id: key.slice(2), place: key.charCodeAt(1) - 65 }
}

/** Called with the key of a record just before it changes. */
export type Touch = (key: string) => void
