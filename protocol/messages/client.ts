// Sending, reading, receipts and the state of the cluster, between client and processing replica.
// Every request carries an id of the client's choosing, which its answer repeats.

import { message } from '../schema/message.js'
import { record } from '../schema/record.js'
import { bool, bytes, list, oneOf, optional, text, uint } from '../schema/schema.js'
import {
  MAX_DROP,
  MAX_FOLLOWED,
  MAX_RECEIPTS,
  MAX_SEALED,
  MAX_SLOTS,
  MAX_TEXT,
  clusterId,
  index,
  lamport,
  millis,
  request,
  seq,
  slot,
  stream,
  term,
  userName,
  wallTime,
} from '../schema/shared.js'

const recipient = userName.means('Name of the recipient.')
const storedAt = wallTime.means('Time when the service accepted the message, by its clock.')

export const PROGRESS = message({
  tag: 0x13,
  name: 'PROGRESS',
  by: 'processing',
  meaning: 'A long request is being worked on; its answer comes later.',
  fields: { request, text: text(256).means('What is being done, in words, for people.') },
})

export const OPEN_STREAM = message({
  tag: 0x14,
  name: 'OPEN_STREAM',
  by: 'client',
  answers: ['STREAM_OPENED'],
  login: 'required',
  ordered: true,
  repeated: 'with the same `stream`: harmless',
  meaning: 'Opens a stream of sends, which stays open for ever, under a random id.',
  fields: { request, stream: stream.means('Id of the new stream: 16 random bytes.') },
})

export const STREAM_OPENED = message({
  tag: 0x15,
  name: 'STREAM_OPENED',
  by: 'processing',
  meaning: 'The stream is open.',
  fields: { request, stream },
})

export const CLOSE_STREAM = message({
  tag: 0x2f,
  name: 'CLOSE_STREAM',
  by: 'client',
  answers: ['STREAM_CLOSED'],
  login: 'required',
  ordered: true,
  repeated: 'harmless',
  meaning: 'Ends a stream, once all its sends are answered: later sends in the stream are refused.',
  fields: { request, stream },
})

export const STREAM_CLOSED = message({
  tag: 0x3b,
  name: 'STREAM_CLOSED',
  by: 'processing',
  meaning: 'The stream is closed.',
  fields: { request },
})

export const SEND = message({
  tag: 0x16,
  name: 'SEND',
  by: 'client',
  answers: ['RECEIPT'],
  login: 'required',
  ordered: true,
  repeated: "with the same bytes: the first one's answer",
  meaning: 'Sends a text; (stream, seq) is its identity for ever.',
  fields: {
    request,
    stream,
    seq,
    to: recipient,
    text: text(MAX_TEXT, 'olá').means('The message; the service encrypts it for the recipient.'),
  },
})

export const RECEIPT = message({
  tag: 0x17,
  name: 'RECEIPT',
  by: 'processing',
  meaning: 'The message is stored on a majority of the persistence replicas.',
  fields: {
    request,
    seq,
    index: index.means('Log index of the message.'),
    time: storedAt,
  },
})

export const INBOX = message({
  tag: 0x18,
  name: 'INBOX',
  by: 'client',
  answers: ['PAGE'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning:
    'Reads a page of the own mailbox, with all that was acknowledged before it was asked for.',
  fields: {
    request,
    after: index.means('Log index after which the page begins; 0: at the first message.'),
    limit: uint({ max: 1000 }).means(
      'Messages at the most; 0: none, only the cursor is asked for.',
    ),
    sealed: bool.means('True: envelopes as they are stored, in place of texts.'),
  },
})

const inboxMessage = record({
  name: 'inbox message',
  meaning: 'A message of a mailbox.',
  fields: {
    index: index.means('Log index of the message; grows along the mailbox, with gaps.'),
    from: userName.means('Name of the sender.'),
    to: recipient,
    time: storedAt,
    stream,
    seq,
    text: optional(text(MAX_TEXT, 'olá')).means(
      "The text; nil: the account's keys at the service do not open it, or `envelope` is there.",
    ),
    envelope: optional(bytes(0, 2 * MAX_TEXT)).means(
      'The message as it is stored, for a client-held account or where it was asked for; else nil.',
    ),
  },
})

export const PAGE = message({
  tag: 0x19,
  name: 'PAGE',
  by: 'processing',
  meaning: 'Messages of the mailbox in log order; may be fewer than the limit.',
  fields: {
    request,
    messages: list(inboxMessage, 1000).means('The messages of this page.'),
    next: index.means('Value of `after` for the page that follows.'),
    more: bool.means('True: there was more in the mailbox when the read was made.'),
    cursor: index.means('Log index up to which the user has acknowledged its mailbox.'),
  },
})

export const LISTEN = message({
  tag: 0x1a,
  name: 'LISTEN',
  by: 'client',
  answers: ['LISTENING'],
  login: 'required',
  ordered: false,
  repeated: 'takes the place of the one before',
  meaning: 'Starts pushes of the own mailbox: of the messages that are there and of those to come.',
  fields: {
    request,
    after: optional(index).means("Log index after which to begin; nil: the account's cursor."),
    window: uint({ max: 4096 }).means('Messages that may be pushed and not yet acknowledged.'),
  },
})

export const LISTENING = message({
  tag: 0x1b,
  name: 'LISTENING',
  by: 'processing',
  meaning: 'Messages are pushed from now on.',
  fields: { request, after: index.means('Log index after which the pushes begin.') },
})

export const PUSH = message({
  tag: 0x1c,
  name: 'PUSH',
  by: 'processing',
  meaning: 'Messages of the mailbox listened to, in log order, without gaps.',
  fields: { messages: list(inboxMessage, 1000).means('The messages that come next.') },
})

export const CURSOR = message({
  tag: 0x1d,
  name: 'CURSOR',
  by: 'client',
  login: 'required',
  ordered: false,
  repeated: 'harmless; the higher counts',
  meaning: 'The user has dealt with everything up to this index, for this account and for ever.',
  fields: { index: index.means('Log index of the last message dealt with.') },
})

export const STATUS = message({
  tag: 0x1e,
  name: 'STATUS',
  by: 'client',
  answers: ['STATUS_IS'],
  login: 'none',
  ordered: false,
  repeated: 'harmless',
  meaning: 'Asks what this replica knows of the cluster.',
  fields: { request },
})

const replicaStatus = record({
  name: 'replica status',
  meaning:
    'The last state of a replica that the answering replica has heard; 0 and empty: nothing.',
  fields: {
    tier: oneOf('processing', 'persistence').means('Tier of the replica.'),
    slot,
    reachable: bool.means('True: it was heard just now.'),
    role: text(32, 'coordinator').means('Its role (processing), or its status (persistence).'),
    term: term.means('Newest term it knows (processing), or counter of its epoch (persistence).'),
    epochSlot: slot.means('Slot of its epoch (persistence); 0 for processing.'),
    last: index.means('Last log index that it has.'),
    committed: index.means('Last log index that it knows to be committed.'),
    lamport: lamport.means('Its Lamport clock (persistence); 0 for processing.'),
    age: millis.means('Time since this was heard.'),
  },
})

export const STATUS_IS = message({
  tag: 0x1f,
  name: 'STATUS_IS',
  by: 'processing',
  meaning: 'What this replica knows of the cluster, from heartbeats.',
  fields: {
    request,
    clusterId,
    coordinator: slot.means('Slot of the coordinator; 0: none is known.'),
    term: term.means('Newest term known.'),
    replicas: list(replicaStatus, 2 * MAX_SLOTS).means('Each replica, this one included.'),
    needed: uint({ max: MAX_SLOTS }).means('Persistence replicas that must be up to serve.'),
    ready: bool.means('True: there is a coordinator, and enough persistence replicas.'),
  },
})

export const DELETE = message({
  tag: 0x25,
  name: 'DELETE',
  by: 'client',
  answers: ['DELETED'],
  login: 'required',
  ordered: true,
  repeated: 'harmless',
  meaning: 'Deletes messages of the own mailbox.',
  fields: {
    request,
    indices: list(index, MAX_DROP, 1).means(
      'Log indices of the messages; an index without such a message is skipped.',
    ),
  },
})

export const DELETED = message({
  tag: 0x26,
  name: 'DELETED',
  by: 'processing',
  meaning: 'No read or push that begins from now on shows the messages.',
  fields: { request, index: index.means('Log index of the deletion.') },
})

export const USAGE = message({
  tag: 0x2d,
  name: 'USAGE',
  by: 'client',
  answers: ['USAGE_IS'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning: 'Asks for the size and the bound of the own mailbox.',
  fields: { request },
})

export const USAGE_IS = message({
  tag: 0x2e,
  name: 'USAGE_IS',
  by: 'processing',
  meaning: 'The size of the mailbox, with all that was acknowledged before the request.',
  fields: {
    request,
    bytes: uint({ unit: 'bytes' }).means('Bytes of the stored messages, as they are kept.'),
    quota: uint({ unit: 'bytes' }).means('Bytes at which the mailbox accepts no more messages.'),
  },
})

export const DELIVERED = message({
  tag: 0x27,
  name: 'DELIVERED',
  by: 'client',
  login: 'required',
  ordered: false,
  repeated: 'harmless; the higher counts',
  meaning: 'A client of the user has received everything up to this index.',
  fields: { index: index.means('Log index of the last message received.') },
})

export const RECEIPTS = message({
  tag: 0x28,
  name: 'RECEIPTS',
  by: 'client',
  answers: ['RECEIPTS_ARE'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning: 'Asks for the own newest sends, over all streams, and the state of each.',
  fields: {
    request,
    limit: uint({ max: MAX_RECEIPTS }).means('Sends at the most.'),
    to: optional(userName).means('Only sends to this recipient; nil: to all.'),
  },
})

const sendState = record({
  name: 'send state',
  meaning: 'A send and its state.',
  fields: {
    stream,
    seq,
    to: recipient,
    index: index.means('Log index of the message, or of its refusal.'),
    time: storedAt,
    state: oneOf('stored', 'delivered', 'read', 'refused').means('State of the send.'),
    code: uint({ max: 65_535 }).means('Code of the error that refused it; 0: it was not refused.'),
  },
})

export const RECEIPTS_ARE = message({
  tag: 0x29,
  name: 'RECEIPTS_ARE',
  by: 'processing',
  meaning: 'The own sends and their states.',
  fields: { request, sends: list(sendState, MAX_RECEIPTS).means('The sends, newest first.') },
})

export const FOLLOW_RECEIPTS = message({
  tag: 0x2a,
  name: 'FOLLOW_RECEIPTS',
  by: 'client',
  answers: ['FOLLOWING_RECEIPTS'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning: 'Starts reports to this session on its sends from now on, and on these earlier ones.',
  fields: {
    request,
    indices: list(index, MAX_FOLLOWED).means(
      'Log indices of own earlier messages; others, and messages no longer kept, are skipped.',
    ),
  },
})

export const FOLLOWING_RECEIPTS = message({
  tag: 0x2b,
  name: 'FOLLOWING_RECEIPTS',
  by: 'processing',
  meaning: 'ACCEPTED and RECEIPT_STATE are sent from now on.',
  fields: { request },
})

export const SEND_SEALED = message({
  tag: 0x2c,
  name: 'SEND_SEALED',
  by: 'client',
  answers: ['RECEIPT'],
  login: 'required',
  ordered: true,
  repeated: "with the same bytes: the first one's answer",
  meaning:
    'Sends a message that the client sealed for a client-held account and signed; else as SEND.',
  fields: {
    request,
    stream,
    seq,
    to: recipient,
    sealed: bytes(1, MAX_SEALED).means(
      'The five parts of a JWE, then the signature over them, each after its length (uint32).',
    ),
  },
})

export const ACCEPTED = message({
  tag: 0x3c,
  name: 'ACCEPTED',
  by: 'processing',
  meaning: 'A send has a place in an order that replicas have in memory; this promises nothing.',
  fields: { request: request.means('Id of the SEND or SEND_SEALED, not yet answered.'), seq },
})

export const RECEIPT_STATE = message({
  tag: 0x3d,
  name: 'RECEIPT_STATE',
  by: 'processing',
  meaning: 'More messages of this session to a user have been delivered or read.',
  fields: {
    to: recipient,
    delivered: index.means('Log index of the last own message that the recipient has received.'),
    read: index.means('Log index of the last one that the recipient has read; 0: no news.'),
  },
})
