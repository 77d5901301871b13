// Fields and bounds that several conversations share. Each row may give a field another meaning.

import { record } from './record.js'
import { bytes, list, optional, text, uint } from './schema.js'
import { HASH_BYTES, STREAM_BYTES } from '../entries/entry.js'

/** Version of the wire; HELLO names the versions that a sender can speak. */
export const WIRE_VERSION = 2
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
export const index = uint({ unit: 'log index' }).means('Place in the log, from 1.')
export const term = uint({ unit: 'term' }).means('Term of a coordinator; each is above the last.')
export const millis = uint({ unit: 'ms' })
export const wallTime = uint({ unit: 'ms since 1970', example: 1_790_000_000_000 })
export const storedAt = wallTime.means('Time when the service accepted the message, by its clock.')
export const seq = uint().means('Number of the send within its stream: 1, 2, 3 ...')
export const lamport = uint({ unit: 'Lamport' })
export const hash = bytes(HASH_BYTES)
export const stream = bytes(STREAM_BYTES).means(
  'Id of the stream: random, chosen by the client that opened it.',
)
export const request = uint({ unit: 'request id' }).means(
  'Id that the asker gave the request, from 1; its answer repeats it.',
)
export const userName = text(64, 'alice')
export const recipient = userName.means('Name of the recipient.')
export const clusterId = text(64, 'troca-7c2f').means('Id of the cluster.')
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

const meta = bytes(9, 512).means(
  'The part that outlives the body: kind (u8), answer (u16), seq (u48), ' +
    'then mailbox, stream and digest, each after its length (u8).',
)
const body = bytes(0, MAX_PEER_FRAME)
export const draft = record({
  name: 'draft',
  meaning: 'An entry that has no place in the log yet.',
  fields: {
    meta,
    body: body.means(
      'The content, in the form that the kind prescribes; of a message, its envelope.',
    ),
  },
})
export const orderNumber = uint().means('Number of the order within its term, from 1.')
const partNumber = uint({ max: MAX_GROUP }).means('Number within the order, from 1.')
const partCount = uint({ max: MAX_GROUP }).means('Entries that the whole order has.')

const entry = record({
  name: 'entry',
  meaning: 'One entry of the log.',
  fields: {
    index,
    epoch: epoch.means('View in which the entry was appended.'),
    term: term.means('Term of the coordinator that ordered it; 0 for marks.'),
    k: orderNumber.means('Number of its order within the term; 0 for a TERM entry and for marks.'),
    part: partNumber,
    parts: partCount,
    lamport: lamport.means('Lamport stamp; grows along the log.'),
    time: wallTime.means('Time of the order.'),
    meta,
    body: body.means('The content; empty where it was erased, or not asked for.'),
    chain: hash.means('SHA-256 of the chain before, the other fields, and SHA-256 of the body.'),
    bodyHash: optional(hash).means('SHA-256 of an erased body; nil: it was not erased.'),
  },
})
export const entries = list(entry, MAX_GROUP)

/** 1 to 32 of a-z 0-9 . _ - opening with a letter. */
export function isUserName(name: string): boolean {
  return /^[a-z][a-z0-9._-]{0,31}$/.test(name)
}
