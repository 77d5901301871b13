// Client and processing replica. Every request carries an id of the client's choosing that its
// answer repeats.

import {
  bool,
  bytes,
  list,
  message,
  oneOf,
  optional,
  record,
  text,
  uint,
} from '../schema/schema.js'
import {
  MAX_DROP,
  MAX_FOLLOWED,
  MAX_RECEIPTS,
  MAX_SEALED,
  MAX_SLOTS,
  MAX_TEXT,
  index,
  millis,
  request,
  slot,
  stream,
  term,
  userName,
  wallTime,
} from '../schema/shared.js'

export const PROGRESS = message(0x13, 'PROGRESS', 'A long request is being worked on.', {
  request,
  text: text(256),
})

export const OPEN_STREAM = message(
  0x14,
  'OPEN_STREAM',
  'Opens a stream of sends under a random id; repeating it is harmless.',
  {
    request,
    stream,
  },
)

export const STREAM_OPENED = message(0x15, 'STREAM_OPENED', 'Answers OPEN_STREAM.', {
  request,
  stream,
  index,
})

export const SEND = message(0x16, 'SEND', 'Sends a text; (stream, seq) is its identity for ever.', {
  request,
  stream,
  seq: uint(),
  to: userName,
  text: text(MAX_TEXT, 'olá'),
})

export const RECEIPT = message(
  0x17,
  'RECEIPT',
  'Answers SEND and SEND_SEALED: stored on a majority, under this log index.',
  {
    request,
    seq: uint(),
    index,
    time: wallTime,
  },
)

export const INBOX = message(
  0x18,
  'INBOX',
  'Reads a page of the own mailbox: linearizable, decrypted.',
  {
    request,
    after: index,
    limit: uint(1000),
    /** Envelopes as stored, in place of texts. */
    sealed: bool,
  },
)

const inboxMessage = record({
  index,
  from: userName,
  to: userName,
  time: wallTime,
  stream,
  seq: uint(),
  /** nil: the envelope does not open with this account's keys, or its owner is to open it. */
  text: optional(text(MAX_TEXT, 'olá')),
  /** As stored, in its binary form; nil where the service opens it, unless asked for. */
  envelope: optional(bytes(0, 2 * MAX_TEXT)),
})

export const PAGE = message(0x19, 'PAGE', 'Answers INBOX: messages in log order.', {
  request,
  messages: list(inboxMessage, 1000),
  /** Read on after this index; `more` says whether there was more when the read was made. */
  next: index,
  more: bool,
  cursor: index,
})

export const LISTEN = message(
  0x1a,
  'LISTEN',
  'From now on pushes what is in the mailbox after this index.',
  {
    request,
    /** nil: after the account's cursor. */
    after: optional(index),
    /** Unacknowledged messages that may be under way. */
    window: uint(4096),
  },
)

export const LISTENING = message(0x1b, 'LISTENING', 'Answers LISTEN.', { request, after: index })

export const PUSH = message(
  0x1c,
  'PUSH',
  'Messages of the mailbox listened to, in log order, without gaps.',
  {
    messages: list(inboxMessage, 1000),
  },
)

export const CURSOR = message(
  0x1d,
  'CURSOR',
  'Everything up to this index has been dealt with; the higher wins. Not answered.',
  {
    index,
  },
)

export const STATUS = message(
  0x1e,
  'STATUS',
  'Asks what this replica knows of the cluster. Needs no log-in.',
  {
    request,
  },
)

const replicaStatus = record({
  tier: oneOf('processing', 'persistence'),
  slot,
  reachable: bool,
  role: text(32, 'coordinator'),
  /** Term (processing) or counter of the installed epoch (persistence). */
  term,
  epochSlot: slot,
  last: index,
  committed: index,
  lamport: uint(),
  /** Age of what is known of it. */
  age: millis,
})

export const STATUS_IS = message(0x1f, 'STATUS_IS', 'Answers STATUS.', {
  request,
  clusterId: text(64, 'troca-7c2f'),
  /** 0: none known. */
  coordinator: slot,
  term,
  replicas: list(replicaStatus, 2 * MAX_SLOTS),
  /** Persistence replicas that must be up to serve. */
  needed: uint(MAX_SLOTS),
  ready: bool,
})

export const DELETE = message(
  0x25,
  'DELETE',
  'Deletes messages of the own mailbox; an index without one there is passed over.',
  {
    request,
    indices: list(index, MAX_DROP, 1),
  },
)

export const DELETED = message(
  0x26,
  'DELETED',
  'Answers DELETE: no read or push that begins now shows them; under this log index.',
  {
    request,
    index,
  },
)

export const DELIVERED = message(
  0x27,
  'DELIVERED',
  'A client of the user has received everything up to this index; the higher wins. Not answered.',
  {
    index,
  },
)

export const RECEIPTS = message(
  0x28,
  'RECEIPTS',
  'Asks for the own newest sends, over all streams, and the state of each.',
  {
    request,
    limit: uint(MAX_RECEIPTS),
    /** nil: to whomever. */
    to: optional(userName),
  },
)

export const RECEIPTS_ARE = message(0x29, 'RECEIPTS_ARE', 'Answers RECEIPTS: newest first.', {
  request,
  sends: list(
    record({
      stream,
      seq: uint(),
      to: userName,
      index,
      time: wallTime,
      state: oneOf('stored', 'delivered', 'read', 'refused'),
      /** Of the error that refused it; 0: it was not. */
      code: uint(65_535),
    }),
    MAX_RECEIPTS,
  ),
})

export const FOLLOW_RECEIPTS = message(
  0x2a,
  'FOLLOW_RECEIPTS',
  'From now on tells what becomes of the sends of this session, and of these earlier ones.',
  {
    request,
    /** Log indices of own messages; one that is not, or is no longer kept, is passed over. */
    indices: list(index, MAX_FOLLOWED),
  },
)

export const FOLLOWING_RECEIPTS = message(0x2b, 'FOLLOWING_RECEIPTS', 'Answers FOLLOW_RECEIPTS.', {
  request,
})

export const SEND_SEALED = message(
  0x2c,
  'SEND_SEALED',
  'Sends what this client sealed for a client-held account and signed; else as SEND.',
  {
    request,
    stream,
    seq: uint(),
    to: userName,
    /** The five parts of a JWE, then the signature over them. */
    sealed: bytes(1, MAX_SEALED),
  },
)

export const ACCEPTED = message(
  0x3c,
  'ACCEPTED',
  'A send has a place in an order that replicas have in memory: it promises nothing.',
  { request, seq: uint() },
)

export const RECEIPT_STATE = message(
  0x3d,
  'RECEIPT_STATE',
  'What this session has sent to this user is delivered, and read, up to these indices of it.',
  {
    to: userName,
    delivered: index,
    /** 0: nothing that was not told before. */
    read: index,
  },
)
