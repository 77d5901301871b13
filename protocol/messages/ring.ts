// Between processing replicas: the ring and the total order.

import { message } from '../schema/message.js'
import { commandField } from '../state/commands/registry.js'
import { bool, bytes, list, oneOf, uint } from '../schema/schema.js'
import {
  MAX_GROUP,
  hash,
  index,
  orderNumber,
  request,
  slot,
  term,
  wallTime,
} from '../schema/shared.js'

const hops = uint({ max: 255 }).means(
  'Links travelled so far; bounded, so that no message goes round for ever.',
)
const attempt = uint({ max: 16 }).means('Number of the attempt at the order, from 1.')

export const RING_HEARTBEAT = message({
  tag: 0x40,
  name: 'RING_HEARTBEAT',
  by: 'processing',
  meaning: 'Heartbeat: the state of the sender, and the terms that it knows.',
  fields: {
    holds: term.means('Term that the sender coordinates; 0: none.'),
    newestTerm: term.means('Newest term that the sender knows.'),
    vouchesFor: slot.means('Slot of a live coordinator that the sender hears itself; 0: none.'),
    vouchedTerm: term.means('Term of that coordinator; 0: none.'),
    applied: index.means('Log index up to which the sender has applied the committed log.'),
    role: oneOf('follower', 'participant', 'claimant', 'coordinator').means(
      'Role of the sender: it follows, is in an election, claims a term, or coordinates.',
    ),
    wall: wallTime.means('Wall clock of the sender.'),
  },
})

export const ELECTION = message({
  tag: 0x41,
  name: 'ELECTION',
  by: 'processing',
  meaning: 'Chang-Roberts: the candidate goes round the ring.',
  fields: {
    round: uint().means('Number that the candidate gave this round.'),
    candidate: slot.means('Slot of the candidate, the highest met so far.'),
    hops,
  },
})

export const COORDINATOR = message({
  tag: 0x42,
  name: 'COORDINATOR',
  by: 'processing',
  meaning: 'Chang-Roberts: the winner, with its term, goes round once.',
  fields: {
    term: term.means('Term that the winner owns.'),
    slot: slot.means('Slot of the winner.'),
    hops,
  },
})

export const FORWARD = message({
  tag: 0x43,
  name: 'FORWARD',
  by: 'processing',
  answers: ['REJECTED'],
  meaning:
    'Commands of clients, handed to the coordinator; those that it accepts come back in ORDER.',
  fields: {
    commands: list(commandField, MAX_GROUP).means('The commands, in the order that they came in.'),
  },
})

export const REJECTED = message({
  tag: 0x44,
  name: 'REJECTED',
  by: 'processing',
  meaning: 'The coordinator puts these commands into no order.',
  fields: {
    requests: list(request, MAX_GROUP).means('Their numbers, as their origins gave them.'),
    reason: oneOf('overloaded', 'not-coordinator').means('Why they were refused.'),
  },
})

export const ORDER = message({
  tag: 0x45,
  name: 'ORDER',
  by: 'processing',
  answers: ['VOTE'],
  meaning: 'The next commands of the term, with all the time and randomness that they may use.',
  fields: {
    term,
    k: orderNumber,
    attempt,
    base: index.means('Log index up to which the log must at least be applied before executing.'),
    time: wallTime.means('The only clock that the commands may use.'),
    seed: bytes(32).means(
      'The only randomness that the commands may use; fresh for each order and attempt.',
    ),
    keySeed: bytes(32).means('Secret that the content keys of this key epoch are derived from.'),
    diverged: bool.means('True: the last attempt, without a majority before: refuse each command.'),
    commands: list(commandField, MAX_GROUP, 1).means('The commands, in this order.'),
  },
})

export const VOTE = message({
  tag: 0x46,
  name: 'VOTE',
  by: 'processing',
  meaning: 'Hash of the result that the sender got by executing the order.',
  fields: {
    term,
    k: orderNumber,
    attempt,
    hash: hash.means('SHA-256 of all entries of the order, as the sender computed them.'),
  },
})
