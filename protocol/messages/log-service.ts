// The narrow waist: all that the processing tier knows of the persistence tier is CLAIM, APPEND,
// FEED and READ, with their answers and signs of life.

import { bool, list, message, oneOf, optional, text, uint } from '../schema/schema.js'
import {
  MAX_GROUP,
  MAX_PEER_FRAME,
  boot,
  draft,
  entries,
  epoch,
  index,
  owner,
  request,
  runs,
  slots,
  term,
  userName,
  wallTime,
} from '../schema/shared.js'

export const HOME_HEARTBEAT = message(
  0x60,
  'HOME_HEARTBEAT',
  'Processing to persistence: the lease is what this says, not the link.',
  {
    /** Term held as its claimant or coordinator; 0: none. */
    holds: term,
    /** Nonce of the CLAIM under way or won; empty: none. */
    nonce: text(32, '00112233aabbccdd'),
    /** Processing replicas linked, itself included; more where clients ask (128), are (64) or asked and left (32). */
    size: uint(255),
    newestTerm: term,
  },
)

export const STORE_HEARTBEAT = message(
  0x61,
  'STORE_HEARTBEAT',
  'Persistence to processing: state of the file and of the view.',
  {
    status: oneOf('normal', 'changing', 'outside', 'learner'),
    epoch,
    members: slots,
    last: index,
    committed: index,
    lamport: uint(),
    term,
    /** Slots of the persistence replicas that this one reaches, itself included. */
    reaches: slots,
    /** Slots of the processing replicas that this one hears: a path may be open one way only. */
    hears: slots,
    full: bool,
  },
)

export const CLAIM = message(
  0x62,
  'CLAIM',
  'Compare-and-set: makes the sender owner of the term after `expected`.',
  {
    expected: term,
    boot,
    nonce: text(32, '00112233aabbccdd'),
    size: uint(255),
    /** Milliseconds since 1970 by the claimant clock; the TERM entry is stamped with it. */
    time: wallTime,
  },
)

export const CLAIMED = message(
  0x63,
  'CLAIMED',
  'Answers CLAIM, once the TERM that it speaks of is committed.',
  {
    nonce: text(32, '00112233aabbccdd'),
    outcome: oneOf('won', 'lost', 'leased', 'not-serving'),
    /** won: the term and the index of its TERM entry; else the newest known. */
    term,
    index,
    newestTerm: term,
    owner: optional(owner),
  },
)

export const RESIGN = message(
  0x64,
  'RESIGN',
  'Persistence to coordinator: a larger part of the ring asks to lead.',
  { term },
)

export const APPEND = message(
  0x65,
  'APPEND',
  'Entries of one order; part, part + 1 ... of parts. Cursors: term 0, k 0.',
  {
    id: request,
    term,
    k: uint(),
    part: uint(MAX_GROUP),
    parts: uint(MAX_GROUP),
    time: wallTime,
    drafts: list(draft, MAX_GROUP, 1),
  },
)

export const APPENDED = message(
  0x66,
  'APPENDED',
  'Committed: the places of all parts of the order.',
  {
    id: request,
    term,
    k: uint(),
    runs,
  },
)

export const FENCED = message(0x67, 'FENCED', 'The term is over; a newer one is committed.', {
  id: request,
  term,
  owner: optional(owner),
})

export const GAP = message(
  0x68,
  'GAP',
  'An order before this one is missing: go back to `expected`.',
  {
    id: request,
    term,
    expected: uint(),
  },
)

export const NOT_APPENDED = message(0x69, 'NOT_APPENDED', 'The append was not taken up.', {
  id: request,
  reason: oneOf('not-serving', 'full', 'overloaded', 'conflict', 'too-old'),
})

export const FEED = message(
  0x6a,
  'FEED',
  'Follow the committed log after this index; also acknowledges what came.',
  {
    after: index,
    /** Committed messages carry their bodies; without, only their meta. */
    bodies: bool,
    /** True: start here. False: only an acknowledgement up to `after`. */
    start: bool,
  },
)

export const ENTRIES = message(0x6b, 'ENTRIES', 'A stretch of the committed log, without gaps.', {
  entries,
  /** Of each entry's body in the log, also where it was not asked for and is left out. */
  bodyBytes: list(uint(MAX_PEER_FRAME, 'bytes'), MAX_GROUP),
  committed: index,
})

export const READ = message(0x6c, 'READ', 'A linearizable page of a mailbox; on the bulk lane.', {
  request,
  mailbox: userName,
  after: index,
  limit: uint(MAX_GROUP),
})

export const READ_PAGE = message(
  0x6d,
  'READ_PAGE',
  'Answers READ: all there is after `after`, up to the limits.',
  {
    request,
    entries,
    /** The read saw the committed log through here. */
    through: index,
    more: bool,
  },
)

export const NOT_YET = message(
  0x6e,
  'NOT_YET',
  'Answers READ and TIP: this replica cannot tell just now; try another.',
  {
    request,
  },
)

export const TIP = message(
  0x6f,
  'TIP',
  'Asks for an index that every entry acknowledged before now is at or below.',
  {
    request,
  },
)

export const TIP_IS = message(0x70, 'TIP_IS', 'Answers TIP.', { request, index })
