// Fields and bounds that several conversations share. Each row may give a field another meaning.

import { record } from './record.js'
import { bytes, list, text, uint } from './schema.js'
import { HASH_BYTES, STREAM_BYTES } from '../entries/entry.js'
import { FIRST_HISTORY } from '../entries/origin.js'

/** Version of the wire; HELLO names the versions that a sender can speak. */
export const WIRE_VERSION = 3
/** Replicas per tier at the most. */
export const MAX_SLOTS = 9
/** Bytes of one message's text at the most. */
export const MAX_TEXT = 64 * 1024
/** Bytes of a message that its sender sealed and signed, at the most. */
export const MAX_SEALED = MAX_TEXT + 4 * 1024
/** Keys of one account, including older ones that only decrypt. */
export const MAX_KEYS = 16
/** Messages that one DELETE names, at the most. */
export const MAX_DROP = 128
/** Messages that may be pushed to a client and not yet acknowledged, at the most. */
export const MAX_WINDOW = 4_096
/** Length of an invitation's code. */
export const INVITATION_BYTES = 16
/** Names on one block list, at the most. */
export const MAX_BLOCKED = 256
/** Sends in one answer about receipts, at the most. */
export const MAX_RECEIPTS = 1_000
/** Stored sends that one session follows, at the most. */
export const MAX_FOLLOWED = 1_024
/** Bytes of one frame between replicas at the most. */
export const MAX_PEER_FRAME = 256 * 1024
/** Entries of one group, and of one order, at the most. */
export const MAX_GROUP = 512

const NONCE = '00112233aabbccdd'

export const slot = uint({ max: MAX_SLOTS, unit: 'slot' }).means(
  'Number of the replica in its tier, from 1.',
)
/** Bounds of a retention, of which each may be off. */
export const rule = {
  age: uint({ unit: 'ms' }).means('Messages older than this expire; 0: none does for its age.'),
  count: uint().means('Messages that are kept at the most, the newest; 0: any number.'),
  bytes: uint({ unit: 'bytes' }).means(
    'Bytes of messages that are kept at the most, as they are stored; 0: any number.',
  ),
}
export const index = uint({ unit: 'log index' }).means('Place in the log, from 1.')
export const term = uint({ unit: 'term' }).means('Term of a coordinator; each is above the last.')
export const millis = uint({ unit: 'ms' })
export const wallTime = uint({ unit: 'ms since 1970', example: 1_790_000_000_000 })
export const storedAt = wallTime.means('Time when the service accepted the message, by its clock.')
export const seq = uint().means('Number of the send within its stream: 1, 2, 3 ...')
export const lamport = uint({ unit: 'Lamport' })
export const hash = bytes(HASH_BYTES)
export const stream = bytes(STREAM_BYTES).means(
  'Id of the stream, as STREAM_OPENED gave it; no id is ever given twice.',
)
export const request = uint({ min: 1, unit: 'request id' }).means(
  'Id that the asker gave the request; its answer repeats it.',
)
export const userName = text(64, 'alice')
export const recipient = userName.means('Name of the recipient.')
export const clusterId = text(64, 'troca-7c2f').means('Id of the cluster.')
export const historyId = text(32, FIRST_HISTORY).means(
  "Id of the log's history: random, hexadecimal, and another one once a log was restored from a copy.",
)
export const slots = list(slot, MAX_SLOTS)
export const boot = text(32, NONCE).means('Random at each start of the process, hexadecimal.')
export const nonce = text(32, NONCE)

export const epoch = record({
  name: 'epoch',
  meaning: 'Number of a view of the persistence tier: the counter decides, then the slot.',
  fields: {
    counter: uint().means('Grows with each proposed view; 0: the view without members.'),
    slot: slot.means('Slot of the replica that proposed the view; 0 in the view without members.'),
  },
})
export const incarnation = record({
  name: 'incarnation',
  meaning: 'The file that a persistence replica has: each new file of a slot is another one.',
  fields: {
    counter: uint().means('1 for the first file, higher for each successor; 0: not known yet.'),
    nonce: nonce.means('Random, hexadecimal; empty for the first file.'),
  },
})
const member = record({
  name: 'member',
  meaning: 'A persistence replica and its file.',
  fields: { slot, incarnation },
})
export const members = list(member, MAX_SLOTS)
export const place = record({
  name: 'place',
  meaning: 'A place in the log, with all that is before it.',
  fields: { index, chain: hash.means('Chain of the entry there: hashes the whole log so far.') },
})

/** RFC 7914. */
export const passwordSalt = bytes(16).means("Salt of scrypt for the account's password.")
/** RFC 7914. */
export const passwordCost = record({
  name: 'password cost',
  meaning: "Parameters of scrypt for the account's password.",
  fields: {
    logN: uint({ max: 24 }).means('Binary logarithm of the cost parameter N.'),
    r: uint({ max: 64 }).means('Block size r.'),
    p: uint({ max: 16 }).means('Parallelisation p.'),
  },
})
export const wrappedPrivateKey = bytes(1, 8192).means(
  'PKCS#8 DER of the private key under AES-256-GCM: nonce, ciphertext, tag.',
)
export const publicKey = bytes(1, 2048).means('Public RSA key: SubjectPublicKeyInfo, DER.')
export const signingKey = record({
  name: 'signing key',
  meaning:
    'Key by which the client of a client-held account signs, and the signatures that vouch for it.',
  fields: {
    publicKey,
    ownSignature: bytes(1, 1024).means('PSS signature over the pair of keys, by this key.'),
    previousSignature: bytes(0, 1024).means(
      'The same signature by the signing key before; empty for the first.',
    ),
  },
})

/** What an order puts into the log. */
export const contents = {
  head: bytes(38, MAX_PEER_FRAME).means(
    'Number of entries and of shared parts (u16 each); of each shared part its length (u32) and ' +
      'SHA-256; of each entry the length of its meta (u16), the meta, the number of its shared ' +
      'part (u16; 0: none), the length of its body (u32), and SHA-256 of the body. A meta is kind ' +
      '(u8), answer (u16), seq (u48), then mailbox, stream and digest, each after its length (u8).',
  ),
  bodies: bytes(0, MAX_PEER_FRAME).means(
    'The shared parts and then the bodies end to end, each in the form that its kind prescribes.',
  ),
}
export const orderNumber = uint().means('Number of the order within its term, from 1.')

const batch = record({
  name: 'batch',
  meaning: 'Consecutive entries of the log that were appended as one: an order, a TERM, or marks.',
  fields: {
    first: index.means('Log index of the first entry.'),
    epoch: epoch.means('View in which the batch was appended.'),
    term: term.means('Term of the coordinator that ordered it; 0 for marks.'),
    k: orderNumber.means('Number of the order within the term; 0 for a TERM and for marks.'),
    lamport: lamport.means('Lamport stamp; grows along the log.'),
    time: wallTime.means('Time of the order.'),
    ...contents,
    absent: bytes(0, MAX_GROUP / 4).means(
      'A bit an entry and then a bit a shared part, the lowest first: it was erased, or not asked ' +
        'for. Empty: all are there.',
    ),
    chain: hash.means('SHA-256 of the chain before, the other numbers, and SHA-256 of the head.'),
  },
})
export const batches = list(batch, MAX_GROUP)

export const storedMessage = record({
  name: 'stored message',
  meaning: 'A message as it is in the log.',
  fields: {
    index: index.means('Log index of the message.'),
    time: storedAt,
    meta: bytes(9, 512).means('Its meta, as in the head of its batch.'),
    envelope: bytes(0, MAX_PEER_FRAME).means('Its envelope, whole.'),
  },
})

/** 1 to 32 of a-z 0-9 . _ - opening with a letter. */
export function isUserName(name: string): boolean {
  return /^[a-z][a-z0-9._-]{0,31}$/.test(name)
}
