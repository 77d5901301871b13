// Client and processing replica: the own mailbox, page by page and as messages arrive.

import { message } from '../schema/message.js'
import { record } from '../schema/record.js'
import { bool, bytes, list, optional, text, uint } from '../schema/schema.js'
import {
  MAX_DROP,
  MAX_TEXT,
  MAX_WINDOW,
  index,
  request,
  rule,
  seq,
  stream,
  userName,
  recipient,
  storedAt,
  wallTime,
} from '../schema/shared.js'

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
    sealed: bool.means(
      'True: `envelope`, as it is stored, in place of `text`; false: texts, where the service has ' +
        'the keys.',
    ),
    since: optional(wallTime).means(
      'Messages from this time on, and after `after`; nil: of any time.',
    ),
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
    window: uint({ min: 1, max: MAX_WINDOW, example: 256 }).means(
      'Messages that may be pushed and not yet acknowledged.',
    ),
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

export const RETAIN = message({
  tag: 0x50,
  name: 'RETAIN',
  by: 'client',
  answers: ['RETENTION_IS'],
  login: 'required',
  ordered: true,
  repeated: 'harmless',
  meaning: 'Sets how long messages of the own mailbox are kept; the stricter bound counts.',
  fields: { request, ...rule },
})

export const RETENTION = message({
  tag: 0x51,
  name: 'RETENTION',
  by: 'client',
  answers: ['RETENTION_IS'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning: 'Asks how long messages of the own mailbox are kept.',
  fields: { request },
})

const retentionRule = record({
  name: 'retention rule',
  meaning: 'Bounds beyond which the oldest messages of a mailbox are erased.',
  fields: rule,
})

export const RETENTION_IS = message({
  tag: 0x52,
  name: 'RETENTION_IS',
  by: 'processing',
  meaning: 'The retention of the mailbox: in each respect the stricter bound of both counts.',
  fields: {
    request,
    own: retentionRule.means('What the user has set.'),
    cluster: retentionRule.means('What the configuration of this replica says for every mailbox.'),
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
