// Between persistence replicas. Every message names its sender's incarnation, clock and epochs.

import { bool, list, message, oneOf, optional, text, uint } from '../schema/schema.js'
import {
  MAX_SLOTS,
  entries,
  epoch,
  incarnation,
  index,
  members,
  millis,
  place,
  slots,
  term,
} from '../schema/shared.js'

/** What every message between persistence replicas carries. */
const from = {
  clock: uint(undefined, 'Lamport'),
  installed: epoch,
  promised: epoch,
  incarnation,
}

export const VIEW_HEARTBEAT = message(
  0x80,
  'VIEW_HEARTBEAT',
  'Sign of life, and all that a proposer must know of a member.',
  {
    ...from,
    status: oneOf('normal', 'changing', 'outside', 'learner'),
    /** It has installed a view since it started. */
    active: bool,
    reaches: slots,
    last: index,
    committed: index,
    /** Age of the oldest write that is not finished; 0: none. */
    oldestWrite: millis,
    /** A test write has worked since it started. */
    writable: bool,
    /** Newest term in its log, and the size that the owner of it last gave here; 0: no lease. */
    term,
    leaseSize: uint(255),
    /** Asks whoever has this term's lease to pass RESIGN on; 0: nobody. */
    resign: term,
  },
)

// The turn: Ricart & Agrawala 1981, with Roucairol & Carvalho's kept permissions.

export const REQUEST = message(
  0x81,
  'REQUEST',
  'Asks a member for its permission, under this stamp.',
  {
    ...from,
    epoch,
    stamp: uint(undefined, 'Lamport'),
  },
)

export const REPLY = message(
  0x82,
  'REPLY',
  'Gives the permission asked for under exactly this stamp.',
  {
    ...from,
    epoch,
    stamp: uint(undefined, 'Lamport'),
    last: index,
  },
)

// The log.

export const REPLICATE = message(
  0x83,
  'REPLICATE',
  'The holder of the turn appends: entries after (previous index, chain).',
  {
    ...from,
    epoch,
    previous: place,
    entries,
    commit: index,
  },
)

export const ACK = message(0x84, 'ACK', 'Durable here, through this index, in this epoch.', {
  ...from,
  epoch,
  last: index,
})

export const COMMIT = message(0x85, 'COMMIT', 'Durable on a majority of all, through this index.', {
  ...from,
  epoch,
  commit: index,
})

export const PULL = message(
  0x86,
  'PULL',
  'Asks for what follows the highest of these places that is also in your log.',
  {
    ...from,
    id: uint(),
    /** Only committed entries: a catch-up outside the view. */
    committedOnly: bool,
    places: list(place, 64, 1),
  },
)

export const PULLED = message(
  0x87,
  'PULLED',
  'Answers PULL: the common place and a stretch after it.',
  {
    ...from,
    id: uint(),
    /** nil: none of the places is in this log. */
    common: optional(place),
    entries,
    last: index,
    commit: index,
  },
)

// View change.

export const STALE = message(0x88, 'STALE', 'Your epoch is not mine; mine is in the header.', {
  ...from,
  epoch,
})

export const JOIN = message(
  0x89,
  'JOIN',
  'Asks a member to propose a view with the sender in it.',
  { ...from, last: index },
)

export const JOINING = message(0x8a, 'JOINING', 'Answers JOIN: heard.', { ...from })

export const ASK = message(
  0x8b,
  'ASK',
  'Would you leave your view for one with these members? Nothing is written.',
  {
    ...from,
    epoch,
    members: slots,
  },
)

export const CONSENT = message(0x8c, 'CONSENT', 'Answers ASK.', {
  ...from,
  epoch,
  granted: bool,
  reason: text(128),
})

export const PREPARE = message(
  0x8d,
  'PREPARE',
  'Promise to take part in no epoch below this one.',
  {
    ...from,
    epoch,
    /** The newest incarnation of every slot that the proposer knows. */
    incarnations: members,
  },
)

export const PROMISE = message(
  0x8e,
  'PROMISE',
  'Promised, durably; the log as that transaction saw it.',
  {
    ...from,
    epoch,
    logView: epoch,
    last: place,
    commit: index,
    incarnations: members,
    /** Its promise counts for nothing (it lost its file). */
    learner: bool,
  },
)

export const INSTALL = message(
  0x8f,
  'INSTALL',
  'The new view: its members and where its log ends.',
  {
    ...from,
    epoch,
    members,
    last: place,
    commit: index,
    incarnations: members,
  },
)

export const INSTALLED = message(
  0x90,
  'INSTALLED',
  'The view is on disk here, and its log with it.',
  { ...from, epoch },
)

export const ACTIVE = message(
  0x91,
  'ACTIVE',
  'All members have installed: the whole log up to here is committed.',
  {
    ...from,
    epoch,
    last: index,
  },
)

// Reads, and lives of files.

export const LAST_ASK = message(
  0x92,
  'LAST_ASK',
  'Asks for (logView, last), for a linearizable read.',
  { ...from, round: uint() },
)

export const LAST_IS = message(0x93, 'LAST_IS', 'Answers LAST_ASK with what is durable here.', {
  ...from,
  round: uint(),
  logView: epoch,
  last: index,
  learner: bool,
})

export const RECALL = message(
  0x94,
  'RECALL',
  'On a new link: what the sender remembers that you have said.',
  {
    ...from,
    about: incarnation,
    saidPromised: epoch,
    saidAcked: index,
  },
)

export const WHO_AM_I = message(
  0x95,
  'WHO_AM_I',
  'A replica without its file asks which incarnations its slot has had.',
  { ...from },
)

export const YOU_ARE = message(
  0x96,
  'YOU_ARE',
  'Answers WHO_AM_I: the genesis, and the newest incarnation recorded.',
  {
    ...from,
    clusterId: text(64, 'troca-7c2f'),
    slots: uint(MAX_SLOTS),
    newest: incarnation,
    learner: bool,
  },
)
