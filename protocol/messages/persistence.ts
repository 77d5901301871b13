// Messages between persistence replicas. Each names its sender's incarnation, clock and epochs.

import { message } from '../schema/message.js'
import { bool, list, oneOf, optional, text, uint } from '../schema/schema.js'
import {
  MAX_SLOTS,
  batches,
  clusterId,
  epoch,
  incarnation,
  index,
  lamport,
  members,
  millis,
  place,
  slots,
  term,
} from '../schema/shared.js'

/** Header of every message between persistence replicas. */
const from = {
  clock: lamport.means('Lamport clock of the sender.'),
  installed: epoch.means('View that the sender has installed last.'),
  promised: epoch.means('Highest epoch that the sender has promised to take part in.'),
  incarnation: incarnation.means('Incarnation of the sender.'),
}

const serving = epoch.means('View that the message belongs to; it counts in no other view.')
const proposed = epoch.means('Epoch of the view that is proposed.')
const stamp = lamport.means('Lamport stamp of the REQUEST; the lower one goes first.')
const commit = index.means('Log index up to which the log is committed.')
const newest = members.means('The newest incarnation of each slot that the sender knows of.')
const learner = bool.means('True: the sender has lost its file and has no vote yet.')
const pull = uint().means('Number that the sender gave the PULL; its answer repeats it.')
const round = uint().means(
  'Number that the sender gave the round of the read; its answer repeats it.',
)

export const VIEW_HEARTBEAT = message({
  tag: 0x80,
  name: 'VIEW_HEARTBEAT',
  by: 'persistence',
  meaning: 'Heartbeat, with all that a proposer of a view must know of a member.',
  fields: {
    ...from,
    status: oneOf('normal', 'changing', 'outside', 'learner').means(
      'Status of the sender: in a view, between views, in no view, or without a vote.',
    ),
    active: bool.means('True: the sender has installed a view since it started.'),
    reaches: slots.means(
      'Slots of the persistence replicas that the sender reaches, with its own.',
    ),
    last: index.means('Log index of the last entry that the sender has.'),
    committed: commit,
    oldestWrite: millis.means('Age of the oldest write that is not finished; 0: there is none.'),
    writable: bool.means('True: the last write that tested the disk has worked.'),
    term: term.means('Newest term in the log of the sender.'),
    leaseWeight: uint({ max: 255 }).means(
      'Weight that the owner of that term has last stated to the sender; 0: it has no lease here.',
    ),
    resign: term.means('Term whose owner the members are to ask to resign; 0: none.'),
    urgent: bool.means(
      'True: a reader or follower waits here for what is committed; false: COMMIT may be put off.',
    ),
  },
})

// The turn: Ricart & Agrawala 1981, with Roucairol & Carvalho's kept permissions.

export const REQUEST = message({
  tag: 0x81,
  name: 'REQUEST',
  by: 'persistence',
  answers: ['REPLY', 'STALE'],
  meaning: 'Asks a member for its permission to take the turn.',
  fields: {
    ...from,
    epoch: serving,
    stamp,
  },
})

export const REPLY = message({
  tag: 0x82,
  name: 'REPLY',
  by: 'persistence',
  meaning: 'Gives the permission; counts only for exactly the stamp that is outstanding.',
  fields: {
    ...from,
    epoch: serving,
    stamp,
    last: index.means('Log index of the last entry that the sender has.'),
  },
})

// The log.

export const REPLICATE = message({
  tag: 0x83,
  name: 'REPLICATE',
  by: 'persistence',
  answers: ['ACK', 'STALE'],
  meaning: 'The holder of the turn appends to the log.',
  fields: {
    ...from,
    epoch: serving,
    previous: place.means('Place that the batches follow.'),
    batches: batches.means('The batches, without gaps.'),
    commit,
  },
})

export const ACK = message({
  tag: 0x84,
  name: 'ACK',
  by: 'persistence',
  meaning: 'The log is durable here, in this view, through an index.',
  fields: {
    ...from,
    epoch: serving,
    last: index.means('Log index of the last durable entry.'),
  },
})

export const COMMIT = message({
  tag: 0x85,
  name: 'COMMIT',
  by: 'persistence',
  meaning: 'The log is durable on a majority of all replicas, through an index.',
  fields: { ...from, epoch: serving, commit },
})

export const PULL = message({
  tag: 0x86,
  name: 'PULL',
  by: 'persistence',
  answers: ['PULLED'],
  meaning:
    'Asks for the entries after the highest of these places that the log of the receiver has.',
  fields: {
    ...from,
    id: pull,
    committedOnly: bool.means('True: committed entries alone, for a catch-up outside the view.'),
    places: list(place, 64, 1).means('Places in the log of the sender.'),
  },
})

export const PULLED = message({
  tag: 0x87,
  name: 'PULLED',
  by: 'persistence',
  meaning: 'A stretch of the log.',
  fields: {
    ...from,
    id: pull,
    common: optional(place).means('Place that both logs have; nil: none of those named.'),
    batches: batches.means('The batches after that place.'),
    last: index.means('Log index of the last entry that the sender has.'),
    commit,
  },
})

// View change.

export const STALE = message({
  tag: 0x88,
  name: 'STALE',
  by: 'persistence',
  meaning: 'The message was for an epoch that is over; the header names the present one.',
  fields: { ...from, epoch: epoch.means('The epoch that is over.') },
})

export const JOIN = message({
  tag: 0x89,
  name: 'JOIN',
  by: 'persistence',
  answers: ['JOINING'],
  meaning: 'Asks a member to propose a view with the sender in it.',
  fields: { ...from, last: index.means('Log index of the last entry that the sender has.') },
})

export const JOINING = message({
  tag: 0x8a,
  name: 'JOINING',
  by: 'persistence',
  meaning: 'The JOIN was heard.',
  fields: { ...from },
})

export const ASK = message({
  tag: 0x8b,
  name: 'ASK',
  by: 'persistence',
  answers: ['CONSENT'],
  meaning: 'Asks whether a member would leave its view for this one; nothing is written.',
  fields: {
    ...from,
    epoch: proposed,
    members: slots.means('Slots of the members that the view is to have.'),
  },
})

export const CONSENT = message({
  tag: 0x8c,
  name: 'CONSENT',
  by: 'persistence',
  meaning: 'Whether the sender would leave its view for the proposed one.',
  fields: {
    ...from,
    epoch: proposed,
    granted: bool.means('True: it would.'),
    reason: text(128).means('Why not, in words, for people; empty where it would.'),
  },
})

export const PREPARE = message({
  tag: 0x8d,
  name: 'PREPARE',
  by: 'persistence',
  answers: ['PROMISE', 'STALE'],
  meaning: 'Asks for the promise to take part in no epoch below this one.',
  fields: { ...from, epoch: proposed, incarnations: newest },
})

export const PROMISE = message({
  tag: 0x8e,
  name: 'PROMISE',
  by: 'persistence',
  meaning: 'The promise is durable; the log is the one that the transaction of the promise read.',
  fields: {
    ...from,
    epoch: epoch.means('The epoch promised.'),
    logView: epoch.means('View in which the log of the sender was last known to be whole.'),
    last: place.means('End of the log of the sender.'),
    commit,
    incarnations: newest,
    learner: learner.means('True: the promise counts for nothing, since the sender lost its file.'),
  },
})

export const INSTALL = message({
  tag: 0x8f,
  name: 'INSTALL',
  by: 'persistence',
  answers: ['INSTALLED'],
  meaning: 'The new view: its members, and where its log ends.',
  fields: {
    ...from,
    epoch: epoch.means('Epoch of the new view.'),
    members: members.means('Members of the new view.'),
    last: place.means('End of the log with which the view begins.'),
    commit,
    incarnations: newest,
  },
})

export const INSTALLED = message({
  tag: 0x90,
  name: 'INSTALLED',
  by: 'persistence',
  meaning: 'The view is on disk here, and its log with it.',
  fields: { ...from, epoch: epoch.means('Epoch of the view.') },
})

export const ACTIVE = message({
  tag: 0x91,
  name: 'ACTIVE',
  by: 'persistence',
  meaning: 'All members have installed the view: the whole log with which it began is committed.',
  fields: {
    ...from,
    epoch: serving,
    last: index.means('Log index of the last entry of that log.'),
  },
})

// Reads, and incarnations of files.

export const LAST_ASK = message({
  tag: 0x92,
  name: 'LAST_ASK',
  by: 'persistence',
  answers: ['LAST_IS'],
  meaning: 'Asks how far the log reaches, for a linearizable read.',
  fields: { ...from, round },
})

export const LAST_IS = message({
  tag: 0x93,
  name: 'LAST_IS',
  by: 'persistence',
  meaning: 'How far the log is durable here.',
  fields: {
    ...from,
    round,
    logView: epoch.means('View in which the log of the sender was last known to be whole.'),
    last: index.means('Log index of the last durable entry.'),
    learner,
  },
})

export const RECALL = message({
  tag: 0x94,
  name: 'RECALL',
  by: 'persistence',
  meaning: 'On a new link: promise and acknowledgement of the receiver that the sender remembers.',
  fields: {
    ...from,
    about: incarnation.means('Incarnation of the receiver that said it.'),
    saidPromised: epoch.means('Highest epoch that it has promised.'),
    saidAcked: index.means('Log index up to which it has acknowledged committed entries.'),
  },
})

export const WHO_AM_I = message({
  tag: 0x95,
  name: 'WHO_AM_I',
  by: 'persistence',
  answers: ['YOU_ARE'],
  meaning: 'A replica without its file asks which incarnations its slot has had.',
  fields: { ...from },
})

export const YOU_ARE = message({
  tag: 0x96,
  name: 'YOU_ARE',
  by: 'persistence',
  meaning: 'The facts that a replica without its file needs to begin a new one.',
  fields: {
    ...from,
    clusterId,
    slots: uint({ max: MAX_SLOTS }).means('Persistence replicas that the cluster has.'),
    newest: incarnation.means('Newest incarnation of its slot that is recorded here.'),
    learner,
  },
})
