// Sending, reading, receipts and the state of the cluster, between client and processing replica.
// Every request carries an id of the client's choosing, which its answer repeats.

import { message } from '../schema/message.js'
import { record } from '../schema/record.js'
import { bool, bytes, list, oneOf, optional, text, uint } from '../schema/schema.js'
import {
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
  recipient,
  storedAt,
} from '../schema/shared.js'

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
  repeated: 'with the same `token`: the same stream, while it is open',
  meaning:
    'Opens a stream of sends. One beyond the limit of a user closes the one that has been idle for ' +
    'longest.',
  fields: {
    request,
    token: bytes(16).means('Random, chosen by the client; a repeated request has the same token.'),
  },
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
  meaning: 'Closes a stream, once all its sends are answered: later sends in it are refused.',
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
    state: oneOf('stored', 'delivered', 'read', 'refused', 'expired').means(
      'State of the send; expired: retention erased it before it was read.',
    ),
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
  meaning: 'More messages of this session to a user have been delivered, read, or have expired.',
  fields: {
    to: recipient,
    delivered: index.means(
      'Log index of the last own message that the recipient has received; 0: no news.',
    ),
    read: index.means('Log index of the last one that the recipient has read; 0: no news.'),
    expired: list(index, MAX_FOLLOWED).means(
      'Own messages that retention erased before they were read, whatever the other fields say.',
    ),
  },
})
