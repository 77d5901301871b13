// Fields that several conversations share.

import { bytes, list, optional, record, text, uint } from './schema.js'
import { HASH_BYTES, STREAM_BYTES } from '../entries/entry.js'

/** Replicas per tier at the most. */
export const MAX_SLOTS = 9
/** Bytes of one message's text at the most. */
export const MAX_TEXT = 64 * 1024
/** Bytes of a message that its sender sealed and signed, at the most. */
export const MAX_SEALED = MAX_TEXT + 4 * 1024
/** Keys of one account, the old ones that only read included. */
export const MAX_KEYS = 16
/** Messages that one DELETE names, at the most. */
export const MAX_DROP = 128
/** Of an invitation's code. */
export const INVITATION_BYTES = 16
/** Names on one block list, at the most. */
export const MAX_BLOCKED = 256
/** Sends that one answer about receipts tells of, at the most. */
export const MAX_RECEIPTS = 1_000
/** Stored sends that one session hears of further, at the most. */
export const MAX_FOLLOWED = 1_024
/** Bytes of one frame between replicas at the most. */
export const MAX_PEER_FRAME = 256 * 1024
/** Entries of one group, and of one order, at the most. */
export const MAX_GROUP = 512

export const slot = uint(MAX_SLOTS, 'slot')
export const index = uint(undefined, 'log index')
export const term = uint(undefined, 'term')
export const millis = uint(undefined, 'ms')
export const wallTime = uint(undefined, 'ms since 1970', 1_790_000_000_000)
export const hash = bytes(HASH_BYTES)
export const stream = bytes(STREAM_BYTES)
export const request = uint(undefined, 'request id')
export const userName = text(64, 'alice')
export const slots = list(slot, MAX_SLOTS)
/** Random per process start, hex. */
export const boot = text(32, '00112233aabbccdd')

export const epoch = record({ counter: uint(), slot })
export const incarnation = record({ counter: uint(), nonce: text(32, '00112233aabbccdd') })
const member = record({ slot, incarnation })
export const members = list(member, MAX_SLOTS)
export const place = record({ index, chain: hash })

/** What scrypt makes of an account's password, RFC 7914: N = 2^logN. */
export const passwordSalt = bytes(16)
export const passwordCost = record({ logN: uint(24), r: uint(64), p: uint(16) })
/** PKCS#8 DER under AES-256-GCM: nonce, ciphertext, tag. */
export const wrappedPrivateKey = bytes(1, 8192)
/** A signing key of a client-held account, and what vouches for the pair that it is of. */
export const signingKey = record({
  publicKey: bytes(1, 2048),
  ownSignature: bytes(1, 1024),
  previousSignature: bytes(0, 1024),
})

export const owner = record({ slot, boot, nonce: text(32, '00112233aabbccdd') })

export const draft = record({ meta: bytes(9, 512), body: bytes(0, MAX_PEER_FRAME) })
const entry = record({
  index,
  epoch,
  term,
  k: uint(),
  part: uint(MAX_GROUP),
  parts: uint(MAX_GROUP),
  lamport: uint(),
  time: wallTime,
  meta: bytes(9, 512),
  /** Empty where it was erased. */
  body: bytes(0, MAX_PEER_FRAME),
  chain: hash,
  /** Of an erased body; nil: the body is there. */
  bodyHash: optional(hash),
})
export const entries = list(entry, MAX_GROUP)

/** Where an order's entries went: parts `part` ... are at `index` ..., until the next run. */
export const runs = list(record({ part: uint(MAX_GROUP), index }), MAX_GROUP)

/** 1 to 32 of a-z 0-9 . _ - opening with a letter. */
export function isUserName(name: string): boolean {
  return /^[a-z][a-z0-9._-]{0,31}$/.test(name)
}
