// The log service: the processing tier knows the persistence tier only by CLAIM, APPEND, FEED and
// READ, with their answers and heartbeats.

import { message } from '../schema/message.js'
import { bool, list, oneOf, uint } from '../schema/schema.js'
import {
  MAX_GROUP,
  batches,
  contents,
  epoch,
  hash,
  index,
  lamport,
  nonce,
  orderNumber,
  request,
  slots,
  storedMessage,
  term,
  userName,
  wallTime,
} from '../schema/shared.js'

const weight = uint({ max: 255 }).means(
  'Weight of the sender: processing replicas linked, with itself, plus 128 where clients ask, ' +
    '64 where they are connected, 32 where they asked and have left.',
)
const appendId = request.means('Id that the sender gave the APPEND; its answer repeats it.')
const query = request.means('Id that the sender gave the query; its answer repeats it.')

export const HOME_HEARTBEAT = message({
  tag: 0x60,
  name: 'HOME_HEARTBEAT',
  by: 'processing',
  meaning: 'Heartbeat; it states the lease of a term, which the link alone does not.',
  fields: {
    holds: term.means('Term held as its claimant or coordinator; 0: none.'),
    nonce: nonce.means('Nonce of the CLAIM under way or won; empty: none.'),
    weight,
  },
})

export const STORE_HEARTBEAT = message({
  tag: 0x61,
  name: 'STORE_HEARTBEAT',
  by: 'persistence',
  meaning: 'Heartbeat: state of the file and of the view.',
  fields: {
    status: oneOf('normal', 'changing', 'outside', 'learner').means(
      'Status of the sender: in a view, between views, in no view, or without a vote.',
    ),
    epoch: epoch.means('View that the sender has installed last.'),
    members: slots.means('Slots of the members of that view.'),
    last: index.means('Log index of the last entry that the sender has.'),
    committed: index.means('Log index up to which the sender knows the log to be committed.'),
    lamport: lamport.means('Lamport clock of the sender.'),
    reaches: slots.means(
      'Slots of the persistence replicas that the sender reaches, with its own.',
    ),
    hears: slots.means(
      'Slots of the processing replicas that the sender hears; a path may be open one way only.',
    ),
    full: bool.means('True: the disk of the sender is full.'),
  },
})

export const CLAIM = message({
  tag: 0x62,
  name: 'CLAIM',
  by: 'processing',
  answers: ['CLAIMED'],
  meaning: 'Compare-and-set: makes the sender owner of the term after `expected`.',
  fields: {
    expected: term.means('Newest term that the sender knows; the claim fails if there is a newer.'),
    nonce: nonce.means('Random, hexadecimal, new for each claim; the answer repeats it.'),
    weight,
  },
})

export const CLAIMED = message({
  tag: 0x63,
  name: 'CLAIMED',
  by: 'persistence',
  meaning: 'Outcome of the claim, sent once the TERM that decides it is committed.',
  fields: {
    nonce: nonce.means('Nonce of the CLAIM.'),
    outcome: oneOf('won', 'lost', 'leased', 'not-serving').means(
      'The claim won; there is a newer term; the owner of the term is alive; or try elsewhere.',
    ),
    term: term.means('The newest committed term: with won, the one that the claim made.'),
    index: index.means(
      'With won: log index up to which the log must be applied to hold its TERM entry.',
    ),
  },
})

export const RESIGN = message({
  tag: 0x64,
  name: 'RESIGN',
  by: 'persistence',
  meaning: 'Asks the coordinator to give way: a claimant that weighs more wants to lead.',
  fields: { term: term.means('Term to give up.') },
})

export const APPEND = message({
  tag: 0x65,
  name: 'APPEND',
  by: 'processing',
  answers: ['APPENDED', 'FENCED', 'GAP', 'NOT_APPENDED'],
  meaning: 'One order, for the log.',
  fields: {
    id: appendId,
    term: term.means('Term of the order; 0 for marks.'),
    k: orderNumber.means('Number of the order within the term, from 1; 0 for marks.'),
    time: wallTime.means('Time of the order, with which the batch is stamped.'),
    ...contents,
  },
})

export const APPENDED = message({
  tag: 0x66,
  name: 'APPENDED',
  by: 'persistence',
  meaning: 'The whole order is committed.',
  fields: { id: appendId, k: orderNumber.means('Number of the order; 0 for marks.') },
})

export const FENCED = message({
  tag: 0x67,
  name: 'FENCED',
  by: 'persistence',
  meaning: 'The term of the append is over: a newer one is committed.',
  fields: {
    id: appendId,
    term: term.means('The newest committed term.'),
  },
})

export const GAP = message({
  tag: 0x68,
  name: 'GAP',
  by: 'persistence',
  meaning: 'An order before this one is missing.',
  fields: {
    id: appendId,
    expected: orderNumber.means('Number of the order to go on from.'),
  },
})

export const NOT_APPENDED = message({
  tag: 0x69,
  name: 'NOT_APPENDED',
  by: 'persistence',
  meaning: 'The append was rejected.',
  fields: {
    id: appendId,
    reason: oneOf('not-serving', 'full', 'overloaded', 'conflict', 'too-old').means(
      'In no view; disk full; queue full; the log has other bytes there; too old to compare.',
    ),
  },
})

export const FEED = message({
  tag: 0x6a,
  name: 'FEED',
  by: 'processing',
  answers: ['PLACED', 'BATCHES'],
  meaning: 'Follows the committed log by BATCHES, acknowledges what was received, or ends that.',
  fields: {
    after: index.means('Log index after which to begin, or through which entries were received.'),
    chain: hash.means('The chain there: with `begin`, it is compared with the committed log.'),
    bodies: bool.means('True: messages with their bodies; false: with their meta alone.'),
    step: oneOf('begin', 'acknowledge', 'end').means(
      'Begin after `after`; an acknowledgement alone; send no more, the sender has another home.',
    ),
    urgent: bool.means(
      'True: a client may wait for the next batch; false: batches may be gathered.',
    ),
  },
})

export const BATCHES = message({
  tag: 0x6b,
  name: 'BATCHES',
  by: 'persistence',
  meaning: 'A stretch of the committed log, without gaps.',
  fields: {
    batches: batches.means('The batches, each following the last of the BATCHES before.'),
  },
})

export const READ = message({
  tag: 0x6c,
  name: 'READ',
  by: 'processing',
  answers: ['READ_PAGE', 'NOT_YET'],
  meaning: 'Asks for a linearizable page of a mailbox; on the bulk lane.',
  fields: {
    request: query,
    mailbox: userName.means('Name of the user whose mailbox is read.'),
    after: index.means('Log index after which the page begins.'),
    limit: uint({ max: MAX_GROUP }).means('Messages at the most.'),
  },
})

export const READ_PAGE = message({
  tag: 0x6d,
  name: 'READ_PAGE',
  by: 'persistence',
  meaning: 'All messages of the mailbox after `after`, up to the limits.',
  fields: {
    request: query,
    messages: list(storedMessage, MAX_GROUP).means('The messages, in log order.'),
    through: index.means('Log index up to which the read saw the committed log.'),
    more: bool.means('True: the mailbox has more.'),
  },
})

export const NOT_YET = message({
  tag: 0x6e,
  name: 'NOT_YET',
  by: 'persistence',
  meaning: 'This replica cannot tell just now; another may.',
  fields: { request: query },
})

export const TIP = message({
  tag: 0x6f,
  name: 'TIP',
  by: 'processing',
  answers: ['TIP_IS', 'NOT_YET'],
  meaning: 'Asks for an index that every entry acknowledged before now is at or below.',
  fields: { request: query },
})

export const TIP_IS = message({
  tag: 0x70,
  name: 'TIP_IS',
  by: 'persistence',
  meaning: 'An index at or above every entry that was acknowledged before the TIP.',
  fields: { request: query, index: index.means('That log index.') },
})

export const SEEK = message({
  tag: 0x78,
  name: 'SEEK',
  by: 'processing',
  answers: ['SEEK_IS', 'NOT_YET'],
  meaning: 'Asks where the log was at a time; on the bulk lane.',
  fields: { request: query, time: wallTime.means('The time, by the time of orders.') },
})

export const SEEK_IS = message({
  tag: 0x79,
  name: 'SEEK_IS',
  by: 'persistence',
  meaning: 'The last committed entry before the time, as far as this replica knows.',
  fields: {
    request: query,
    index: index.means(
      'Its log index; 0: the log began later. No entry of an older order is above.',
    ),
  },
})

export const PLACED = message({
  tag: 0x71,
  name: 'PLACED',
  by: 'persistence',
  meaning: 'Answers a FEED that starts, once the committed log has come as far as its place.',
  fields: {
    after: index.means('Log index that the FEED named.'),
    held: bool.means(
      'True: the committed log has the place, and BATCHES follow; false: it has another one there.',
    ),
  },
})
